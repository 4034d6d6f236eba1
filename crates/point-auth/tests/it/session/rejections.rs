//! The API answers 401: to many at once, to an operation of a session, and to all tokens.

use std::time::Duration;

use point_auth::http::{Request, Response, StatusCode};
use point_auth::operation::{json_post, success_body};
use point_auth::session::State;
use point_auth::{BaseUrl, ErrorKind, Operation, RequestError, ResponseError, SecretBody};
use point_auth_testkit::{Fault, Operation as Route};

use super::support::{ByHand, World, getting, on_threads, on_tokio};
use crate::support::{USERNAME, runtime};

/// An operation of the user's.
struct WhoAmI;

impl Operation for WhoAmI {
    type Output = String;

    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        json_post(base, "/point-auth-emulator/whoami", SecretBody::json(&())?)
    }

    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<String, ResponseError> {
        let body = success_body(response, Self::MAX_RESPONSE_BYTES, &[])?;
        let answer: serde_json::Value = serde_json::from_slice(body).unwrap();
        Ok(answer["username"].as_str().unwrap().to_owned())
    }
}

/// Old enough for a rejection to start an exchange at once.
const OLD: Duration = Duration::from_secs(60);

#[test]
fn a_thousand_rejections_of_one_old_token_cause_one_exchange() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    let old = runtime.block_on(session.access_token()).unwrap();
    world.time.advance(OLD);
    let rejecting = (0..1000).map(|_| {
        let (session, old) = (session.clone(), old.clone());
        async move {
            session.invalidate(&old);
            session.access_token().await.unwrap()
        }
    });
    let got = on_tokio(&runtime, rejecting);
    assert!(got.iter().all(|token| *token != old && *token == got[0]));
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 1));
}

#[test]
fn only_the_first_rejection_of_a_token_wakes_the_waiters() {
    let world = World::threads();
    let session = world.session_over(super::transports::SmolTransport);
    let old = pollster::block_on(session.access_token()).unwrap();
    world.time.advance(OLD);
    world.control.hold();
    session.invalidate(&old);
    let mut waiting: Vec<_> = (0..10).map(|_| ByHand::new(getting(&session))).collect();
    assert!(waiting.iter_mut().all(|waiter| waiter.poll().is_pending()));
    let woken = |waiting: &[ByHand<_>]| waiting.iter().filter(|waiter| waiter.was_woken()).count();
    woken(&waiting);
    for _ in 0..100 {
        session.invalidate(&old);
    }
    assert_eq!(woken(&waiting), 0);
}

#[test]
fn rejections_by_two_hundred_threads_cause_one_exchange() {
    let world = World::threads();
    let session = world.blocking_session();
    let old = session.access_token().unwrap();
    world.time.advance(OLD);
    let rejected = old.clone();
    let threads = on_threads(200, &session, move |session| {
        session.invalidate(&rejected);
        session.access_token().unwrap()
    });
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() != old));
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 1));
}

#[test]
fn authorizing_replaces_the_header_and_returns_the_token() {
    let world = World::new();
    let session = world.session();
    let mut request = Request::post("/").header("authorization", "Basic old").body(()).unwrap();
    let token = runtime().block_on(session.authorize(&mut request)).unwrap();
    let all: Vec<_> = request.headers().get_all("authorization").iter().collect();
    assert_eq!(all, [&format!("Bearer {}", token.expose())[..]]);
    assert!(all[0].is_sensitive());
}

#[test]
fn a_request_is_unchanged_when_there_is_no_token() {
    let world = World::new();
    let session = world.builder().build();
    let mut request = Request::post("/").header("authorization", "Basic old").body(()).unwrap();
    let error = runtime().block_on(session.authorize(&mut request)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SignInNeeded);
    assert_eq!(request.headers()["authorization"], "Basic old");
}

#[test]
fn an_operation_is_run_once_more_with_another_token_when_the_api_rejects_the_first() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    let old = runtime.block_on(session.access_token()).unwrap();
    world.time.advance(OLD);
    assert!(world.emulator.revoke(old.expose()));
    assert_eq!(runtime.block_on(session.execute(&WhoAmI)).unwrap(), USERNAME);
    assert_eq!(world.emulator.count(Route::WhoAmI), 2);
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 1));
    // The next one has the new token from the start.
    assert_eq!(runtime.block_on(session.execute(&WhoAmI)).unwrap(), USERNAME);
    assert_eq!(world.emulator.count(Route::WhoAmI), 3);
}

