//! One exchange at a time, with any callers, vanished drivers and late reports.

use point_auth_core::session::{Action, AttemptError, Call, Failure, SessionError};

use crate::scenario::Scenario;

#[test]
fn ten_thousand_callers_are_one_exchange() {
    let mut scenario = Scenario::new();
    let mut calls = vec![Call::new(); 10_000];
    let mut sends = Vec::new();
    for _ in 0..3 {
        for call in &mut calls {
            match scenario.session.poll(scenario.now, call) {
                Ok(Action::Send(exchange)) => sends.push(exchange),
                Ok(Action::WaitUntil(time)) => assert!(time > scenario.now.monotonic),
                other => panic!("{other:?}"),
            }
        }
        scenario.after(1);
    }
    assert_eq!(sends.len(), 1);
    scenario.server_of(sends[0].id).gives("first", 3600);
    for call in &mut calls {
        assert!(matches!(scenario.session.poll(scenario.now, call), Ok(Action::Ready(_))));
    }
    scenario.has_sent(1, 0);
}

#[test]
fn a_spurious_poll_returns_the_same_action() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    for _ in 0..3 {
        scenario.caller("ann").waits_for(15);
        scenario.caller("bob").waits_for(15);
    }
    scenario.server().gives("first", 3600);
    for _ in 0..3 {
        scenario.caller("ann").gets("first");
    }
}

#[test]
fn when_the_driver_of_a_refresh_abandons_it_the_next_caller_takes_over_at_once() {
    let mut scenario = Scenario::refreshable("first", 60);
    scenario.at(60).caller("ann").refreshes().caller("bob").waits();
    scenario.after(1).abandons().retries();
    scenario.caller("bob").refreshes().new_caller().waits();
    scenario.after(1).server().gives("second", 3600);
    scenario.caller("bob").gets("second").has_sent(1, 2);
}

#[test]
fn when_the_driver_of_a_sign_in_abandons_it_the_next_caller_takes_over_a_second_later() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in().caller("bob").waits();
    scenario.after(1).abandons().retries();
    scenario.caller("bob").waits_for(1).after(0.999).caller("bob").waits();
    scenario.after(0.001).caller("bob").signs_in().new_caller().waits();
    scenario.after(1).server().gives("first", 3600);
    scenario.caller("bob").gets("first").has_sent(2, 0);
}

#[test]
fn a_silent_driver_of_a_sign_in_is_replaced_three_seconds_past_its_deadline() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    let deadline = scenario.exchange().deadline;
    assert_eq!((deadline - scenario.now.monotonic).as_secs(), 30);
    scenario.at(25).caller("bob").waits_for(7);
    scenario.at(31.999).caller("bob").waits();
    scenario.at(32).caller("bob").waits_for(1);
    assert_eq!(scenario.snapshot().counts.abandoned, 1);
    scenario.at(33).caller("bob").signs_in().has_sent(2, 0);
}

#[test]
fn a_silent_driver_of_a_refresh_is_replaced_two_seconds_past_its_deadline() {
    let mut scenario = Scenario::refreshable("first", 60);
    scenario.at(60).new_caller().refreshes();
    scenario.at(91.999).caller("bob").waits();
    scenario.at(92).caller("bob").refreshes().has_sent(1, 2);
}

#[test]
fn a_late_answer_counts_until_the_exchange_is_abandoned() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.at(40).server().gives("first", 3600).new_caller().gets("first").has_sent(1, 0);
}

#[test]
fn a_late_answer_of_an_exchange_that_was_replaced_is_ignored() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    let old = scenario.exchange().id;
    scenario.at(40).caller("bob").waits().at(41).caller("bob").signs_in();
    scenario.server_of(old).answers(200, r#"{"access_token":"late"}"#).is_ignored();
    scenario.server_of(old).denies().is_ignored();
    scenario.server_of(old).falls_silent().is_ignored();
    let _outcome = scenario.session.handle_failure(old, scenario.now, &Failure::abandoned());
    scenario.caller("cid").waits();
    scenario.server().gives("first", 3600).caller("cid").gets("first");
}

#[test]
fn an_answer_that_is_reported_twice_counts_once() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    let id = scenario.exchange().id;
    scenario.server().gives("first", 3600);
    scenario.server_of(id).answers(200, r#"{"access_token":"second"}"#).is_ignored();
    scenario.new_caller().gets("first");
    assert_eq!(scenario.snapshot().counts.renewed, 1);
}

#[test]
fn exchanges_have_different_ids() {
    let mut scenario = Scenario::new();
    let mut ids = std::collections::HashSet::new();
    for _ in 0..100 {
        scenario.new_caller().signs_in();
        assert!(ids.insert(scenario.exchange().id));
        scenario.server().is_not_reached();
        scenario.session.reset(scenario.now);
    }
}

#[test]
fn drivers_that_vanish_again_and_again_end_the_round() {
    let mut scenario = Scenario::refreshable("first", 60);
    scenario.at(60);
    let attempts = scenario.round_fails(|scenario| {
        scenario.abandons();
    });
    assert_eq!(attempts, 3);
    let caller = scenario.new_caller();
    assert!(matches!(caller.error().0, AttemptError::Abandoned));
    caller.fails().backs_off_for(1);
    scenario.after(1).new_caller().refreshes();
}

#[test]
fn a_driver_that_vanishes_in_the_advisory_window_is_replaced_and_no_caller_fails() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3460).new_caller().refreshes_beside("first");
    scenario.abandons().does_not_back_off().new_caller().refreshes_beside("first");
    scenario.at(3495).new_caller().refreshes_beside("first").has_sent(1, 3);
    scenario.server().gives("second", 3600).new_caller().gets("second");
}

#[test]
fn a_refresh_in_flight_is_waited_for_even_when_nothing_could_follow_it() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3595).caller("ann").refreshes();
    // The refresh token has expired, and the sign-in after it would be a second one.
    scenario.sleeps_for(200_000).caller("bob").waits();
    scenario.server().gives("second", 300_000).caller("bob").gets("second");

    let mut scenario = Scenario::of(point_auth_core::session::SessionMachine::without_credentials(
        point_auth_core::BaseUrl::production(),
        point_auth_core::session::Policy::default(),
        1,
    ));
    let mut other = Scenario::refreshable("first", 60);
    let stored = other.stored_tokens().unwrap();
    scenario.session.restore(stored, scenario.now).unwrap();
    scenario.at(60).caller("ann").refreshes();
    scenario.sleeps_for(200_000).caller("bob").waits();
    scenario.server().answers(400, "{}").is_refused();
    scenario.caller("bob").is_asked_to_sign_in();
    other.new_caller().gets("first");
}

#[test]
fn all_errors_of_a_round_are_equal() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.caller("bob").waits().caller("cid").waits();
    scenario.server().is_busy("90");
    let ends = ["ann", "bob", "cid"].map(|name| {
        let caller = scenario.caller(name);
        let (error, until) = caller.error();
        (error.to_string(), until)
    });
    assert_eq!(ends[0].0, "unexpected answer: status 429, not JSON");
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
}

#[test]
fn a_call_that_is_polled_long_after_its_round_gets_the_error_and_starts_no_other() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in().caller("bob").waits();
    scenario.server().is_busy("5").backs_off_as_asked_for(5);
    scenario.after(7).caller("bob").fails().has_sent(1, 0);
    scenario.caller("cid").signs_in();
    let error = scenario.caller("bob").reply;
    assert!(matches!(error, Err(SessionError::Failed { .. })));
}
