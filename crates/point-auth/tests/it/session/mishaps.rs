//! Faults beyond the server: a panic, a runtime that is shut down, a session that is dropped during
//! an exchange.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use point_auth::session::{Now, Outcome, Policy, StoredTokens};
use point_auth::transport::async_trait;
use point_auth::{
    BoxError, Client, CredentialSource, Credentials, ErrorKind, Observer, Runtime, Session, Task,
    TokioRuntime, blocking,
};
use point_auth_testkit::VirtualTime;

use super::support::{ByHand, World, getting, many, on_threads, on_tokio, single_thread, texts};
use super::transports::{LONG, SmolTransport, Steered, Trick, wait_until};
use crate::support::{credentials, runtime};

/// Panics at each notification.
#[derive(Clone, Default)]
struct Panicking(Arc<AtomicUsize>);

impl Observer for Panicking {
    fn exchange_ended(&self, _: Option<&str>, _: &Outcome) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("as the test wants it");
    }

    fn tokens_changed(&self, _: Option<&str>, _: Option<&StoredTokens>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("as the test wants it");
    }
}

/// Its sign-in may have been sent, so that there is one more, a second later.
#[test]
fn a_transport_that_panics_costs_one_exchange_and_blocks_no_caller() {
    for world in [World::new(), World::threads()] {
        let session = world.session_over(SmolTransport);
        world.control.play(Trick::Panic);
        let runtime = runtime();
        let waiting: Vec<_> =
            many(&session, 100).into_iter().map(|one| runtime.spawn(one)).collect();
        world.pass_until(|| waiting.iter().all(tokio::task::JoinHandle::is_finished));
        for one in waiting {
            assert!(runtime.block_on(one).unwrap().is_ok());
        }
        assert_eq!((world.control.begun(), world.sign_ins()), (2, 1));
        assert_eq!(session.snapshot().counts.abandoned, 1);
    }
}

/// Each may have counted, so the error has the reason.
#[test]
fn callers_get_an_error_for_a_transport_that_panics_again_and_again() {
    for world in [World::new(), World::threads()] {
        let session = world.session_over(SmolTransport);
        (0..3).for_each(|_| world.control.play(Trick::Panic));
        let runtime = runtime();
        let waiting = runtime.spawn(getting(&session));
        world.pass_until(|| waiting.is_finished());
        let error = runtime.block_on(waiting).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
        assert!(error.is_retryable() && error.may_have_been_sent());
        assert_eq!(
            texts(&error),
            ["no access token: request to the server failed: it panicked; next attempt in 600 s"]
        );
        // And no part of the panic message.
        assert!(!format!("{error:?}").contains("as the test wants it"));
    }
}

#[test]
fn a_blocking_transport_that_panics_blocks_no_caller() {
    let world = World::threads();
    let session = world.blocking_session();
    world.control.play(Trick::Panic);
    let threads = on_threads(50, &session, blocking::Session::access_token);
    world.pass_until(|| threads.iter().all(std::thread::JoinHandle::is_finished));
    assert!(threads.into_iter().all(|thread| thread.join().unwrap().is_ok()));
    assert_eq!((world.control.begun(), world.sign_ins()), (2, 1));
}

#[test]
fn an_observer_that_panics_affects_no_caller() {
    for world in [World::new(), World::threads()] {
        let observer = Panicking::default();
        let session =
            world.builder().with_credentials(credentials()).with_observer(observer.clone()).build();
        let runtime = runtime();
        assert!(on_tokio(&runtime, many(&session, 100)).iter().all(Result::is_ok));
        wait_until("both", || observer.0.load(Ordering::SeqCst) == 2);
        world.time.advance(Duration::from_secs(3600));
        assert!(on_tokio(&runtime, many(&session, 100)).iter().all(Result::is_ok));
        wait_until("both again", || observer.0.load(Ordering::SeqCst) == 4);
        session.invalidate(&session.current_token().unwrap());
        wait_until("the change", || observer.0.load(Ordering::SeqCst) == 5);
    }
}

#[test]
fn callers_of_another_runtime_continue_when_the_sending_one_is_shut_down() {
    let world = World::new();
    let session = world.session();
    let (one, other) = (runtime(), runtime());
    world.control.hold();
    let first = one.spawn(getting(&session));
    world.control.wait_for_in_flight(1);
    let waiting: Vec<_> =
        many(&session, 100).into_iter().map(|caller| other.spawn(caller)).collect();
    wait_until("101 who sleep", || world.time.sleepers() >= 101);
    one.shutdown_background();
    drop(first);
    world.control.wait_for_in_flight(0);
    world.control.release();
    let passed = world.pass_until(|| waiting.iter().all(tokio::task::JoinHandle::is_finished));
    for caller in waiting {
        assert!(other.block_on(caller).unwrap().is_ok());
    }
    assert!(
        passed >= Duration::from_millis(900),
        "a sign-in that may have counted was sent again: {passed:?}"
    );
    assert_eq!(world.control.begun(), 2);
}

