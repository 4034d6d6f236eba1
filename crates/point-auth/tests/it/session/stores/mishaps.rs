//! What goes wrong between a session and its store.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use point_auth::session::{Now, Policy};
use point_auth::token_store::{AnyStore, Intent, Known, Owner, SharedTokens, Verdict};
use point_auth::{Credentials, MemoryStore, Runtime, Session, StoreKey, Task, TokioRuntime};
use point_auth_testkit::Emulator;

use super::{RUNTIME, Store, all, process, process_with};
use crate::session::support::{World, getting};
use crate::support::{PASSWORD, USERNAME, credentials, runtime};

fn owner(user_alias: Option<&str>) -> Owner<'_> {
    Owner { username: USERNAME, user_alias }
}

/// Knows how many tasks are running.
#[derive(Clone, Debug)]
struct Counted {
    inner: TokioRuntime,
    running: Arc<AtomicUsize>,
}

impl Runtime for Counted {
    fn now(&self) -> Now {
        self.inner.now()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        self.inner.sleep_until(time)
    }

    fn spawn(&self, task: Task) {
        let running = Arc::clone(&self.running);
        running.fetch_add(1, Ordering::SeqCst);
        self.inner.spawn(Box::pin(async move {
            task.await;
            running.fetch_sub(1, Ordering::SeqCst);
        }));
    }
}

#[test]
fn a_reset_is_passed_on_once_however_many_sessions_ask() {
    let tokio = runtime();
    let running = Arc::<AtomicUsize>::default();
    let inner = TokioRuntime::of(tokio.handle().clone());
    let emulator = Emulator::builder().user(USERNAME, PASSWORD).start().unwrap();
    let world = World::of(emulator, Counted { inner, running: Arc::clone(&running) });
    let store = Store::new(&world);
    let builder = world.sessions_builder().with_credentials(credentials());
    let sessions = builder.with_store(store.clone()).build();
    let ask = |alias: &'static str| {
        let sessions = sessions.clone();
        tokio.spawn(async move { sessions.access_token(alias).await })
    };
    for alias in ["ann", "bob"] {
        let asking = ask(alias);
        world.pass_until(|| asking.is_finished() && running.load(Ordering::SeqCst) == 0);
    }
    world.time.advance(Duration::from_secs(3700));
    let (commands, changes) = (store.commands(), store.login_changes());
    store.hold(true);
    sessions.reset();
    let both = ["ann", "bob"].map(ask);
    // The second one either asks the store as well, or ends since the first one has asked. Time
    // stands still.
    loop {
        let asked = store.commands() - commands;
        if asked == 2 || (asked == 1 && running.load(Ordering::SeqCst) == 1) {
            break;
        }
        world.control.rest();
    }
    store.hold(false);
    world.pass_until(|| both.iter().all(tokio::task::JoinHandle::is_finished));
    for asking in both {
        tokio.block_on(asking).unwrap().unwrap();
    }
    // Refreshes do not change the login's value.
    assert_eq!(store.login_changes() - changes, 1);
}

/// Time that panics once when it is asked for, or whose wall clock is set back.
#[derive(Clone)]
struct Faulty {
    world: point_auth_testkit::VirtualTime,
    panics: Arc<AtomicBool>,
    /// In seconds.
    behind: Arc<AtomicU64>,
}

impl Runtime for Faulty {
    fn now(&self) -> Now {
        assert!(!self.panics.swap(false, Ordering::SeqCst), "as the test wants it");
        let Now { monotonic, wall, .. } = self.world.now();
        Now::new(monotonic, wall - Duration::from_secs(self.behind.load(Ordering::SeqCst)))
    }

    fn sleep_until(&self, time: Duration) -> Task {
        self.world.sleep_until(time)
    }

    fn spawn(&self, task: Task) {
        self.world.spawn(task);
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").finish_non_exhaustive()
    }
}

