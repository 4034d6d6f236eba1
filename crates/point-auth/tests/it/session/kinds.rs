//! The errors of a session, alike for every transport; its snapshot; and the secrets that neither
//! shows.

use std::time::Duration;

use point_auth::session::{ExchangeKind, State};
use point_auth::{
    BaseUrl, Error, ErrorKind, HyperTransport, ReqwestTransport, Session, SessionBuilder, Sessions,
    blocking,
};
use point_auth_testkit::{Certificate, Emulator, Fault, Operation};

use super::support::{ByHand, World, getting, texts};
use crate::support::{PASSWORD, USERNAME, credentials, emulator, runtime, settings};

/// The visible facts of an error.
type Seen = (ErrorKind, bool, Option<u16>, bool, bool, String);

fn seen(error: &Error, world: &World) -> Seen {
    (
        error.kind(),
        error.is_retryable(),
        error.status().map(|status| status.as_u16()),
        error.denial().is_some(),
        error.retry_after().is_some(),
        // Each emulator has a port of its own.
        error.to_string().replace(&world.emulator.addr().to_string(), "ADDRESS"),
    )
}

/// Returns the error of a session, and checks that it is equal over all adapters.
fn fails_alike(fault: &Fault) -> Seen {
    let mut all = Vec::new();
    let asynchronous = |build: &dyn Fn(&World) -> SessionBuilder| {
        let (world, runtime) = (World::new(), runtime());
        world.emulator.always(fault.clone());
        let session = build(&world).with_credentials(credentials()).build();
        let waiting = runtime.spawn(getting(&session));
        world.pass_until(|| waiting.is_finished());
        seen(&runtime.block_on(waiting).unwrap().unwrap_err(), &world)
    };
    all.push(asynchronous(&|world| world.builder_over(HyperTransport::new().unwrap())));
    all.push(asynchronous(&|world| world.builder_over(ReqwestTransport::new().unwrap())));
    let world = World::threads();
    world.emulator.always(fault.clone());
    let session = world.blocking_session();
    let thread = std::thread::spawn(move || session.access_token());
    world.pass_until(|| thread.is_finished());
    all.push(seen(&thread.join().unwrap().unwrap_err(), &world));
    assert!(all.iter().all(|one| *one == all[0]), "{all:#?}");
    all.swap_remove(0)
}

