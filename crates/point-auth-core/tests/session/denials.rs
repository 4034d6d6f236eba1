//! A denied sign-in latches: it is sent once, not once for each caller.

use point_auth_core::session::{SessionError, State};

use crate::scenario::Scenario;

fn denied() -> Scenario {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in().caller("bob").waits();
    scenario.server().denies();
    scenario
}

#[test]
fn a_wrong_password_is_sent_once_for_all_callers() {
    let mut scenario = denied();
    scenario.latches();
    scenario.caller("ann").is_denied().caller("bob").is_denied();
    for _ in 0..1000 {
        scenario.after(3600).new_caller().is_denied();
    }
    scenario.has_sent(1, 0);
}

#[test]
fn every_form_of_denial_latches() {
    for (status, body) in [
        (200, r#"{"error":"access_denied"}"#),
        (400, r#"{"error":"invalid_grant"}"#),
        (401, r#"{"error":"invalid_client"}"#),
        (403, r#"{"error":"access_denied"}"#),
    ] {
        let mut scenario = Scenario::new();
        scenario.new_caller().signs_in();
        scenario.server().answers(status, body).latches();
        scenario.new_caller().is_denied();
    }
}

#[test]
fn a_403_without_an_error_object_does_not_latch() {
    for (status, body) in [
        (403, "<html>firewall</html>"),
        (403, "{}"),
        (500, r#"{"error":"access_denied"}"#),
        (429, r#"{"error":"access_denied"}"#),
        (400, r#"{"error":"temporarily_unavailable"}"#),
        (403, r#"{"error":"server_error"}"#),
    ] {
        let mut scenario = Scenario::new();
        scenario.new_caller().signs_in();
        scenario.server().answers(status, body).retries();
        assert_eq!(scenario.state(), State::Waiting);
    }
}

#[test]
fn callers_get_the_text_of_the_server() {
    let mut scenario = denied();
    let denial = scenario.latches();
    assert_eq!(denial.code(), "access_denied");
    match scenario.caller("bob").reply {
        Err(SessionError::Denied(shown)) => assert_eq!(shown, denial),
        other => panic!("{other:?}"),
    }
    assert_eq!(scenario.snapshot().denial, Some(denial));
    assert_eq!(scenario.state(), State::Denied);
}

#[test]
fn a_latched_session_still_hands_out_a_token_that_is_good() {
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.at(3500).new_caller().signs_in_beside("first");
    scenario.server().denies();
    scenario.new_caller().gets("first");
    scenario.at(3550).new_caller().gets("first");
    scenario.at(3594).new_caller().gets("first");
    scenario.at(3595).new_caller().is_denied().has_sent(2, 0);
}

#[test]
fn a_waiter_in_the_mandatory_window_gets_the_token_after_a_denial() {
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.at(3545).caller("ann").signs_in().caller("bob").waits();
    scenario.server().denies();
    scenario.caller("ann").gets("first").caller("bob").gets("first");
}

#[test]
fn a_latched_session_still_refreshes() {
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.at(3500).new_caller().signs_in_beside("first");
    scenario.server().denies();
    let stored = Scenario::refreshable("restored", 60).stored_tokens().unwrap();
    scenario.session.restore(stored, scenario.now).unwrap();
    scenario.at(3600).new_caller().refreshes();
    scenario.server().answers(400, "").is_refused();
    scenario.new_caller().is_denied().has_sent(2, 1);
}

#[test]
fn a_refused_refresh_of_a_latched_session_is_a_denial_for_all_waiters() {
    let mut scenario = denied();
    let stored = Scenario::refreshable("restored", 60).stored_tokens().unwrap();
    scenario.session.restore(stored, scenario.now).unwrap();
    scenario.at(60).caller("cid").refreshes().caller("dan").waits();
    scenario.server().answers(404, "").is_refused();
    scenario.caller("cid").is_denied().caller("dan").is_denied().has_sent(1, 1);
}

#[test]
fn a_reset_clears_the_latch_for_one_more_sign_in() {
    let mut scenario = denied();
    scenario.session.reset(scenario.now);
    scenario.caller("cid").signs_in().new_caller().waits();
    scenario.server().denies();
    scenario.new_caller().is_denied().has_sent(2, 0);
}

#[test]
fn a_waiter_of_a_denied_sign_in_gets_the_denial_and_starts_no_other_even_after_a_reset() {
    let mut scenario = denied();
    scenario.session.reset(scenario.now);
    scenario.caller("bob").is_denied().has_sent(1, 0);
    scenario.caller("cid").signs_in();
}

#[test]
fn a_denied_sign_in_after_a_refused_refresh_latches() {
    let mut scenario = Scenario::refreshable("first", 60);
    scenario.at(60).new_caller().refreshes();
    scenario.server().answers(400, r#"{"error":"invalid_grant"}"#).is_refused();
    scenario.new_caller().signs_in();
    scenario.server().denies().latches();
    scenario.new_caller().is_denied().has_sent(2, 1);
}
