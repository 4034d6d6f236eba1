//! What whoever drives a session on demand tells it of the credentials to come.

use point_auth_core::session::{Policy, SessionMachine};
use point_auth_core::{BaseUrl, Credentials};

use crate::scenario::{Scenario, jane};

fn joe() -> Credentials {
    Credentials::new("joe@tenant.com", "joe's password").unwrap()
}

/// Jane's session on demand, which has signed in at 0.
fn signed_in() -> Scenario {
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials().source().gives(jane());
    scenario.server().gives_refreshable("janes", 3600);
    scenario
}

#[test]
fn a_denied_session_that_is_told_of_other_credentials_asks_for_them_at_once() {
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials().source().gives(jane()).server().denies().latches();
    scenario.someone().is_denied();
    scenario.session.expect_credentials(None, scenario.now);
    scenario.someone().asks_for_credentials();
}

#[test]
fn the_ten_minutes_after_lost_sign_ins_end_when_other_credentials_are_to_come() {
    let mut scenario = Scenario::on_demand();
    for pause in [1, 2] {
        scenario.someone().asks_for_credentials().source().gives(jane());
        scenario.server().falls_silent().pauses_for(pause).after_the_pause();
    }
    scenario
        .someone()
        .asks_for_credentials()
        .source()
        .gives(jane())
        .server()
        .falls_silent()
        .pauses_for(600);
    scenario.session.expect_credentials(None, scenario.now);
    scenario.pauses_for(4).after_the_pause().someone().asks_for_credentials();
}

#[test]
fn the_tokens_stay_when_it_is_another_password_and_go_when_it_is_another_user() {
    let mut scenario = signed_in();
    scenario.session.expect_credentials(Some("jane@tenant.com"), scenario.now);
    scenario.someone().gets("janes");
    scenario.session.expect_credentials(None, scenario.now);
    scenario.someone().gets("janes");
    scenario.session.expect_credentials(Some("joe@tenant.com"), scenario.now);
    assert!(scenario.session.stored_tokens().is_none());
    scenario.after(30).someone().asks_for_credentials().source().gives(joe());
    scenario.server().gives("joes", 3600).someone().gets("joes");
}

#[test]
fn a_refresh_under_way_is_void_when_it_is_another_user() {
    let mut scenario = signed_in();
    scenario.at(3600).someone().refreshes();
    let id = scenario.exchange().id;
    scenario.session.expect_credentials(Some("jane@tenant.com"), scenario.now);
    scenario.someone().waits();
    scenario.session.expect_credentials(Some("joe@tenant.com"), scenario.now);
    scenario.someone().asks_for_credentials();
    scenario.server_of(id).answers(200, r#"{"access_token":"janes-again"}"#).is_ignored();
}

#[test]
fn a_session_without_credentials_can_be_told_that_there_will_be_some() {
    let session = SessionMachine::without_credentials(BaseUrl::production(), Policy::default(), 1);
    let mut scenario = Scenario::of(session);
    scenario.someone().is_asked_to_sign_in();
    scenario.session.expect_credentials(None, scenario.now);
    scenario.someone().asks_for_credentials();
}

#[test]
fn a_session_that_has_its_credentials_expects_no_others() {
    let mut scenario = Scenario::new();
    scenario.someone().signs_in().server().denies().latches();
    scenario.session.expect_credentials(Some("joe@tenant.com"), scenario.now);
    scenario.someone().is_denied();
}

#[test]
fn a_wish_for_credentials_that_is_withdrawn_was_none() {
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials();
    let first = scenario.source().id;
    scenario.session.withdraw(first);
    scenario.someone().asks_for_credentials();
    // Once it is another's, or something was sent, there is nothing to withdraw.
    scenario.session.withdraw(first);
    scenario.someone().waits();
    let source = scenario.source();
    let second = source.id;
    source.gives(jane());
    scenario.session.withdraw(second);
    scenario.someone().waits().has_sent(1, 0).server().gives("first", 3600).someone().gets("first");
}

#[test]
fn sign_ins_that_got_lost_before_a_denial_slow_nobody_down_after_it() {
    let rotated = Credentials::new("jane@tenant.com", "rotated").unwrap();
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials().source().gives(jane());
    scenario.server().falls_silent().after_the_pause();
    scenario.someone().asks_for_credentials().source().gives(jane()).server().denies().latches();
    scenario.after(60).someone().asks_for_credentials().source().gives(rotated);
    scenario.server().is_unavailable().retries();
}