/// The task of the exchange is dropped before its first poll.
#[test]
fn callers_continue_when_the_sending_runtime_never_polled() {
    let world = World::new();
    let session = world.session();
    let one = single_thread();
    let mut first = ByHand::new(getting(&session));
    one.block_on(async { assert!(first.poll().is_pending()) });
    let other = runtime();
    let waiting: Vec<_> =
        many(&session, 100).into_iter().map(|caller| other.spawn(caller)).collect();
    wait_until("all to sleep", || world.time.sleepers() >= 100);
    drop(one);
    world.pass_until(|| waiting.iter().all(tokio::task::JoinHandle::is_finished));
    for caller in waiting {
        assert!(other.block_on(caller).unwrap().is_ok());
    }
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn a_session_serves_two_runtimes_of_tokio_one_of_smol_and_a_plain_thread_at_once() {
    let (one, other) = (runtime(), single_thread());
    // Exchanges run in the first of them.
    let world = {
        let _in_one = one.enter();
        World::new()
    };
    let session = world.session_over(SmolTransport);
    let mut tokens = Vec::new();
    for hour in 1..=3 {
        let on_one: Vec<_> =
            many(&session, 50).into_iter().map(|caller| one.spawn(caller)).collect();
        let on_smol: Vec<_> = many(&session, 50).into_iter().map(smol::spawn).collect();
        let on_thread = std::thread::spawn({
            let caller = getting(&session);
            move || pollster::block_on(caller).unwrap()
        });
        let mut got: Vec<_> =
            on_tokio(&other, many(&session, 50)).into_iter().map(Result::unwrap).collect();
        got.push(on_thread.join().unwrap());
        for caller in on_one {
            got.push(one.block_on(caller).unwrap().unwrap());
        }
        for caller in on_smol {
            got.push(smol::block_on(caller).unwrap());
        }
        assert!(got.iter().all(|token| *token == got[0]));
        assert_eq!(world.sign_ins() + world.refreshes(), hour);
        tokens.push(got.swap_remove(0));
        world.time.advance(Duration::from_secs(3600));
    }
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2]);
}

#[test]
fn a_session_that_is_dropped_during_an_exchange_leaves_nothing_behind() {
    for is_asleep in [false, true] {
        let world = World::threads();
        let steered = Steered { inner: SmolTransport, control: Arc::clone(&world.control) };
        let transport = Arc::new(steered);
        let probe = Arc::downgrade(&transport);
        let client = Client::new(transport).with_base_url(world.base_url());
        let session = Session::builder(client)
            .with_credentials(credentials())
            .with_runtime(world.time.clone())
            .build();
        if is_asleep {
            // Between two attempts.
            world.emulator.always(point_auth_testkit::Fault::respond(500));
        } else {
            world.control.hold();
        }
        let mut first = ByHand::new(getting(&session));
        assert!(first.poll().is_pending());
        if is_asleep {
            wait_until("the failure", || session.snapshot().counts.failed == 1);
        } else {
            world.control.wait_for_in_flight(1);
        }
        drop(first);
        drop(session);
        // The request that was sent completes, and nothing follows it.
        world.control.release();
        world.pass_until(|| probe.upgrade().is_none());
        wait_until("the last timer", || world.time.sleepers() == 0);
        assert_eq!((world.control.in_flight(), world.control.begun()), (0, 1));
    }
}

#[test]
fn a_session_that_is_kept_fresh_leaves_nothing_behind_either() {
    let world = World::threads();
    let transport = Arc::new(Steered { inner: SmolTransport, control: Arc::clone(&world.control) });
    let probe = Arc::downgrade(&transport);
    let client = Client::new(transport).with_base_url(world.base_url());
    let session = Session::builder(client)
        .with_credentials(credentials())
        .with_runtime(world.time.clone())
        .build();
    world.control.hold();
    let mut keeping = ByHand::new(session.keep_fresh());
    assert!(keeping.poll().is_pending());
    world.control.wait_for_in_flight(1);
    drop(session);
    assert!(keeping.was_woken() && keeping.poll().is_ready());
    drop(keeping);
    world.control.release();
    wait_until("its end", || probe.upgrade().is_none());
}

