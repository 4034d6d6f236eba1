//! Exchanges run in the background, on threads or in tokio, independent of callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use point_auth::session::Now;
use point_auth::{Error, Runtime, Session, Sessions, Task, ThreadRuntime, TokioRuntime};
use point_auth_testkit::VirtualTime;

use super::support::{ByHand, Getting, Got, World, getting, many};
use super::transports::{LONG, OnThread, SmolTransport, Trick, wait_until};
use crate::support::{credentials, runtime};

fn waiters(session: &Session, count: usize) -> Vec<ByHand<Getting>> {
    let mut waiters: Vec<_> = many(session, count).into_iter().map(ByHand::new).collect();
    for waiter in &mut waiters {
        assert!(waiter.poll().is_pending());
    }
    for waiter in &waiters {
        waiter.was_woken();
    }
    waiters
}

/// Polls the woken waiters, until all have their token.
fn serve(waiters: &mut Vec<ByHand<Getting>>) -> Vec<Got> {
    let mut got = Vec::new();
    wait_until("a token for all", || {
        waiters.retain_mut(|waiter| match waiter.was_woken().then(|| waiter.poll()) {
            Some(Poll::Ready(result)) => {
                got.push(result);
                false
            }
            _ => true,
        });
        waiters.is_empty()
    });
    got
}

#[test]
fn events_of_the_exchange_wake_no_waiter_and_its_end_wakes_each_waiter_once() {
    let world = World::threads();
    let session = world.session_over(SmolTransport);
    world.control.hold();
    let mut waiters = waiters(&session, 1000);
    world.control.wait_for_in_flight(1);
    for _ in 0..100 {
        world.control.disturb();
    }
    assert!(waiters.iter().all(|waiter| !waiter.was_woken()));
    world.control.release();
    assert!(serve(&mut waiters).iter().all(Result::is_ok));
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn an_exchange_without_callers_completes_and_its_token_serves_the_next() {
    let world = World::threads();
    let session = world.session_over(SmolTransport);
    world.control.hold();
    drop(waiters(&session, 10));
    world.control.wait_for_in_flight(1);
    world.control.release();
    wait_until("the token", || session.current_token().is_some());
    assert!(pollster::block_on(getting(&session)).is_ok());
    assert_eq!((world.sign_ins(), session.snapshot().counts.abandoned), (1, 0));
}

#[test]
fn no_caller_waits_for_a_refresh_while_the_token_is_good() {
    let world = World::threads();
    let session = world.session_over(SmolTransport);
    let old = pollster::block_on(getting(&session)).unwrap();
    world.time.advance(Duration::from_secs(3500));
    world.control.hold();
    let got = many(&session, 10).into_iter().map(pollster::block_on);
    assert!(got.map(Result::unwrap).all(|token| token == old));
    world.control.wait_for_in_flight(1);
    world.control.release();
    wait_until("another token", || session.current_token().is_some_and(|token| token != old));
    assert_eq!((world.refreshes(), session.snapshot().counts.abandoned), (1, 0));
}

#[test]
fn a_caller_may_leave_at_any_poll_and_the_others_are_served_by_its_exchange() {
    for suspensions in [0, 1, 5] {
        for polls in 1..4 {
            let world = World::threads();
            let session = world.session_over(SmolTransport);
            world.control.play(Trick::Suspend(suspensions));
            let mut first = ByHand::new(getting(&session));
            for _ in 0..polls {
                if first.poll().is_ready() {
                    break;
                }
            }
            drop(first);
            assert!(pollster::block_on(getting(&session)).is_ok());
            assert_eq!(world.sign_ins(), 1, "{suspensions} suspensions, {polls} polls");
        }
    }
}

#[test]
fn an_answer_that_came_without_a_waiter_serves_the_next_caller() {
    let world = World::threads();
    let ureq = point_auth::UreqTransport::new().unwrap();
    let session = world.session_over(OnThread(Arc::new(ureq)));
    let mut first = ByHand::new(getting(&session));
    let _polled = first.poll();
    drop(first);
    assert!(world.emulator.wait_for_requests(1, LONG));
    assert!(pollster::block_on(getting(&session)).is_ok());
    assert_eq!(world.sign_ins(), 1);
}

/// Their time starts with the exchange, so that none counts as abandoned in the queue.
#[test]
fn at_most_64_exchanges_run_on_threads_at_once_and_the_others_wait_without_a_deadline() {
    let world = World::threads();
    let sessions: Vec<_> = (0..100).map(|_| world.session_over(SmolTransport)).collect();
    world.control.hold();
    let mut callers: Vec<_> =
        sessions.iter().map(|session| ByHand::new(getting(session))).collect();
    for caller in &mut callers {
        assert!(caller.poll().is_pending());
    }
    world.control.wait_for_in_flight(64);
    // Longer than an exchange may take, and longer than these callers wait.
    world.time.advance(Duration::from_secs(40));
    world.control.release();
    wait_until("a token for each session", || {
        sessions.iter().all(|session| {
            session.current_token().is_some() || {
                let snapshot = session.snapshot();
                snapshot.counts.abandoned + snapshot.counts.failed > 0
            }
        })
    });
    assert_eq!(world.control.most(), 64);
    let late: Vec<_> =
        sessions.iter().filter(|session| session.snapshot().counts.sign_ins == 1).collect();
    assert!(late.len() >= 36, "{}", late.len());
    let queued = sessions.iter().filter(|session| session.current_token().is_some()).count();
    assert!(queued >= 36, "{queued}");
}

/// Drops its tasks, like a runtime that has shut down.
#[derive(Clone, Debug)]
struct Gone {
    time: VirtualTime,
    dropped: Arc<AtomicUsize>,
}

impl Runtime for Gone {
    fn now(&self) -> Now {
        self.time.now()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        self.time.sleep_until(time)
    }

    fn spawn(&self, task: Task) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
        drop(task);
    }
}

