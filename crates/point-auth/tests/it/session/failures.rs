//! Faults of the server or the network, and the results for callers.

use std::time::{Duration, SystemTime};

use point_auth::http::StatusCode;
use point_auth::session::State;
use point_auth::{BaseUrl, Credentials, ErrorKind, HyperTransport};
use point_auth_testkit::{Clock, ClosedPort, Emulator, Fault, Operation, VirtualTime};

use super::support::{World, many, on_threads, on_tokio};
use crate::support::{PASSWORD, USERNAME, credentials, runtime};

fn wrong() -> Credentials {
    Credentials::new(USERNAME, "incorrect horse").unwrap()
}

#[test]
fn a_wrong_password_is_sent_once_for_a_thousand_tasks_and_later_callers() {
    let world = World::new();
    let session = world.builder().with_credentials(wrong()).build();
    let runtime = runtime();
    for _ in 0..2 {
        for got in on_tokio(&runtime, many(&session, 1000)) {
            let error = got.unwrap_err();
            assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Denied, false));
            assert_eq!(error.denial().unwrap().code(), "access_denied");
        }
        world.time.advance(Duration::from_secs(24 * 60 * 60));
    }
    assert_eq!(world.sign_ins(), 1);
    assert_eq!(session.snapshot().state, State::Denied);

    session.set_credentials(credentials());
    assert!(runtime.block_on(session.access_token()).is_ok());
    assert_eq!(world.sign_ins(), 2);
}

#[test]
fn a_wrong_password_is_sent_once_for_two_hundred_threads() {
    let world = World::threads();
    let session = world.blocking_builder().with_credentials(wrong()).build();
    for thread in on_threads(200, &session, |session| session.access_token().unwrap_err().kind()) {
        assert_eq!(thread.join().unwrap(), ErrorKind::Denied);
    }
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn a_server_that_is_down_is_tried_three_times_and_found_again_when_it_is_up() {
    let closed = ClosedPort::reserve().unwrap();
    let clock = Clock::running();
    let time = VirtualTime::new(&clock, point_auth::TokioRuntime::new());
    let base = BaseUrl::parse(&format!("http://{}", closed.addr())).unwrap();
    let world = World::new();
    let client = world.client_over(HyperTransport::new().unwrap()).with_base_url(base);
    let session = point_auth::Session::builder(client)
        .with_credentials(credentials())
        .with_runtime(time.clone())
        .build();
    let runtime = runtime();
    let waiting = runtime.spawn({
        let session = session.clone();
        async move { session.access_token().await }
    });
    world.pass_until(|| {
        time.advance(Duration::from_millis(10));
        waiting.is_finished()
    });
    let error = runtime.block_on(waiting).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Connect, true));
    assert!(!error.may_have_been_sent());
    let expected =
        format!("no access token: connection to {} refused; next attempt in 1 s", closed.addr());
    assert_eq!(error.to_string(), expected);
    assert_eq!(world.control.begun(), 3);
    // At once, and nothing is sent.
    assert_eq!(runtime.block_on(session.access_token()).unwrap_err().kind(), ErrorKind::Connect);
    assert_eq!(world.control.begun(), 3);

    let port = closed.addr().port();
    drop(closed);
    let emulator =
        Emulator::builder().user(USERNAME, PASSWORD).clock(clock).port(port).start().unwrap();
    time.advance(Duration::from_secs(1));
    assert!(runtime.block_on(session.access_token()).is_ok());
    assert_eq!(emulator.count(Operation::SignIn), 1);
}

#[test]
fn a_retry_after_is_honored_and_callers_get_the_delay() {
    let world = World::new();
    let session = world.session();
    let runtime = runtime();
    world.emulator.push_fault(Fault::respond(429).header("retry-after", "120"));
    let error = runtime.block_on(session.access_token()).unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Unexpected, Some(StatusCode::TOO_MANY_REQUESTS))
    );
    let delay = error.retry_after().unwrap();
    assert!(delay >= Duration::from_secs(120) && delay <= Duration::from_secs(150), "{delay:?}");
    world.time.advance(Duration::from_secs(119));
    for got in on_tokio(&runtime, many(&session, 1000)) {
        let left = got.unwrap_err().retry_after().unwrap();
        assert_eq!(left, delay - Duration::from_secs(119));
    }
    assert_eq!(world.sign_ins(), 1);
    world.time.advance(delay - Duration::from_secs(119));
    assert!(runtime.block_on(session.access_token()).is_ok());
    assert_eq!(world.sign_ins(), 2);
}

#[test]
fn a_retry_after_may_be_a_date() {
    let world = World::new();
    let session = world.session();
    // A whole second, because a date has no fractions.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    world.emulator.clock().set(now);
    world
        .emulator
        .push_fault(Fault::respond(503).header("retry-after", "Fri, 15 Jan 2027 08:01:40 GMT"));
    let error = runtime().block_on(session.access_token()).unwrap_err();
    let delay = error.retry_after().unwrap();
    assert!(delay >= Duration::from_secs(100) && delay <= Duration::from_secs(125), "{delay:?}");
}

/// Returns a session with an hour-old token, so that the next exchange is a refresh.
fn an_hour_later() -> (World, point_auth::Session, tokio::runtime::Runtime) {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    runtime.block_on(session.access_token()).unwrap();
    world.time.advance(Duration::from_secs(3600));
    (world, session, runtime)
}

#[test]
fn a_refresh_endpoint_that_is_gone_leads_to_one_sign_in_for_a_thousand_callers() {
    let (world, session, runtime) = an_hour_later();
    world.emulator.always_for(Operation::Refresh, Fault::respond(404));
    assert!(on_tokio(&runtime, many(&session, 1000)).into_iter().all(|got| got.is_ok()));
    assert_eq!((world.sign_ins(), world.refreshes()), (2, 1));
    let counts = session.snapshot().counts;
    assert_eq!((counts.refused, counts.renewed), (1, 2));
}

#[test]
fn a_refresh_token_that_was_revoked_leads_to_one_sign_in() {
    let (world, session, runtime) = an_hour_later();
    let json = session.stored_tokens().unwrap().expose_json();
    let stored: serde_json::Value = serde_json::from_slice(json.as_ref()).unwrap();
    let refresh_token = stored["refresh_token"].as_str().unwrap();
    assert!(world.emulator.revoke(refresh_token));
    assert!(on_tokio(&runtime, many(&session, 100)).into_iter().all(|got| got.is_ok()));
    assert_eq!((world.sign_ins(), world.refreshes()), (2, 1));
}

#[test]
fn a_refresh_token_that_has_certainly_expired_is_not_sent() {
    let (world, session, runtime) = an_hour_later();
    world.time.advance(Duration::from_secs(49 * 60 * 60));
    assert!(on_tokio(&runtime, many(&session, 100)).into_iter().all(|got| got.is_ok()));
    assert_eq!((world.sign_ins(), world.refreshes()), (2, 0));
}

#[test]
fn a_temporary_failure_of_a_refresh_causes_no_sign_in() {
    let (world, session, runtime) = an_hour_later();
    world.emulator.always_for(Operation::Refresh, Fault::html(502));
    let waiting = runtime.spawn(async move { session.access_token().await });
    world.pass_until(|| waiting.is_finished());
    assert_eq!(
        runtime.block_on(waiting).unwrap().unwrap_err().status(),
        Some(StatusCode::BAD_GATEWAY)
    );
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 3));
}
