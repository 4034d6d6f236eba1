//! A session shows no secret, and frees no memory with one.

use std::error::Error;
use std::hint::black_box;

use point_auth_core::session::{Failure, Policy, SessionMachine, StoredTokens};
use point_auth_core::{AccessToken, BaseUrl, Credentials, SecretBody};
use scanning_allocator::{ScanningAllocator, Watch};

use crate::scenario::Scenario;

/// Returns all printed forms of an error.
fn all_it_says(error: &dyn Error) -> String {
    let mut said = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        said.push_str(&format!("{error}\n{error:?}\n{error:#?}\n"));
        next = error.source();
    }
    said
}

#[test]
fn no_printed_form_shows_a_password_or_a_token() {
    let credentials = Credentials::new("printed-jane", "printed-password").unwrap();
    let session = SessionMachine::new(BaseUrl::production(), credentials, Policy::default(), 1);
    let mut scenario = Scenario::of(session);
    let mut said = String::new();
    scenario.caller("ann").signs_in();
    said.push_str(&format!("{:?} {:#?}", scenario.exchange(), scenario.exchange()));
    scenario
        .server()
        .answers(200, r#"{"access_token":"printed-access","error":"printed-password"}"#);
    said.push_str(&all_it_says(&scenario.caller("ann").reply.unwrap_err()));
    said.push_str(&format!("{:?} {:?}", scenario.outcome, scenario.snapshot()));
    scenario.session.reset(scenario.now);
    scenario.new_caller().signs_in();
    scenario.server().gives_both("printed-access", "printed-refresh", 3600);
    said.push_str(&format!("{:?} {:#?}", scenario.outcome, scenario.session));
    said.push_str(&format!("{:?}", scenario.new_caller().reply));
    said.push_str(&format!("{:#?} {:#?}", scenario.snapshot(), scenario.stored_tokens()));
    scenario.at(3500).new_caller().refreshes_beside("printed-access");
    said.push_str(&format!("{:?} {:#?}", scenario.exchange(), scenario.session));
    scenario.server().answers(400, r#"{"error":"printed-refresh is dead"}"#);
    said.push_str(&format!("{:?} {:#?}", scenario.outcome, scenario.snapshot()));
    let stored = scenario.stored_tokens().unwrap();
    said.push_str(&format!(
        "{:?} {:?}",
        stored.expose_json(),
        StoredTokens::from_json(b"printed-access")
    ));
    for secret in ["printed-password", "printed-access", "printed-refresh"] {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
    assert!(said.contains("signInWithPassword"));
}

/// A complete life: signs in, refreshes, is rejected, is stored, restored and dropped.
fn live(password: &str, answers: [&'static [u8]; 2], rejected: &str) {
    let credentials = Credentials::new("jane", password).unwrap();
    let session =
        SessionMachine::new(BaseUrl::production(), credentials.clone(), Policy::default(), 1);
    let mut scenario = Scenario::of(session);
    let [first, second] = answers;
    scenario.new_caller().signs_in();
    answer(&mut scenario, first);
    drop(black_box(format!("{:?}", scenario.snapshot())));
    let stored = scenario.stored_tokens().unwrap();
    let json = stored.expose_json();
    let again = StoredTokens::from_json(json.as_ref()).unwrap();
    drop(stored);
    let restored = SessionMachine::new(BaseUrl::production(), credentials, Policy::default(), 1);
    let mut other = Scenario::of(restored);
    other.session.restore(again.clone(), other.now).unwrap();
    drop((again, json, other));

    scenario.at(3500);
    let lease = scenario.new_caller().reply;
    drop(lease);
    scenario.abandons();
    scenario.at(3550).new_caller().refreshes();
    let id = scenario.exchange().id;
    let failed = scenario.session.handle_failure(id, scenario.now, &Failure::maybe_sent());
    drop(failed);
    scenario.at(3594);
    scenario.session.reset(scenario.now);
    scenario.new_caller().refreshes();
    answer(&mut scenario, second);
    let token = AccessToken::new(rejected).unwrap();
    scenario.session.invalidate(&token, scenario.now);
    drop(token);
    drop(black_box(scenario));
}

/// Answers the exchange in flight with a body in memory that is wiped.
fn answer(scenario: &mut Scenario, body: &[u8]) {
    let id = scenario.exchange().id;
    let mut bytes = Vec::with_capacity(body.len());
    bytes.extend_from_slice(body);
    let response = http::Response::new(SecretBody::new(bytes));
    let outcome = scenario.session.handle_response(id, scenario.now, &response);
    assert!(matches!(outcome, point_auth_core::session::Outcome::Renewed { .. }));
    // Takes what is left of the request.
    drop(black_box(outcome));
}

#[track_caller]
fn left(watch: &Watch) {
    let found = watch.freed_blocks();
    assert!(found == 0, "{found} freed blocks hold the canary, of {:?} bytes", watch.sizes());
}

#[test]
fn an_unwiped_copy_would_be_found() {
    let watch = ScanningAllocator::watch("session-control-canary");
    drop(black_box(String::from("session-control-canary")));
    assert_eq!(watch.freed_blocks(), 1);
}

#[test]
fn a_session_leaves_no_secret_behind() {
    let watches = [
        "life-password-canary",
        "life-first-access-canary",
        "life-first-refresh-canary",
        "life-second-access-canary",
        "life-second-refresh-canary",
    ]
    .map(ScanningAllocator::watch);
    live(
        "life-password-canary",
        [
            br#"{"access_token":"life-first-access-canary","refresh_token":"life-first-refresh-canary"}"#,
            br#"{"access_token":"life-second-access-canary","refresh_token":"life-second-refresh-canary"}"#,
        ],
        "life-second-access-canary",
    );
    watches.iter().for_each(left);
}

#[test]
fn stored_tokens_that_json_escapes_leave_no_secret_behind() {
    let access = ScanningAllocator::watch("Stored-access\"canary");
    let refresh = ScanningAllocator::watch("Stored-refresh\\canary");
    let json = br#"{"base":"https://api.pointservices.com","username":"jane","access_token":"\u0053tored-access\"canary","asked_at":1767225600,"expires_in":3600,"refresh_token":"Stored-refresh\\canary","refresh_token_came_at":1767225600}"#;
    let mut bytes = Vec::with_capacity(json.len());
    bytes.extend_from_slice(json);
    let json = SecretBody::new(bytes);
    let stored = StoredTokens::from_json(json.as_ref()).unwrap();
    let again = StoredTokens::from_json(stored.expose_json().as_ref()).unwrap();
    drop((stored, json));
    drop(black_box(again));
    left(&access);
    left(&refresh);
}

#[test]
fn stored_tokens_that_are_refused_leave_no_secret_behind() {
    let watch = ScanningAllocator::watch("Refused-stored-canary");
    for json in [
        &br#"{"access_token":"Refused-stored-canary"}"#[..],
        br#"{"base":"b","access_token":"Refused-stored-canary","expires_in":1}"#,
        br#"{"base":"b","access_token":"\u0052efused-stored-canary x","asked_at":1,"expires_in":1}"#,
        br#"{"base":"b","access_token":"\u0052efused-stored-canary","access_token":1,"expires_in":1}"#,
        br#"{"access_token":"\u0052efused-stored-canary"#,
        br#""\u0052efused-stored-canary""#,
        br#"["\u0052efused-stored-canary"]"#,
        br#"{"base":"b","access_token":"a","asked_at":"\u0052efused-stored-canary","expires_in":1}"#,
        br#"{"base":"b","expires_in":"\u0052efused-stored-canary"}"#,
    ] {
        let mut bytes = Vec::with_capacity(json.len());
        bytes.extend_from_slice(json);
        let json = SecretBody::new(bytes);
        assert!(StoredTokens::from_json(json.as_ref()).is_err());
    }
    left(&watch);
}

#[test]
fn a_refused_refresh_repeats_no_secret_that_the_session_knows() {
    for secret in ["first", "first-refresh", "jane's password"] {
        let mut scenario = Scenario::refreshable("first", 3600);
        scenario.at(3500).new_caller().refreshes_beside("first");
        let body =
            format!(r#"{{"error":"invalid_grant","error_description":"not good: {secret}"}}"#);
        scenario.server().answers(400, &body).is_refused();
        let said = format!("{:?} {:?}", scenario.outcome, scenario.snapshot());
        assert!(said.contains("400") && !said.contains(secret), "{secret} is in {said}");
    }
    // Text without a secret is shown.
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3500).new_caller().refreshes_beside("first");
    scenario.server().answers(400, r#"{"error":"invalid_grant","error_description":"too old"}"#);
    assert!(format!("{:?}", scenario.outcome).contains("too old"));
}

#[test]
fn a_denied_sign_in_repeats_no_token() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3500).new_caller().refreshes_beside("first");
    scenario.server().answers(404, "").new_caller().signs_in_beside("first");
    scenario.server().answers(403, r#"{"error":"no longer first"}"#).latches();
    assert!(!format!("{:?}", scenario.outcome).contains("first"));
}

#[test]
fn a_session_shows_where_it_is_and_what_it_has_counted() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    let said = format!("{:?}", scenario.session);
    assert!(
        said.starts_with(
            r#"SessionMachine { base: BaseUrl("https://api.pointservices.com"), counts: "#
        ),
        "{said}"
    );
    assert!(said.contains("sign_ins: 1") && said.ends_with(", .. }"), "{said}");
}
