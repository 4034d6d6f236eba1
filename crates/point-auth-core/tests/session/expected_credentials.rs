//! Announced credentials: a driver tells a session on demand that others are to be had.

use point_auth_core::session::{Policy, SessionMachine};
use point_auth_core::{BaseUrl, Credentials};

use crate::scenario::{Scenario, jane};

fn joe() -> Credentials {
    Credentials::new("joe@tenant.com", "joe's password").unwrap()
}

/// Jane's session on demand, which has signed in at 0.
fn signed_in() -> Scenario {
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials().source().gives(jane());
    scenario.server().gives_refreshable("janes", 3600);
    scenario
}

#[test]
fn a_denied_session_that_expects_other_credentials_requests_them_at_once() {
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials().source().gives(jane()).server().denies().latches();
    scenario.new_caller().is_denied();
    scenario.session.expect_credentials(None, scenario.now);
    scenario.new_caller().asks_for_credentials();
}

#[test]
fn the_ten_minutes_after_unknown_sign_ins_end_when_other_credentials_are_expected() {
    let mut scenario = Scenario::on_demand();
    for backoff in [1, 2] {
        scenario.new_caller().asks_for_credentials().source().gives(jane());
        scenario.server().falls_silent().backs_off_for(backoff).after_the_backoff();
    }
    scenario
        .new_caller()
        .asks_for_credentials()
        .source()
        .gives(jane())
        .server()
        .falls_silent()
        .backs_off_for(600);
    scenario.session.expect_credentials(None, scenario.now);
    scenario.backs_off_for(4).after_the_backoff().new_caller().asks_for_credentials();
}

#[test]
fn another_password_keeps_the_tokens_and_another_user_drops_them() {
    let mut scenario = signed_in();
    scenario.session.expect_credentials(Some("jane@tenant.com"), scenario.now);
    scenario.new_caller().gets("janes");
    scenario.session.expect_credentials(None, scenario.now);
    scenario.new_caller().gets("janes");
    scenario.session.expect_credentials(Some("joe@tenant.com"), scenario.now);
    assert!(scenario.stored_tokens().is_none());
    scenario.after(30).new_caller().asks_for_credentials().source().gives(joe());
    scenario.server().gives("joes", 3600).new_caller().gets("joes");
}

#[test]
fn a_refresh_in_flight_is_void_when_another_user_is_expected() {
    let mut scenario = signed_in();
    scenario.at(3600).new_caller().refreshes();
    let id = scenario.exchange().id;
    scenario.session.expect_credentials(Some("jane@tenant.com"), scenario.now);
    scenario.new_caller().waits();
    scenario.session.expect_credentials(Some("joe@tenant.com"), scenario.now);
    scenario.new_caller().asks_for_credentials();
    scenario.server_of(id).answers(200, r#"{"access_token":"janes-again"}"#).is_ignored();
}

#[test]
fn a_session_without_credentials_can_expect_some() {
    let session = SessionMachine::without_credentials(BaseUrl::production(), Policy::default(), 1);
    let mut scenario = Scenario::of(session);
    scenario.new_caller().is_asked_to_sign_in();
    scenario.session.expect_credentials(None, scenario.now);
    scenario.new_caller().asks_for_credentials();
}

#[test]
fn a_session_that_has_its_credentials_expects_no_others() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in().server().denies().latches();
    scenario.session.expect_credentials(Some("joe@tenant.com"), scenario.now);
    scenario.new_caller().is_denied();
}

#[test]
fn a_withdrawn_credential_request_leaves_no_trace() {
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials();
    let first = scenario.source().id;
    scenario.session.withdraw(first);
    scenario.new_caller().asks_for_credentials();
    // After a change of the owner, or after a request was sent, there is nothing to withdraw.
    scenario.session.withdraw(first);
    scenario.new_caller().waits();
    let source = scenario.source();
    let second = source.id;
    source.gives(jane());
    scenario.session.withdraw(second);
    scenario
        .new_caller()
        .waits()
        .has_sent(1, 0)
        .server()
        .gives("first", 3600)
        .new_caller()
        .gets("first");
}

#[test]
fn unknown_sign_ins_before_a_denial_delay_no_caller_after_it() {
    let rotated = Credentials::new("jane@tenant.com", "rotated").unwrap();
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials().source().gives(jane());
    scenario.server().falls_silent().after_the_backoff();
    scenario.new_caller().asks_for_credentials().source().gives(jane()).server().denies().latches();
    scenario.after(60).new_caller().asks_for_credentials().source().gives(rotated);
    scenario.server().is_unavailable().retries();
}
