//! The background refresh, which keeps a token fresh without callers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use point_auth::session::{Now, State};
use point_auth::{Credentials, Runtime, Session, Task};
use point_auth_testkit::{Fault, VirtualTime};

use super::support::{Executor, World, getting};
use super::transports::{SmolTransport, wait_until};
use crate::support::{USERNAME, credentials, runtime};

/// Lets a day pass in steps of 20 s, and checks at each step that the token is good and that no
/// task has anything to do.
fn a_day(world: &World, session: impl Fn() -> (State, Option<Duration>)) {
    wait_until("the first token", || session().0 == State::Good);
    for step in 0..24 * 60 * 3 {
        let (state, left) = session();
        assert!(
            left.is_some_and(|left| left > Duration::from_secs(60)),
            "step {step}: {left:?}, {state:?}"
        );
        world.time.advance(Duration::from_secs(20));
        wait_until("the background refresh to sleep", || {
            world.time.sleepers() > 0
                && world.control.in_flight() == 0
                && session().0 == State::Good
        });
    }
    assert_eq!(world.sign_ins(), 1);
    let refreshes = world.refreshes();
    assert!((24..=26).contains(&refreshes), "{refreshes}");
}

#[test]
fn a_token_stays_good_through_a_day_without_callers() {
    for executor in [Executor::Tokio, Executor::Smol] {
        let world = executor.world();
        let session = world.session_over(executor.transport());
        let keeping = session.keep_fresh();
        let refreshing = std::thread::spawn(move || executor.run([keeping]));
        a_day(&world, || (session.snapshot().state, session.snapshot().token_left));
        drop(session);
        refreshing.join().unwrap();
    }
}

#[test]
fn a_thread_keeps_it_good_too() {
    let world = World::threads();
    let session = world.blocking_session();
    let keeping = session.clone();
    let refreshing = std::thread::spawn(move || keeping.keep_fresh());
    a_day(&world, || (session.snapshot().state, session.snapshot().token_left));
    let other = session.clone();
    drop(session);
    assert!(!refreshing.is_finished());
    drop(other);
    refreshing.join().unwrap();
}

#[test]
fn it_ends_with_the_last_session_whatever_it_is_doing() {
    for world in [World::new(), World::threads()] {
        for is_held in [false, true] {
            let session = world.session();
            if is_held {
                world.control.hold();
            }
            let (runtime, begun) = (runtime(), world.control.begun());
            let refreshing = runtime.spawn(session.keep_fresh());
            wait_until("an exchange", || world.control.begun() > begun);
            if !is_held {
                wait_until("a token", || session.current_token().is_some());
            }
            let other = session.clone();
            drop(session);
            assert!(!refreshing.is_finished());
            drop(other);
            runtime.block_on(refreshing).unwrap();
            world.control.release();
        }
    }
}

#[test]
fn it_survives_a_denial_and_continues_with_other_credentials() {
    for world in [World::new(), World::threads()] {
        let wrong = Credentials::new(USERNAME, "incorrect horse").unwrap();
        let session = world.builder().with_credentials(wrong).build();
        let runtime = runtime();
        let refreshing = runtime.spawn(session.keep_fresh());
        wait_until("the denial", || session.snapshot().state == State::Denied);
        for _ in 0..100 {
            wait_until("the background refresh to sleep", || world.time.sleepers() > 0);
            world.time.advance(Duration::from_secs(60));
        }
        assert_eq!(world.sign_ins(), 1);
        session.set_credentials(credentials());
        wait_until("a token", || session.current_token().is_some());
        assert!(!refreshing.is_finished());
        drop(session);
        runtime.block_on(refreshing).unwrap();
    }
}

/// An action that runs once, and after how many clock reads.
type Hook = (usize, Box<dyn FnOnce() + Send>);

/// A clock that runs an action once, at a given read.
#[derive(Clone)]
struct Hooked {
    time: VirtualTime,
    hook: Arc<Mutex<Option<Hook>>>,
}

impl Runtime for Hooked {
    fn now(&self) -> Now {
        let mut hook = self.hook.lock().unwrap();
        let due = match &mut *hook {
            Some((0, _)) => hook.take(),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        drop(hook);
        if let Some((_, happens)) = due {
            happens();
        }
        self.time.now()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        self.time.sleep_until(time)
    }

    fn spawn(&self, task: Task) {
        self.time.spawn(task);
    }
}

impl std::fmt::Debug for Hooked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.time.fmt(f)
    }
}