#[test]
fn an_operation_without_async_is_run_once_more_too() {
    let world = World::threads();
    let session = world.blocking_session();
    let old = session.access_token().unwrap();
    world.time.advance(OLD);
    assert!(world.emulator.revoke(old.expose()));
    assert_eq!(session.execute(&WhoAmI).unwrap(), USERNAME);
    assert_eq!(world.emulator.count(Route::WhoAmI), 2);
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 1));
}

#[test]
fn the_second_rejection_is_returned() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    runtime.block_on(session.access_token()).unwrap();
    world.time.advance(OLD);
    world.emulator.always_for(Route::WhoAmI, Fault::respond(401));
    let error = runtime.block_on(session.execute(&WhoAmI)).unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Unexpected, Some(StatusCode::UNAUTHORIZED))
    );
    assert!(error.as_session().is_none());
    assert_eq!(world.emulator.count(Route::WhoAmI), 2);
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 1));
    // That token is invalidated too, and a backoff delays the request for the next one.
    assert_eq!((session.current_token(), session.snapshot().state), (None, State::BackingOff));
    assert_eq!(
        runtime.block_on(session.access_token()).unwrap_err().kind(),
        ErrorKind::UselessToken
    );
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 1));
    world.emulator.clear_faults();
    world.time.advance(Duration::from_secs(1));
    assert_eq!(runtime.block_on(session.execute(&WhoAmI)).unwrap(), USERNAME);
}

#[test]
fn a_rejection_is_returned_when_there_is_no_other_token() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    world.emulator.always_for(Route::WhoAmI, Fault::respond(401));
    for _ in 0..10 {
        // The first with a young token, the others in the backoff that follows or with the next
        // one.
        let error = runtime.block_on(session.execute(&WhoAmI)).unwrap_err();
        assert!(
            error.status() == Some(StatusCode::UNAUTHORIZED)
                || error.kind() == ErrorKind::UselessToken
        );
    }
    assert_eq!(world.emulator.count(Route::WhoAmI), 1);
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 0));
}

/// A thousand callers run operations against an API that rejects everything for ten minutes.
#[test]
fn an_api_that_rejects_every_token_causes_no_storm() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    world.emulator.always_for(Route::WhoAmI, Fault::respond(401));
    for _ in 0..600 {
        let calls = (0..5).map(|_| {
            let session = session.clone();
            async move { session.execute(&WhoAmI).await.is_err() }
        });
        assert!(on_tokio(&runtime, calls).into_iter().all(|failed| failed));
        world.time.advance(Duration::from_secs(1));
    }
    let exchanges = world.sign_ins() + world.refreshes();
    assert!(exchanges <= 20, "{exchanges}");
}

#[test]
fn anything_but_a_401_is_returned_at_once() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    for status in [403, 500] {
        world.emulator.push_fault_for(Route::WhoAmI, Fault::respond(status));
        let error = runtime.block_on(session.execute(&WhoAmI)).unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
    }
    assert_eq!(world.emulator.count(Route::WhoAmI), 2);
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 0));
}

#[test]
fn a_refused_operation_differs_from_a_denied_sign_in() {
    let refusal = r#"{"error": "insufficient_scope", "error_description": "not for you"}"#;
    let denial = r#"{"error": "access_denied", "error_description": "who is that?"}"#;
    for status in [400, 403] {
        let (world, runtime) = (World::new(), runtime());
        let session = world.session();
        world.emulator.push_fault_for(Route::WhoAmI, Fault::respond(status).json(refusal));
        let error = runtime.block_on(session.execute(&WhoAmI)).unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Refused, false), "{status}");
        assert_eq!(error.denial().unwrap().code(), "insufficient_scope");
        assert_eq!(error.status().unwrap().as_u16(), status);

        let world = World::new();
        let session = world.session();
        world.emulator.push_fault_for(Route::SignIn, Fault::respond(status).json(denial));
        let error = runtime.block_on(session.execute(&WhoAmI)).unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Denied, false), "{status}");
        assert_eq!(error.denial().unwrap().code(), "access_denied");
    }
}

#[test]
fn a_server_that_repeats_the_token_is_not_quoted() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    let token = runtime.block_on(session.access_token()).unwrap();
    let body =
        format!(r#"{{"error":"access_denied","error_description":"not with {}"}}"#, token.expose());
    world.emulator.always_for(Route::WhoAmI, Fault::respond(403).json(body));
    let error = runtime.block_on(session.execute(&WhoAmI)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let said = format!("{error} {error:?}");
    assert!(!said.contains(token.expose()) && said.contains("withheld"), "{said}");
}
