//! New credentials: what becomes void, what is dropped, what is kept; and a reset.

use point_auth_core::session::{AttemptError, Policy, SessionMachine, State};
use point_auth_core::{BaseUrl, Credentials};

use crate::scenario::{Scenario, jane};

fn new_password() -> Credentials {
    Credentials::new("jane@tenant.com", "a new password").unwrap()
}

fn joe() -> Credentials {
    Credentials::new("joe@tenant.com", "joe's password").unwrap()
}

fn jane_as(alias: &str) -> Credentials {
    jane().with_user_alias(alias).unwrap()
}

/// Returns the body of the request in flight.
fn body(scenario: &Scenario) -> String {
    String::from_utf8(scenario.exchange().request.body().as_ref().to_vec()).unwrap()
}

#[test]
fn an_exchange_in_flight_is_void_when_the_credentials_change() {
    for (credentials, wait) in [(new_password(), 0), (joe(), 0), (jane_as("ann"), 1)] {
        let mut scenario = Scenario::new();
        scenario.caller("ann").signs_in();
        let old = scenario.exchange().id;
        scenario.session.set_credentials(credentials, scenario.now);
        scenario.after(wait).caller("ann").signs_in();
        scenario.server_of(old).denies().is_ignored();
        scenario.server_of(old).answers(200, r#"{"access_token":"of-the-old"}"#).is_ignored();
        scenario.server().gives("of-the-new", 3600).caller("ann").gets("of-the-new");
    }
}

#[test]
fn the_same_credentials_again_change_nothing() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.session.set_credentials(jane(), scenario.now);
    scenario.caller("ann").waits();
    scenario.server().denies();
    scenario.session.set_credentials(jane(), scenario.now);
    scenario.new_caller().is_denied().has_sent(1, 0);
}

#[test]
fn a_changed_password_keeps_the_tokens() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.session.set_credentials(new_password(), scenario.now);
    scenario.new_caller().gets("first");
    scenario.at(3600).new_caller().refreshes();
}

#[test]
fn a_changed_username_drops_all_tokens() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.session.set_credentials(joe(), scenario.now);
    scenario.new_caller().signs_in();
    assert!(body(&scenario).contains("joe@tenant.com"));
    assert!(scenario.stored_tokens().is_none());
}

#[test]
fn a_changed_alias_drops_all_tokens() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.session.set_credentials(jane_as("ann"), scenario.now);
    scenario.new_caller().waits_for(1).after(1).new_caller().signs_in();
    assert!(body(&scenario).contains(r#""useralias":"ann""#));
    scenario.server().gives_refreshable("ann's", 3600);
    scenario.session.set_credentials(jane_as("bob"), scenario.now);
    scenario.after(1).new_caller().signs_in();
    scenario.server().gives_refreshable("bob's", 3600);
    scenario.session.set_credentials(jane(), scenario.now);
    scenario.after(1).new_caller().signs_in();
    assert!(!body(&scenario).contains("useralias"));
}

#[test]
fn a_new_password_clears_the_latch() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.server().denies().new_caller().is_denied();
    scenario.session.set_credentials(new_password(), scenario.now);
    scenario.new_caller().signs_in();
    assert!(body(&scenario).contains("a new password"));
}

#[test]
fn a_new_username_clears_the_latch() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.server().denies();
    scenario.session.set_credentials(joe(), scenario.now);
    scenario.new_caller().signs_in();
}

#[test]
fn a_new_alias_is_sent_until_three_were_denied_in_a_row() {
    let mut scenario = Scenario::new();
    for alias in ["ann", "bob", "cid"] {
        scenario.session.set_credentials(jane_as(alias), scenario.now);
        scenario.new_caller().signs_in().server().denies().new_caller().is_denied();
    }
    scenario.session.set_credentials(jane_as("dan"), scenario.now);
    let (error, until) = scenario.new_caller().error();
    assert!(matches!(error, AttemptError::Held));
    assert_eq!(scenario.until(until), 3600.0);
    // A denied alias gets its denial, and not a hold.
    scenario.session.set_credentials(jane_as("ann"), scenario.now);
    scenario.new_caller().is_denied().has_sent(3, 0);
    // Another password is not held.
    scenario.session.set_credentials(new_password(), scenario.now);
    scenario.new_caller().signs_in();
}