/// Time stands still, so that only the change itself can wake it.
#[test]
fn a_change_between_its_check_and_its_wait_is_not_missed() {
    for moment in 0..6 {
        let world = World::new();
        let wrong = Credentials::new(USERNAME, "incorrect horse").unwrap();
        let hooked = Hooked { time: world.time.clone(), hook: Arc::default() };
        let session = world.builder().with_credentials(wrong).with_runtime(hooked.clone()).build();
        let runtime = runtime();
        assert!(runtime.block_on(session.access_token()).is_err());
        let changed = session.clone();
        let happens = Box::new(move || changed.set_credentials(credentials()));
        *hooked.hook.lock().unwrap() = Some((moment, happens));
        let refreshing = runtime.spawn(session.keep_fresh());
        wait_until("a token, or that it sleeps", || {
            session.current_token().is_some()
                || world.time.sleepers() > 0 && world.control.in_flight() == 0
        });
        // Runs the action if it has not run yet.
        let late = hooked.hook.lock().unwrap().take();
        if let Some((_, happens)) = late {
            happens();
        }
        wait_until("a token", || session.current_token().is_some());
        drop(session);
        runtime.block_on(refreshing).unwrap();
    }
}

#[test]
fn it_survives_a_server_that_is_down_for_an_hour() {
    let world = World::new();
    let session = world.session();
    let runtime = runtime();
    let refreshing = runtime.spawn(session.keep_fresh());
    wait_until("a token", || session.current_token().is_some());
    world.emulator.always(Fault::respond(503));
    for _ in 0..360 {
        world.time.advance(Duration::from_secs(20));
        wait_until("the background refresh to sleep", || {
            world.time.sleepers() > 0 && world.control.in_flight() == 0
        });
    }
    world.pass_until(|| session.snapshot().state == State::BackingOff);
    world.emulator.clear_faults();
    world.pass_until(|| session.current_token().is_some());
    drop(session);
    runtime.block_on(refreshing).unwrap();
}

/// A caller has started the refresh and is not polled any more. The background refresh, which has
/// started none itself, completes it.
#[test]
fn it_completes_a_refresh_that_a_caller_has_started() {
    let world = World::threads();
    let session: Session = world.session_over(SmolTransport);
    let keeping = session.keep_fresh();
    let refreshing = std::thread::spawn(move || smol::block_on(keeping));
    wait_until("a token", || session.current_token().is_some());
    let old = session.current_token().unwrap();
    wait_until("the background refresh to sleep", || world.time.sleepers() > 0);
    session.invalidate(&old);
    // It was young, so nothing may be sent yet.
    assert_eq!(session.snapshot().state, State::BackingOff);
    world.control.hold();
    world.pass_until(|| world.control.in_flight() == 1);
    let mut first = super::support::ByHand::new(getting(&session));
    assert!(first.poll().is_pending());
    world.control.release();
    wait_until("the next token", || session.current_token().is_some_and(|token| token != old));
    assert_eq!(world.sign_ins() + world.refreshes(), 2);
    drop(first);
    drop(session);
    refreshing.join().unwrap();
}

/// At each clock read, from the first to the last before it waits.
#[test]
fn it_ends_when_the_last_session_is_dropped_at_any_moment() {
    for reads in 0..100 {
        let world = World::threads();
        let hook = Arc::new(Mutex::new(None));
        let time = Hooked { time: world.time.clone(), hook: Arc::clone(&hook) };
        let builder = world.builder().with_credentials(credentials());
        let session = builder.with_runtime(time).build();
        world.control.hold();
        let mut keeping = super::support::ByHand::new(session.keep_fresh());
        *hook.lock().unwrap() = Some((reads, Box::new(move || drop(session))));
        let is_over = keeping.poll().is_ready();
        // Dropped without the lock, because it reads the clock.
        let left = hook.lock().unwrap().take();
        if left.is_some() {
            assert!(reads > 1, "{reads}");
            return;
        }
        assert!(is_over || (keeping.was_woken() && keeping.poll().is_ready()), "{reads} reads");
        world.control.release();
    }
    panic!("it never waits");
}
