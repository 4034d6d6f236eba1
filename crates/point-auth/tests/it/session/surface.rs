//! What a caller gets besides the token: its expiry, the duration of an exchange, a wait through an
//! outage.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use point_auth::session::Outcome;
use point_auth::{BaseUrl, Client, Credentials, ErrorKind, HyperTransport, Observer, Session};
use point_auth_testkit::Fault;

use super::support::World;
use super::transports::{LONG, wait_until};
use crate::support::{USERNAME, credentials, runtime};

#[test]
fn a_token_comes_with_its_expiry_on_the_wall_clock() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    assert!(session.current_lease().is_none());
    let asked_at = world.emulator.clock().now();
    let lease = runtime.block_on(session.lease()).unwrap();
    assert_eq!(lease.expires_at, asked_at + Duration::from_secs(3600));
    let current = session.current_lease().unwrap();
    assert_eq!((current.token, current.expires_at), (lease.token, lease.expires_at));

    let world = World::threads();
    let session = world.blocking_session();
    let lease = session.lease().unwrap();
    assert_eq!(lease.expires_at, world.emulator.clock().now() + Duration::from_secs(3600));
    assert_eq!(session.access_token().unwrap(), lease.token);
}

/// An hour from now on the clock of this process, which is more than the session needs.
fn in_an_hour() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

#[test]
fn a_batch_job_waits_through_an_outage_up_to_its_deadline() {
    let (world, runtime) = (World::new(), runtime());
    let session = world.session();
    world.emulator.always(Fault::respond(503));
    let waiting = runtime.spawn({
        let session = session.clone();
        async move { session.access_token_by(in_an_hour()).await }
    });
    // Several rounds, and the backoff after each of them.
    world.pass_until(|| session.snapshot().counts.failed >= 9);
    assert!(!waiting.is_finished());
    world.emulator.clear_faults();
    world.pass_until(|| waiting.is_finished());
    assert!(runtime.block_on(waiting).unwrap().is_ok());
}

#[test]
fn a_batch_job_gets_the_last_error_at_its_deadline() {
    let world = World::threads();
    let session = world.blocking_session();
    world.emulator.always(Fault::respond(503));
    let deadline = Instant::now() + Duration::from_secs(30);
    let waiting = std::thread::spawn({
        let session = session.clone();
        move || session.access_token_by(deadline)
    });
    let passed = world.pass_until(|| waiting.is_finished());
    let error = waiting.join().unwrap().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unexpected | ErrorKind::Timeout), "{error}");
    // Minus the time that this process needed.
    assert!(passed > Duration::from_secs(20) && passed < Duration::from_secs(40), "{passed:?}");
}

#[test]
fn a_batch_job_does_not_wait_where_waiting_does_not_help() {
    let (world, runtime) = (World::new(), runtime());
    let wrong = Credentials::new(USERNAME, "wrong").unwrap();
    let session = world.builder().with_credentials(wrong).build();
    // No time passes.
    let error = runtime.block_on(session.access_token_by(in_an_hour())).unwrap_err();
    assert_eq!((error.kind(), world.sign_ins()), (ErrorKind::Denied, 1));
}

#[derive(Clone, Default)]
struct Times(Arc<Mutex<Vec<Duration>>>);

impl Observer for Times {
    fn exchange_ended(&self, _: Option<&str>, outcome: &Outcome) {
        self.0.lock().unwrap().push(outcome.took());
    }
}

#[test]
fn an_observer_gets_the_duration_of_an_exchange() {
    let (world, runtime, times) = (World::new(), runtime(), Times::default());
    let builder = world.builder().with_credentials(credentials());
    let session = builder.with_observer(times.clone()).build();
    world.control.hold();
    let waiting = runtime.spawn(super::support::getting(&session));
    world.control.wait_for_in_flight(1);
    world.time.advance(Duration::from_secs(7));
    world.control.release();
    runtime.block_on(waiting).unwrap().unwrap();
    wait_until("the observer", || !times.0.lock().unwrap().is_empty());
    assert_eq!(*times.0.lock().unwrap(), [Duration::from_secs(7)]);
}

/// Counts the panics of threads with this name.
fn panics_of(name: &'static str) -> Arc<AtomicUsize> {
    static HOOK: Once = Once::new();
    static NAMES: Mutex<Vec<(&str, Arc<AtomicUsize>)>> = Mutex::new(Vec::new());
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            let names = NAMES.lock().unwrap();
            let own = names.iter().find(|(name, _)| thread.name() == Some(name));
            if let Some((_, count)) = own {
                count.fetch_add(1, Ordering::SeqCst);
            }
            drop(names);
            before(info);
        }));
    });
    let count = Arc::new(AtomicUsize::new(0));
    NAMES.lock().unwrap().push((name, Arc::clone(&count)));
    count
}

/// A program built with `panic = "abort"` would end.
#[test]
fn a_caller_in_a_runtime_that_has_shut_down_gets_an_error_and_nothing_panics() {
    const NAME: &str = "in a runtime that has shut down";
    let panics = panics_of(NAME);
    let world = World::new();
    let base_url = BaseUrl::parse(&world.emulator.base_url()).unwrap();
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let session = {
        let _inside = handle.enter();
        let client = Client::new(HyperTransport::new().unwrap()).with_base_url(base_url);
        Session::new(client, credentials())
    };
    drop(runtime);
    let began = Instant::now();
    let caller = std::thread::Builder::new().name(NAME.to_owned());
    let caller = caller.spawn(move || {
        let _inside = handle.enter();
        pollster::block_on(session.access_token()).unwrap_err()
    });
    let error = caller.unwrap().join().unwrap();
    assert!(!error.may_have_been_sent() && error.to_string().contains("the runtime"), "{error}");
    assert!(began.elapsed() < LONG);
    assert_eq!((panics.load(Ordering::SeqCst), world.sign_ins()), (0, 0));
}