#[test]
fn going_back_to_a_password_that_was_denied_sends_it_only_after_a_reset() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.server().denies();
    scenario.session.set_credentials(new_password(), scenario.now);
    scenario.session.set_credentials(jane(), scenario.now);
    scenario.new_caller().is_denied().has_sent(1, 0);
    scenario.session.reset(scenario.now);
    scenario.new_caller().signs_in();
}

#[test]
fn a_waiter_between_attempts_signs_in_at_once_with_new_credentials() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.server().is_unavailable().caller("ann").waits();
    scenario.session.set_credentials(new_password(), scenario.now);
    scenario.caller("ann").signs_in();
}

#[test]
fn new_credentials_end_no_backoff_that_the_server_asked_for() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.server().is_busy("300");
    scenario.session.set_credentials(new_password(), scenario.now);
    scenario.backs_off_as_asked_for(300).no_caller_sends();
    scenario.session.reset(scenario.now);
    scenario.new_caller().signs_in();
}

#[test]
fn a_backoff_prolonged_by_a_token_is_short_for_another_user() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3460).new_caller().refreshes_beside("first");
    scenario.server().is_unavailable().backs_off_for(20);
    scenario.session.set_credentials(joe(), scenario.now);
    scenario.backs_off_for(1).after(1).new_caller().signs_in();
}

#[test]
fn a_reset_leaves_the_token_and_the_exchange_in_flight() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.session.reset(scenario.now);
    scenario.new_caller().gets("first");
    scenario.at(3595).caller("ann").refreshes();
    scenario.session.reset(scenario.now);
    scenario.caller("bob").waits();
    scenario.server().gives("second", 3600).caller("bob").gets("second").has_sent(1, 1);
}

#[test]
fn a_reset_restarts_the_backoff() {
    let mut scenario = Scenario::new();
    let fail = |scenario: &mut Scenario| {
        scenario.round_fails(|scenario| {
            scenario.server().is_unavailable();
        })
    };
    fail(&mut scenario);
    scenario.backs_off_for(1).after(1);
    fail(&mut scenario);
    scenario.backs_off_for(2);
    scenario.session.reset(scenario.now);
    assert_eq!(fail(&mut scenario), 3);
    scenario.backs_off_for(1);
}

#[test]
fn a_session_without_credentials_or_tokens_needs_a_sign_in() {
    let mut scenario = Scenario::of(SessionMachine::without_credentials(
        BaseUrl::production(),
        Policy::default(),
        1,
    ));
    scenario.new_caller().is_asked_to_sign_in();
    assert_eq!(scenario.state(), State::SignInNeeded);
    scenario.session.set_credentials(jane(), scenario.now);
    scenario.new_caller().signs_in();
}

#[test]
fn a_refresh_in_flight_survives_a_new_password() {
    let mut scenario = Scenario::refreshable("first", 60);
    scenario.at(60).caller("ann").refreshes();
    scenario.session.set_credentials(new_password(), scenario.now);
    scenario.caller("ann").waits();
    scenario.server().gives("second", 3600).caller("ann").gets("second").has_sent(1, 1);
}

#[test]
fn a_refresh_in_flight_is_void_for_another_user_or_alias() {
    for other in [joe(), jane_as("ann")] {
        let mut scenario = Scenario::refreshable("first", 60);
        scenario.at(60).new_caller().refreshes();
        scenario.session.set_credentials(other, scenario.now);
        scenario.server().answers(200, r#"{"access_token":"of-the-old"}"#).is_ignored();
        scenario.new_caller().signs_in();
    }
}

#[test]
fn another_spelling_of_the_username_does_not_clear_the_latch() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in().server().denies();
    let shouted = Credentials::new("JANE@tenant.com", "jane's password").unwrap();
    scenario.session.set_credentials(shouted, scenario.now);
    scenario.new_caller().is_denied().has_sent(1, 0);
}