/// No task can send, and none wakes the sleepers.
#[test]
fn callers_in_a_runtime_that_was_shut_down_get_an_error_and_no_panic() {
    let world = World::new();
    let runtime = runtime();
    let handle = runtime.handle().clone();
    drop(runtime);
    let policy = Policy::builder().with_attempts(1).build().unwrap();
    let builder =
        world.builder_over(SmolTransport).with_credentials(credentials()).with_policy(policy);
    let session = builder.with_runtime(TokioRuntime::new()).build();
    let _in_runtime = handle.enter();
    let error = pollster::block_on(session.access_token()).unwrap_err();
    assert!(error.is_retryable() && !error.may_have_been_sent(), "{error:?}");
    assert_eq!(world.control.begun(), 0);
}

/// Uses a session when a value from it is dropped.
#[derive(Clone, Debug, Default)]
struct Curious(Arc<Mutex<Option<Session>>>);

impl Curious {
    fn asks(&self) {
        let session = self.0.lock().unwrap().clone();
        if let Some(session) = session {
            let _snapshot = session.snapshot();
        }
    }
}

impl std::fmt::Display for Curious {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("curious")
    }
}

impl std::error::Error for Curious {}

impl Drop for Curious {
    fn drop(&mut self) {
        self.asks();
    }
}

struct FailsCuriously(Arc<Mutex<Option<Session>>>);

#[async_trait]
impl CredentialSource for FailsCuriously {
    async fn credentials(&self) -> Result<Credentials, BoxError> {
        Err(Box::new(Curious(Arc::clone(&self.0))))
    }
}

/// Runs it on a separate thread, and fails if it hangs.
fn without_a_deadlock(what: &str, run: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        run();
        sender.send(()).unwrap();
    });
    assert!(receiver.recv_timeout(LONG).is_ok(), "{what} hangs");
}

#[test]
fn an_error_of_a_source_may_use_the_session_when_it_is_dropped() {
    for world in [World::new(), World::threads()] {
        let slot = Arc::new(Mutex::new(None));
        let source = FailsCuriously(Arc::clone(&slot));
        let session = world.builder_over(SmolTransport).with_credential_source(source).build();
        *slot.lock().unwrap() = Some(session.clone());
        let time = world.time.clone();
        let runtime = runtime();
        without_a_deadlock("a session that drops errors", move || {
            for _ in 0..3 {
                let waiting = runtime.spawn(getting(&session));
                wait_until("the error", || {
                    time.advance(Duration::from_millis(10));
                    waiting.is_finished()
                });
                assert!(runtime.block_on(waiting).unwrap().is_err());
                time.advance(Duration::from_secs(60));
            }
            session.reset();
            session.set_credentials(credentials());
            // Without virtual time: a real exchange takes real time, and no caller's timeout may
            // pass meanwhile.
            let waiting = runtime.spawn(getting(&session));
            assert!(runtime.block_on(waiting).unwrap().is_ok());
        });
        let taken = slot.lock().unwrap().take();
        drop(taken);
    }
}

/// A runtime that uses the session whenever it is used, but not recursively.
#[derive(Clone, Debug)]
struct CuriousTime {
    time: VirtualTime,
    curious: Curious,
    asks: Arc<AtomicUsize>,
}

impl Runtime for CuriousTime {
    fn now(&self) -> Now {
        if self.asks.fetch_add(1, Ordering::SeqCst) == 0 {
            self.curious.asks();
        }
        self.asks.fetch_sub(1, Ordering::SeqCst);
        self.time.now()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        self.time.sleep_until(time)
    }

    fn spawn(&self, task: Task) {
        self.curious.asks();
        self.time.spawn(task);
    }
}

#[test]
fn a_runtime_may_use_the_session_when_it_is_called() {
    let world = World::threads();
    let slot = Arc::new(Mutex::new(None));
    let time = CuriousTime {
        time: world.time.clone(),
        curious: Curious(Arc::clone(&slot)),
        asks: Arc::default(),
    };
    let builder = world.builder_over(SmolTransport).with_credentials(credentials());
    let session = builder.with_runtime(time).build();
    *slot.lock().unwrap() = Some(session.clone());
    without_a_deadlock("a curious time", move || {
        let token = pollster::block_on(session.access_token()).unwrap();
        let stored = session.stored_tokens().unwrap();
        assert!(session.current_token().is_some());
        session.invalidate(&token);
        session.reset();
        session.restore(stored).unwrap();
        session.set_credentials(credentials());
        assert!(pollster::block_on(session.access_token()).is_ok());
        session.snapshot();
    });
    let taken = slot.lock().unwrap().take();
    drop(taken);
}
