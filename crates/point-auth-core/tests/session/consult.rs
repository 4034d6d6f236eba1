//! The step before an exchange: what a store of many processes says in its place.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use point_auth_core::http::{Response, StatusCode};
use point_auth_core::session::{
    Action, Call, ExchangeId, ExchangeKind, Failure, Now, Outcome, Policy, Rejected, SessionError,
    SessionMachine, StoredTokens,
};
use point_auth_core::{BaseUrl, Denial};

use crate::scenario::{jane, new_year};

fn at(seconds: u64) -> Now {
    let seconds = Duration::from_secs(seconds);
    Now::new(seconds, new_year() + seconds)
}

fn session() -> SessionMachine {
    SessionMachine::new(BaseUrl::production(), jane(), Policy::default(), 7).with_deferred_start()
}

/// Tokens of another process, asked for at that second.
fn tokens(username: &str, access_token: &str, asked_at: u64) -> StoredTokens {
    let since = new_year() + Duration::from_secs(asked_at);
    let seconds = since.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let json = format!(
        r#"{{"base":"{}","username":"{username}","access_token":"{access_token}",
            "asked_at":{seconds},"expires_in":3600,
            "refresh_token":"again","refresh_token_came_at":{seconds}}}"#,
        BaseUrl::production().as_str()
    );
    StoredTokens::from_json(json.as_bytes()).unwrap()
}

#[track_caller]
fn begins(session: &mut SessionMachine, now: Now) -> ExchangeId {
    match session.poll(now, &mut Call::new()) {
        Ok(Action::Send(exchange)) => exchange.id,
        other => panic!("nothing begins: {other:?}"),
    }
}

#[track_caller]
fn has(session: &mut SessionMachine, now: Now, token: &str) {
    match session.poll(now, &mut Call::new()) {
        Ok(Action::Ready(lease)) => assert_eq!(lease.token.expose(), token),
        other => panic!("no token: {other:?}"),
    }
}

#[test]
fn newer_tokens_take_the_place_of_the_exchange() {
    let mut session = session();
    let id = begins(&mut session, at(100));
    let outcome = session.adopt(id, at(100), tokens("jane@tenant.com", "theirs", 40));
    assert!(matches!(outcome, Outcome::Adopted { has_token: true, .. }), "{outcome:?}");
    has(&mut session, at(100), "theirs");
    // Their life counts from when they were asked for.
    has(&mut session, at(3_300), "theirs");
    assert_eq!(session.snapshot(at(3_640)).counts.adopted, 1);
    assert!(session.start(id, at(100)).is_err());
    begins(&mut session, at(3_640));
}

#[test]
fn tokens_that_are_over_leave_their_refresh_token_to_go_on_with() {
    let mut session = session();
    let id = begins(&mut session, at(5_000));
    let outcome = session.adopt(id, at(5_000), tokens("jane@tenant.com", "theirs", 0));
    assert!(matches!(outcome, Outcome::Adopted { has_token: false, .. }), "{outcome:?}");
    assert!(outcome.goes_on());
    match session.poll(at(5_000), &mut Call::new()) {
        Ok(Action::Send(exchange)) => assert_eq!(exchange.kind, ExchangeKind::Refresh),
        other => panic!("no refresh: {other:?}"),
    }
}

#[test]
fn tokens_of_another_user_and_those_that_are_no_better_change_nothing() {
    let mut session = session();
    let id = begins(&mut session, at(0));
    let outcome = session.adopt(id, at(0), tokens("joe@tenant.com", "joes", 0));
    assert!(matches!(outcome, Outcome::Ignored));
    // The exchange has not begun, and begins anew.
    let id = begins(&mut session, at(1));
    let outcome = session.adopt(id, at(1), tokens("jane@tenant.com", "theirs", 0));
    assert!(matches!(outcome, Outcome::Adopted { .. }));
    let id = begins(&mut session, at(3_500));
    let outcome = session.adopt(id, at(3_500), tokens("jane@tenant.com", "older", 0));
    assert!(matches!(outcome, Outcome::Ignored));
    assert_eq!(session.lease(at(3_500)).unwrap().token.expose(), "theirs");
}

#[test]
fn an_exchange_that_has_started_is_not_replaced() {
    let mut session = session();
    let id = begins(&mut session, at(0));
    session.start(id, at(0)).unwrap();
    let outcome = session.adopt(id, at(0), tokens("jane@tenant.com", "theirs", 0));
    assert!(matches!(outcome, Outcome::Ignored));
    session.postpone(id, at(0), Duration::from_secs(5));
    let response = Response::new(r#"{"access_token":"own","expires_in":3600}"#);
    assert!(matches!(session.handle_response(id, at(1), &response), Outcome::Renewed { .. }));
    has(&mut session, at(1), "own");
}

#[test]
fn a_postponed_exchange_begins_later_and_callers_wait_for_that() {
    let mut session = session();
    let id = begins(&mut session, at(10));
    session.postpone(id, at(10), Duration::from_secs(2));
    let mut call = Call::new();
    match session.poll(at(10), &mut call) {
        Ok(Action::WaitUntil(time)) => assert_eq!(time, Duration::from_secs(12)),
        other => panic!("no wait: {other:?}"),
    }
    begins(&mut session, at(12));
}

#[test]
fn what_another_process_was_denied_is_told_to_callers_and_not_sent() {
    let mut session = session();
    let id = begins(&mut session, at(0));
    let denial = Denial::from_kept(StatusCode::FORBIDDEN, "access_denied".to_owned(), None);
    let rejected = Rejected::Denied { denial: denial.clone(), ask_again: None };
    assert!(matches!(session.reject(id, at(0), rejected), Outcome::Denied { .. }));
    match session.poll(at(1), &mut Call::new()) {
        Err(SessionError::Denied(told)) => assert_eq!(told, denial),
        other => panic!("not denied: {other:?}"),
    }
}

#[test]
fn a_store_that_fails_costs_a_sign_in_an_attempt_and_no_unknown_outcome() {
    let mut session = session();
    let id = begins(&mut session, at(0));
    let outcome = session.handle_failure(id, at(0), &Failure::not_sent());
    assert!(matches!(outcome, Outcome::Retrying { outcome_unknown: false, .. }), "{outcome:?}");
}

#[test]
fn times_are_moved_to_another_clock_and_a_token_only_seems_older() {
    let moved = |from: SystemTime, to: SystemTime| {
        let json = tokens("jane@tenant.com", "theirs", 1_000).moved(from, to).expose_json();
        let json: serde_json::Value = serde_json::from_slice(json.as_ref()).unwrap();
        json["asked_at"].as_u64().unwrap()
    };
    let after = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
    assert_eq!(moved(new_year() + Duration::from_secs(1_600), after(10_000)), 9_400);
    assert_eq!(moved(new_year(), after(500)), 1_500);
    assert_eq!(moved(new_year() + Duration::from_secs(1_600), after(300)), 0);
}