fn gone(world: &World) -> Gone {
    Gone { time: world.time.clone(), dropped: Arc::default() }
}

fn is_not_run(error: &Error) {
    assert!(!error.may_have_been_sent(), "{error:?}");
    let said = super::support::texts(error).join(": ");
    assert!(said.contains("the runtime has shut down"), "{said}");
}

#[test]
fn callers_of_a_runtime_that_runs_nothing_get_an_error_and_nothing_is_sent() {
    let (world, runtime) = (World::threads(), runtime());
    let gone = gone(&world);
    let builder = world.builder_over(SmolTransport).with_credentials(credentials());
    let session = builder.with_runtime(gone.clone()).build();
    let waiting = runtime.spawn(getting(&session));
    world.pass_until(|| waiting.is_finished());
    is_not_run(&runtime.block_on(waiting).unwrap().unwrap_err());
    assert_eq!((world.control.begun(), gone.dropped.load(Ordering::SeqCst)), (0, 3));
}

/// Each answer leads to the next, which must not recurse.
#[test]
fn a_hundred_thousand_aliases_of_a_runtime_that_runs_nothing_do_not_overflow_the_stack() {
    let world = World::threads();
    let gone = gone(&world);
    let sessions = Sessions::builder(world.client_over(SmolTransport))
        .with_credentials(credentials())
        .with_runtime(gone.clone())
        .build();
    let mut callers: Vec<_> = (0..100_000)
        .map(|number| {
            let session = sessions.session(&format!("person-{number}")).unwrap();
            ByHand::new(getting(&session))
        })
        .collect();
    for caller in &mut callers {
        let _polled = caller.poll();
    }
    for _ in 0..3 {
        world.time.advance(Duration::from_secs(2));
        callers.retain_mut(|caller| caller.poll().is_pending());
    }
    assert!(callers.is_empty(), "{}", callers.len());
    assert_eq!(world.control.begun(), 0);
}

#[test]
fn an_exchange_runs_in_the_runtime_that_the_session_was_built_in() {
    let world = World::threads();
    let (home, other) = (runtime(), runtime());
    let session = {
        let _in_home = home.enter();
        let builder = world.builder().with_credentials(credentials());
        builder.with_runtime(VirtualTime::new(world.emulator.clock(), TokioRuntime::new())).build()
    };
    world.control.hold();
    let first = other.spawn(getting(&session));
    world.control.wait_for_in_flight(1);
    other.shutdown_background();
    drop(first);
    world.control.release();
    // From a plain thread, which is in no runtime at all.
    assert!(pollster::block_on(getting(&session)).is_ok());
    assert_eq!((world.sign_ins(), session.snapshot().counts.abandoned), (1, 0));
}

#[test]
fn clones_of_a_thread_runtime_share_their_threads() {
    let runtime = ThreadRuntime::new();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let done = Arc::new(AtomicUsize::new(0));
    for _ in 0..200 {
        let (running, most, done) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&done));
        runtime.clone().spawn(Box::pin(async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            done.fetch_add(1, Ordering::SeqCst);
        }));
    }
    wait_until("all tasks", || done.load(Ordering::SeqCst) == 200);
    assert!(most.load(Ordering::SeqCst) <= 64);
}

#[test]
fn a_task_that_panics_takes_no_thread_with_it() {
    let runtime = ThreadRuntime::new();
    let done = Arc::new(AtomicUsize::new(0));
    for _ in 0..100 {
        runtime.spawn(Box::pin(async { panic!("as the test wants it") }));
    }
    for _ in 0..100 {
        let done = Arc::clone(&done);
        runtime.spawn(Box::pin(async move {
            done.fetch_add(1, Ordering::SeqCst);
        }));
    }
    wait_until("all others", || done.load(Ordering::SeqCst) == 100);
}