#[test]
fn a_permit_is_given_back_when_its_job_ends_before_anything_was_sent() {
    let world = World::new();
    let panics = Arc::<AtomicBool>::default();
    let store = Store::new(&world);
    let behind = Arc::default();
    let faulty = Faulty { world: world.time.clone(), panics: Arc::clone(&panics), behind };
    let one = world.builder().with_runtime(faulty).with_credentials(credentials());
    let one = one.with_store(store.clone()).build();
    let tokio = runtime();
    store.hold(true);
    let commands = store.commands();
    let asking = tokio.spawn(getting(&one));
    while store.commands() == commands {
        world.control.rest();
    }
    // The next question for the time comes after the store has granted the sign-in.
    panics.store(true, Ordering::SeqCst);
    store.hold(false);
    while panics.load(Ordering::SeqCst) {
        world.control.rest();
    }
    // The permit would last for 42 seconds.
    let sessions = [process(&world, &store)];
    let other = RUNTIME.spawn(getting(&sessions[0]));
    let passed = world.pass_until(|| other.is_finished());
    RUNTIME.block_on(other).unwrap().unwrap();
    assert!(passed < Duration::from_secs(10), "{passed:?}");
    world.pass_until(|| asking.is_finished());
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn what_a_sign_in_gave_reaches_a_store_that_has_failed_for_a_moment() {
    let wrong = Credentials::new(USERNAME, "a wrong password").unwrap();
    for (credentials, is_right) in [(credentials(), true), (wrong, false)] {
        let world = World::new();
        let store = Store::new(&world);
        let session = |credentials: &Credentials| {
            process_with(&world, &store, Credentials::clone(credentials))
        };
        let one = session(&credentials);
        world.control.hold();
        let asking = RUNTIME.spawn(getting(&one));
        world.control.wait_for_in_flight(1);
        store.breaks();
        world.control.release();
        world.pass_until(|| asking.is_finished());
        world.pass(Duration::from_secs(3));
        store.works();
        // No caller asks the first process again, and its permit has ended by then.
        world.pass(Duration::from_secs(60));
        let got = all(&world, &[session(&credentials)]).remove(0);
        assert_eq!(got.is_ok(), is_right, "{:?}", got.err());
        assert_eq!(world.sign_ins(), 1, "with the right password: {is_right}");
    }
}

#[test]
fn questions_to_the_store_do_not_bunch_up_when_a_permit_is_about_to_end() {
    let world = World::new();
    // The store's clock, in milliseconds.
    let clock = Arc::new(AtomicU64::new(1_000_000));
    let read = Arc::clone(&clock);
    let inner = MemoryStore::new().unwrap();
    let inner = inner.with_clock(move || Duration::from_millis(read.load(Ordering::SeqCst)));
    let store = Store::over(inner.clone());
    let shared = SharedTokens::new(AnyStore::blocking(inner), &world.base_url(), Policy::default());
    let wall = world.time.now().wall;
    let right = credentials();
    let asking = shared.consult(owner(None), Intent::SignIn(&right), Known::default(), wall);
    let Verdict::Granted(_held) = pollster::block_on(asking).unwrap().verdict else {
        panic!("the first one is not granted")
    };
    // One millisecond is left, and it does not pass.
    clock.fetch_add(41_999, Ordering::SeqCst);
    let session = process(&world, &store);
    let task = RUNTIME.spawn(getting(&session));
    world.pass(Duration::from_secs(5));
    assert!(!task.is_finished());
    let asked = store.commands();
    assert!((10..=60).contains(&asked), "{asked} questions in five seconds");
    task.abort();
}

#[test]
fn refreshes_are_put_off_in_each_life_while_the_store_is_down() {
    const PROCESSES: usize = 60;
    let world = World::new();
    let store = Store::new(&world);
    let sessions: Vec<Session> = (0..PROCESSES).map(|_| process(&world, &store)).collect();
    assert!(all(&world, &sessions).iter().all(Result::is_ok));
    world.pass(Duration::from_secs(1));
    store.breaks();
    for life in 0..3 {
        // All of them are within their window, and the tokens are good for another 140 seconds.
        world.time.advance(Duration::from_secs(3600 - 141));
        assert!(all(&world, &sessions).iter().all(Result::is_ok));
        world.pass(Duration::from_secs(1));
        let at_once = world.refreshes() - life * PROCESSES;
        assert!(at_once <= PROCESSES / 4, "{at_once} at once in life {life}");
        // By then each of them is due.
        world.time.advance(Duration::from_secs(85));
        assert!(all(&world, &sessions).iter().all(Result::is_ok));
        world.pass(Duration::from_secs(1));
        assert_eq!(world.refreshes(), (life + 1) * PROCESSES);
    }
}

#[test]
fn a_clock_that_is_set_back_while_the_store_is_asked_makes_no_token_younger() {
    let world = World::new();
    let store = Store::new(&world);
    all(&world, &[process(&world, &store)])[0].as_ref().unwrap();
    world.pass(Duration::from_secs(1));
    world.time.advance(Duration::from_secs(3000));
    let behind = Arc::<AtomicU64>::default();
    let faulty =
        Faulty { world: world.time.clone(), panics: Arc::default(), behind: Arc::clone(&behind) };
    let clock = faulty.clone();
    let other = world.builder().with_runtime(faulty).with_credentials(credentials());
    let other = other.with_store(store.clone()).build();
    let commands = store.commands();
    store.hold(true);
    let asking = RUNTIME.spawn(getting(&other));
    while store.commands() == commands {
        world.control.rest();
    }
    behind.store(2700, Ordering::SeqCst);
    store.hold(false);
    world.pass_until(|| asking.is_finished());
    RUNTIME.block_on(asking).unwrap().unwrap();
    assert_eq!(world.sign_ins(), 1);
    let lease = other.current_lease().unwrap();
    let left = lease.expires_at.duration_since(clock.now().wall).unwrap();
    assert!(left <= Duration::from_secs(600), "{left:?}");
}

#[test]
fn a_store_that_has_lost_everything_makes_no_denied_process_send_its_password_again() {
    let world = World::new();
    let store = Store::new(&world);
    let wrong = Credentials::new(USERNAME, "a wrong password").unwrap();
    let sessions: Vec<_> = (0..3).map(|_| process_with(&world, &store, wrong.clone())).collect();
    // All of them know of a reset, and of the denial after it.
    sessions[0].reset();
    for _ in 0..6 {
        assert!(all(&world, &sessions).iter().all(Result::is_err));
        world.time.advance(Duration::from_secs(60));
        world.pass(Duration::from_secs(1));
    }
    let sent = world.sign_ins();
    store.inner.clear();
    for _ in 0..5 {
        assert!(all(&world, &sessions).iter().all(Result::is_err));
        world.time.advance(Duration::from_secs(100));
        world.pass(Duration::from_secs(1));
    }
    // Also none that has just started, since they have told the store.
    let late = process_with(&world, &store, wrong);
    assert!(all(&world, &[late])[0].is_err());
    assert_eq!(world.sign_ins(), sent);
}

/// Those that have seen the password accepted go on without the store, but not all at once.
#[test]
fn proven_passwords_are_spread_over_minutes_while_the_store_is_down() {
    const PROCESSES: usize = 20;
    let world = World::new();
    let store = Store::new(&world);
    let sessions: Vec<_> = (0..PROCESSES).map(|_| process(&world, &store)).collect();
    for session in &sessions {
        // Each of them signs in itself.
        store.inner.clear();
        all(&world, std::slice::from_ref(session))[0].as_ref().unwrap();
        world.pass(Duration::from_secs(1));
    }
    assert_eq!(world.sign_ins(), PROCESSES);
    store.breaks();
    // The refresh tokens have ended as well.
    world.time.advance(Duration::from_secs(50 * 3600));
    let mut waiting: Vec<_> = sessions
        .iter()
        .map(|session| {
            let session = session.clone();
            let limit = Duration::from_secs(200);
            RUNTIME.spawn(async move { session.access_token_within(limit).await })
        })
        .collect();
    world.pass(Duration::from_secs(12));
    let soon = world.sign_ins() - PROCESSES;
    assert!(soon <= PROCESSES / 2, "{soon} in the first seconds");
    world.pass_until(|| waiting.iter().all(tokio::task::JoinHandle::is_finished));
    for task in waiting.drain(..) {
        RUNTIME.block_on(task).unwrap().unwrap();
    }
    assert_eq!(world.sign_ins(), 2 * PROCESSES);
}

#[test]
fn a_store_that_hangs_holds_no_caller_longer_than_its_own_limit() {
    let world = World::new();
    let store = Store::new(&world);
    store.hold(true);
    let session = process(&world, &store);
    let task = RUNTIME.spawn({
        let session = session.clone();
        async move { session.access_token_within(Duration::from_millis(500)).await }
    });
    let waited = world.pass_until(|| task.is_finished());
    assert_eq!(RUNTIME.block_on(task).unwrap().unwrap_err().kind(), point_auth::ErrorKind::Timeout);
    assert!(waited <= Duration::from_millis(600), "{waited:?}");
    // Without a limit of its own it hears of the store after a few questions of two seconds each.
    let task = RUNTIME.spawn(getting(&session));
    let waited = world.pass_until(|| task.is_finished());
    let error = RUNTIME.block_on(task).unwrap().unwrap_err();
    assert!(error.to_string().contains("the token store took too long"), "{error}");
    assert!(waited <= Duration::from_secs(8), "{waited:?}");
    assert_eq!(world.sign_ins(), 0);
}

#[test]
fn a_rotation_of_the_key_causes_no_sign_in() {
    let world = World::new();
    let old = StoreKey::generate().unwrap();
    let text = old.expose();
    let (index, old_ring) = text.split_once(':').unwrap();
    let new = StoreKey::generate().unwrap().expose();
    let (_, new_ring) = new.split_once(':').unwrap();
    let key = |ring: &str| StoreKey::parse(&format!("{index}:{ring}")).unwrap();
    let time = world.time.clone();
    let store = MemoryStore::with_key(&old).with_clock(move || time.now().monotonic);
    // First all learn to read the new one, then all write it, then the old one goes.
    let rings = [
        old_ring.to_owned(),
        format!("{old_ring},{new_ring}"),
        format!("{new_ring},{old_ring}"),
        new_ring.to_owned(),
    ];
    for (number, ring) in rings.iter().enumerate() {
        let store = Store::over(store.with_other_key(&key(ring)));
        let session = [process(&world, &store)];
        all(&world, &session)[0].as_ref().unwrap();
        world.time.advance(Duration::from_secs(3700));
        all(&world, &session)[0].as_ref().unwrap();
        world.pass(Duration::from_secs(1));
        assert_eq!((world.sign_ins(), world.refreshes()), (1, number + 1));
    }
}