#[test]
fn a_denial_is_equal_over_all_adapters() {
    let denial =
        Fault::respond(403).json(r#"{"error": "access_denied", "error_description": "no"}"#);
    let (kind, retryable, status, denied, backs_off, _) = fails_alike(&denial);
    assert_eq!((kind, retryable, status), (ErrorKind::Denied, false, Some(403)));
    assert!(denied && !backs_off);
}

#[test]
fn answers_of_a_gateway_are_equal_over_all_adapters() {
    for (status, may_pass) in [(302, false), (404, false), (429, true), (502, true), (504, true)] {
        let (kind, retryable, seen, denied, backs_off, text) = fails_alike(&Fault::html(status));
        assert_eq!((kind, retryable, seen), (ErrorKind::Unexpected, may_pass, Some(status)));
        assert!(!denied && backs_off);
        let expected = format!(
            "no access token: unexpected answer: status {status}, not JSON (text/html; charset=utf-8); \
             next attempt in 1 s"
        );
        assert_eq!(text, expected);
    }
}

#[test]
fn a_malformed_answer_is_equal_over_all_adapters() {
    let (kind, retryable, ..) = fails_alike(&Fault::respond(200).json("{}"));
    assert_eq!((kind, retryable), (ErrorKind::Malformed, false));
}

#[test]
fn a_token_that_has_expired_on_arrival_is_equal_over_all_adapters() {
    let ended = r#"{"access_token": "a", "expires_in": 0}"#;
    let (kind, retryable, ..) = fails_alike(&Fault::respond(200).json(ended));
    assert_eq!((kind, retryable), (ErrorKind::UselessToken, true));
}

#[test]
fn an_answer_that_is_too_large_or_cut_off_is_equal_over_all_adapters() {
    let (kind, retryable, .., text) = fails_alike(&Fault::respond(200).endless_body());
    assert_eq!((kind, retryable), (ErrorKind::TooLarge, false));
    let expected = "no access token: response from ADDRESS is too large; next attempt in 1 s";
    assert_eq!(text, expected);
    let (kind, retryable, .., text) = fails_alike(&Fault::close_after_request());
    assert_eq!((kind, retryable), (ErrorKind::Protocol, true));
    let expected = "no access token: connection to ADDRESS closed before the response was complete; \
                    next attempt in 1 s";
    assert_eq!(text, expected);
}

/// Returns the error of a session whose server is this emulator, with TLS.
fn fails_over_tls(emulator: Emulator, trusted: &Emulator) -> (Error, usize) {
    let (world, runtime) = (World::of(emulator, point_auth::TokioRuntime::new()), runtime());
    let transport = HyperTransport::with_settings(&settings(trusted)).unwrap();
    let port = world.emulator.addr().port();
    let base = BaseUrl::parse(&format!("https://127.0.0.1:{port}")).unwrap();
    let client = world.client_over(transport).with_base_url(base);
    let builder = Session::builder(client).with_runtime(world.time.clone());
    let session = builder.with_credentials(credentials()).build();
    let waiting = runtime.spawn(getting(&session));
    world.pass_until(|| waiting.is_finished());
    let error = runtime.block_on(waiting).unwrap().unwrap_err();
    // It keeps trying nevertheless.
    let begun = world.control.begun();
    world.time.advance(error.retry_after().unwrap());
    let waiting = runtime.spawn(getting(&session));
    world.pass_until(|| waiting.is_finished());
    runtime.block_on(waiting).unwrap().unwrap_err();
    (error, world.control.begun() - begun)
}

#[test]
fn permanent_failures_are_not_retryable_but_the_session_keeps_trying() {
    let trusted = emulator();
    let builder = || Emulator::builder().user(USERNAME, PASSWORD);
    let untrusted = builder().tls(Certificate::UnknownCa).start().unwrap();
    let plain = builder().start().unwrap();
    for (emulator, expected) in [
        (untrusted, "no access token: certificate of ADDRESS is not trusted; next attempt in 1 s"),
        (plain, "no access token: ADDRESS does not speak TLS; next attempt in 1 s"),
    ] {
        let address = emulator.addr().to_string();
        let (error, tried) = fails_over_tls(emulator, &trusted);
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Tls, false));
        assert!(!error.may_have_been_sent());
        assert_eq!(error.to_string().replace(&address, "ADDRESS"), expected);
        assert!(tried > 0);
    }
}

#[test]
fn a_caller_that_times_out_gets_the_last_failure() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    world.emulator.push_fault(Fault::respond(503));
    let waiting = {
        let session = session.clone();
        runtime.spawn(async move { session.access_token_within(Duration::from_millis(50)).await })
    };
    world.pass_until(|| waiting.is_finished());
    let error = runtime.block_on(waiting).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Timeout, true));
    let expected = "no access token in time: unexpected answer: status 503, not JSON";
    assert_eq!(texts(&error), [expected]);
}

#[test]
fn a_session_without_credentials_has_its_own_error() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.builder().build();
    let error = runtime.block_on(session.access_token()).unwrap_err();
    let expected = "no access token: there are no credentials and no good refresh token";
    assert_eq!(texts(&error), [expected]);
}

