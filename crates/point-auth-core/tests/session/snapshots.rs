//! The snapshot of a session: every state, and no secret.

use std::time::Duration;

use point_auth_core::BaseUrl;
use point_auth_core::session::{ExchangeKind, Policy, SessionMachine, State};

use crate::scenario::Scenario;

#[test]
fn a_session_that_was_never_polled_is_waiting() {
    let snapshot = Scenario::new().snapshot();
    assert_eq!(snapshot.state, State::Waiting);
    assert_eq!(snapshot.token_age, None);
    assert_eq!(snapshot.token_left, None);
    assert_eq!(snapshot.next_look, None);
    assert_eq!(snapshot.in_flight, None);
    assert_eq!(snapshot.backoff_until, None);
    assert!(snapshot.last_failure.is_none());
    assert!(snapshot.denial.is_none());
    assert!(!snapshot.has_refresh_token);
    assert_eq!(snapshot.counts, Default::default());
}

#[test]
fn a_session_with_a_good_token_shows_its_age_and_time_left() {
    let mut scenario = Scenario::refreshable("first", 3600);
    let snapshot = scenario.at(100).snapshot();
    assert_eq!(snapshot.state, State::Good);
    assert_eq!(snapshot.token_age, Some(Duration::from_secs(100)));
    assert_eq!(snapshot.token_left, Some(Duration::from_secs(3495)));
    assert!(snapshot.has_refresh_token);
    assert_eq!(snapshot.next_look, Some(scenario.new_caller().lease().1.look_again));
    assert_eq!((snapshot.counts.sign_ins, snapshot.counts.renewed), (1, 1));
}

#[test]
fn a_session_in_its_windows_is_renewing() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3500).new_caller().refreshes_beside("first");
    assert_eq!(scenario.state(), State::Renewing);
    assert_eq!(scenario.snapshot().in_flight, Some(ExchangeKind::Refresh));
    scenario.at(3541);
    assert_eq!(scenario.state(), State::Renewing);
    scenario.at(3595);
    assert_eq!(scenario.state(), State::Waiting);
    assert_eq!(scenario.snapshot().token_age, None);
}

#[test]
fn a_session_in_backoff_shows_why_and_until_when() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    assert_eq!(scenario.snapshot().in_flight, Some(ExchangeKind::SignIn));
    scenario.server().is_busy("30");
    let snapshot = scenario.snapshot();
    assert_eq!(snapshot.state, State::BackingOff);
    scenario.backs_off_as_asked_for(30);
    assert_eq!(
        snapshot.last_failure.unwrap().to_string(),
        "unexpected answer: status 429, not JSON"
    );
    assert_eq!(snapshot.counts.failed, 1);
    scenario.after_the_backoff();
    assert_eq!(scenario.state(), State::Waiting);
    assert_eq!(scenario.snapshot().backoff_until, None);
    assert!(scenario.snapshot().last_failure.is_some());
}

#[test]
fn a_denied_session_is_denied_until_it_is_reset() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.server().denies();
    assert_eq!(scenario.state(), State::Denied);
    assert_eq!(scenario.snapshot().counts.denied, 1);
    scenario.session.reset(scenario.now);
    assert_eq!(scenario.state(), State::Waiting);
}

#[test]
fn a_session_that_needs_a_sign_in_shows_it() {
    let session = SessionMachine::without_credentials(BaseUrl::production(), Policy::default(), 1);
    assert_eq!(Scenario::of(session).state(), State::SignInNeeded);
}

#[test]
fn a_session_waits_for_an_exchange_in_flight_even_if_nothing_could_follow_it() {
    let session = SessionMachine::without_credentials(BaseUrl::production(), Policy::default(), 1);
    let mut scenario = Scenario::of(session);
    let stored = Scenario::refreshable("first", 60).stored_tokens().unwrap();
    scenario.session.restore(stored, scenario.now).unwrap();
    scenario.at(60).new_caller().refreshes();
    scenario.sleeps_for(200_000);
    assert_eq!(scenario.state(), State::Waiting);
}

#[test]
fn a_snapshot_of_a_session_changes_nothing() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.at(40);
    for _ in 0..3 {
        let _ = scenario.snapshot();
    }
    scenario.server().gives("first", 3600).new_caller().gets("first");
}

#[test]
fn every_error_that_a_session_holds_can_be_held_outside() {
    let held = |scenario: &Scenario| scenario.session.held_errors().into_iter().flatten().count();
    let mut scenario = Scenario::new();
    assert_eq!(held(&scenario), 0);
    scenario.new_caller().signs_in().server().is_unavailable().retries();
    assert_eq!(held(&scenario), 1);
    scenario.after(1).new_caller().signs_in().server().falls_silent().gives_up();
    // Of the last attempt, of the round that it ended, and of the backoff.
    assert_eq!(held(&scenario), 3);
    scenario.after_the_backoff().new_caller().signs_in().server().gives("first", 3600);
    assert_eq!(held(&scenario), 0);
}

/// Returns whether the outcome of a refused refresh reports another exchange.
fn goes_on(scenario: &mut Scenario) -> bool {
    scenario.new_caller().refreshes();
    scenario.server().answers(404, "").is_refused();
    scenario.outcome.as_ref().unwrap().goes_on()
}

#[test]
fn a_refused_refresh_goes_on_if_there_is_another_way_to_a_token() {
    let mut scenario = Scenario::refreshable("first", 60);
    assert!(goes_on(scenario.at(60)));
    scenario.new_caller().signs_in().server().is_unavailable();
    assert!(!scenario.outcome.as_ref().unwrap().goes_on());

    let stored = Scenario::refreshable("first", 60).stored_tokens().unwrap();
    let session = SessionMachine::without_credentials(BaseUrl::production(), Policy::default(), 1);
    let mut scenario = Scenario::of(session);
    scenario.session.restore(stored, scenario.now).unwrap();
    assert!(!goes_on(scenario.at(60)));
    scenario.new_caller().is_asked_to_sign_in();
}