#[test]
fn a_snapshot_shows_the_state() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    let snapshot = session.snapshot();
    assert_eq!(
        (snapshot.state, snapshot.in_flight, snapshot.token_left),
        (State::Waiting, None, None)
    );

    world.control.hold();
    let waiting = runtime.spawn(getting(&session));
    world.control.wait_for_in_flight(1);
    let snapshot = session.snapshot();
    assert_eq!((snapshot.state, snapshot.in_flight), (State::Waiting, Some(ExchangeKind::SignIn)));
    assert_eq!(snapshot.counts.sign_ins, 1);
    world.control.release();
    runtime.block_on(waiting).unwrap().unwrap();

    world.time.advance(Duration::from_secs(100));
    let snapshot = session.snapshot();
    assert_eq!((snapshot.state, snapshot.token_age), (State::Good, Some(Duration::from_secs(100))));
    assert_eq!(snapshot.token_left, Some(Duration::from_secs(3600 - 100 - 5)));
    assert!(
        snapshot.has_refresh_token
            && snapshot.next_look.is_some()
            && snapshot.last_failure.is_none()
    );

    world.emulator.push_fault_for(Operation::Refresh, Fault::respond(503));
    world.time.advance(Duration::from_secs(3440));
    runtime.block_on(session.access_token()).unwrap();
    super::transports::wait_until("the failure", || session.snapshot().counts.failed == 1);
    let snapshot = session.snapshot();
    assert_eq!(snapshot.state, State::Renewing);
    assert!(snapshot.backoff_until.is_some() && snapshot.last_failure.is_some());
    assert_eq!((snapshot.counts.refreshes, snapshot.counts.renewed), (1, 1));
}

#[test]
fn nothing_shows_a_secret() {
    let emulator = Emulator::builder().user(USERNAME, PASSWORD).start().unwrap();
    let world = World::of(emulator, point_auth::TokioRuntime::new());
    let runtime = runtime();
    let builder = world.builder().with_credentials(credentials());
    let mut shown = format!("{builder:?}");
    let session: Session = builder.build();
    let token = runtime.block_on(session.access_token()).unwrap();
    let stored = session.stored_tokens().unwrap();
    let json: serde_json::Value = serde_json::from_slice(stored.expose_json().as_ref()).unwrap();
    shown += &format!("{session:?} {session:#?} {:?} {token:?} {stored:?}", session.snapshot());
    let sessions: Sessions = world.sessions_builder().with_credentials(credentials()).build();
    runtime.block_on(sessions.access_token("jane")).unwrap();
    shown +=
        &format!("{sessions:?} {:?}", world.sessions_builder().with_credentials(credentials()));
    let threads = World::threads();
    let builder = threads.blocking_builder().with_credentials(credentials());
    shown += &format!("{builder:?}");
    let session: blocking::Session = builder.build();
    session.access_token().unwrap();
    shown += &format!("{session:?} {:?}", session.snapshot());

    for fault in [
        Fault::respond(403)
            .json(format!(r#"{{"error": "{PASSWORD}", "error_description": "{PASSWORD}?"}}"#)),
        Fault::respond(500).header("content-type", format!("text/{PASSWORD}")).body(PASSWORD),
        Fault::raw(format!("HTTP/1.1 {PASSWORD}\r\n\r\n")),
    ] {
        let (world, fault) = (World::new(), fault);
        world.emulator.always(fault);
        let session = world.session();
        let waiting = runtime.spawn(getting(&session));
        world.pass_until(|| waiting.is_finished());
        let error = runtime.block_on(waiting).unwrap().unwrap_err();
        shown += &format!("{error} {error:?} {error:#?} {:?}", session.snapshot());
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            shown += &format!("{error} {error:?}");
            cause = error.source();
        }
    }
    let refresh_token = json["refresh_token"].as_str().unwrap();
    for secret in [PASSWORD, token.expose(), refresh_token] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn sessions_and_their_results_are_send_and_sync() {
    fn is_send_and_sync<T: Send + Sync + Clone + 'static>() {}
    is_send_and_sync::<Session>();
    is_send_and_sync::<Sessions>();
    is_send_and_sync::<blocking::Session>();
    is_send_and_sync::<blocking::Sessions>();
    let world = World::new();
    let session = world.session();
    world.control.hold();
    // Without a task, as a future that any executor may poll.
    let _in_runtime = runtime();
    let _guard = _in_runtime.enter();
    assert!(ByHand::new(session.access_token()).poll().is_pending());
}
