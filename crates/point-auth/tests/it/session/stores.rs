//! Sessions of several processes that share their tokens in a store.

mod histories;
mod mishaps;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::Duration;

use point_auth::session::{ExchangeKind, Outcome};
use point_auth::token_store::{
    EntryName, Loaded, Seals, StoreError, Swapped, TokenStore, blocking as contract,
};
use point_auth::transport::async_trait;
use point_auth::{
    AccessToken, BoxError, CredentialSource, Credentials, Error, ErrorKind, MemoryStore, Observer,
    Session, Sessions, StoreEvent, blocking,
};

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::support::{ByHand, World, getting};
use crate::support::{USERNAME, credentials, runtime};

/// A store of this process that can fail, and counts what it is asked.
#[derive(Clone)]
pub(super) struct Store {
    inner: MemoryStore,
    is_down: Arc<AtomicBool>,
    commands: Arc<AtomicUsize>,
    /// Changes of the login's value that were done.
    login_changes: Arc<AtomicUsize>,
    is_held: Arc<watch::Sender<bool>>,
}

impl Store {
    pub(super) fn new(world: &World) -> Self {
        let time = world.time.clone();
        let clock = move || point_auth::Runtime::now(&time).monotonic;
        let inner = MemoryStore::new().unwrap().with_clock(clock);
        Self::over(inner)
    }

    fn over(inner: MemoryStore) -> Self {
        let (is_down, is_held) = (Arc::default(), Arc::default());
        Self { inner, is_down, is_held, commands: Arc::default(), login_changes: Arc::default() }
    }

    pub(super) fn breaks(&self) {
        self.is_down.store(true, Ordering::SeqCst);
    }

    fn works(&self) {
        self.is_down.store(false, Ordering::SeqCst);
    }

    fn commands(&self) -> usize {
        self.commands.load(Ordering::SeqCst)
    }

    /// Whether it answers only when this ends.
    fn hold(&self, is_held: bool) {
        self.is_held.send_replace(is_held);
    }

    fn login_changes(&self) -> usize {
        self.login_changes.load(Ordering::SeqCst)
    }

    async fn asked(&self) -> Result<(), StoreError> {
        self.commands.fetch_add(1, Ordering::SeqCst);
        let mut is_held = self.is_held.subscribe();
        let _was_released = is_held.wait_for(|is_held| !is_held).await;
        match self.is_down.load(Ordering::SeqCst) {
            true => Err(StoreError::new("connection refused")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl TokenStore for Store {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        self.asked().await?;
        contract::TokenStore::load(&self.inner, name)
    }

    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        self.asked().await?;
        let swapped = contract::TokenStore::swap(&self.inner, name, expected, value, keep_for)?;
        if swapped.done && name.entry() == "login" {
            self.login_changes.fetch_add(1, Ordering::SeqCst);
        }
        Ok(swapped)
    }

    fn seals(&self) -> &Seals {
        contract::TokenStore::seals(&self.inner)
    }
}

fn process(world: &World, store: &Store) -> Session {
    process_with(world, store, credentials())
}

fn process_with(world: &World, store: &Store, credentials: Credentials) -> Session {
    world.builder().with_credentials(credentials).with_store(store.clone()).build()
}

fn wrong() -> Credentials {
    Credentials::new(USERNAME, "a wrong password").unwrap()
}

/// One for all calls: it also runs what goes on behind callers that have their token.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(runtime);

/// Lets one caller of each session get a token.
fn all(world: &World, sessions: &[Session]) -> Vec<Result<AccessToken, Error>> {
    let tasks: Vec<_> = sessions.iter().map(|session| RUNTIME.spawn(getting(session))).collect();
    world.pass_until(|| tasks.iter().all(tokio::task::JoinHandle::is_finished));
    tasks.into_iter().map(|task| RUNTIME.block_on(task).unwrap()).collect()
}

#[test]
fn a_hundred_processes_sign_in_once_and_refresh_once_in_a_life() {
    let world = World::new();
    let store = Store::new(&world);
    let sessions: Vec<_> = (0..100).map(|_| process(&world, &store)).collect();
    let first = all(&world, &sessions);
    assert!(first.iter().all(Result::is_ok), "{:?}", first.iter().find(|one| one.is_err()));
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 0));
    for life in 1..=5 {
        world.time.advance(Duration::from_secs(3600));
        let next = all(&world, &sessions);
        assert!(next.iter().all(Result::is_ok), "{:?}", next.iter().find(|one| one.is_err()));
        let tokens: Vec<_> = next.into_iter().map(Result::unwrap).collect();
        assert!(tokens.windows(2).all(|two| two[0] == two[1]), "they have different tokens");
        assert_eq!((world.sign_ins(), world.refreshes()), (1, life));
    }
}

#[test]
fn a_wrong_password_is_sent_once_by_all_processes() {
    let world = World::new();
    let store = Store::new(&world);
    let sessions: Vec<_> = (0..100).map(|_| process_with(&world, &store, wrong())).collect();
    for got in all(&world, &sessions) {
        assert_eq!(got.unwrap_err().kind(), ErrorKind::Denied);
    }
    assert_eq!(world.sign_ins(), 1);
    // Also not by those that start later.
    let later = [process_with(&world, &store, wrong())];
    assert_eq!(all(&world, &later)[0].as_ref().unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn a_wrong_password_is_sent_three_times_with_many_aliases_in_many_processes() {
    let (world, runtime) = (World::new(), runtime());
    let store = Store::new(&world);
    let processes: Vec<Sessions> = (0..4)
        .map(|_| {
            let builder = world.sessions_builder().with_credentials(wrong());
            builder.with_store(store.clone()).build()
        })
        .collect();
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let sessions = processes[number % 4].clone();
            runtime.spawn(async move { sessions.access_token(&format!("alias-{number}")).await })
        })
        .collect();
    world.pass_until(|| tasks.iter().all(tokio::task::JoinHandle::is_finished));
    let mut denied = 0;
    for task in tasks {
        let error = runtime.block_on(task).unwrap().unwrap_err();
        match error.kind() {
            ErrorKind::Denied => denied += 1,
            ErrorKind::Held | ErrorKind::Timeout => {}
            other => panic!("{other:?}: {error}"),
        }
    }
    assert_eq!((world.sign_ins(), denied), (3, 3));
}

#[test]
fn aliases_of_two_processes_share_their_tokens() {
    let (world, runtime) = (World::new(), runtime());
    let store = Store::new(&world);
    for _ in 0..2 {
        let builder = world.sessions_builder().with_credentials(credentials());
        let sessions = builder.with_store(store.clone()).build();
        for alias in ["ann", "bob"] {
            let sessions = sessions.clone();
            let task = runtime.spawn(async move { sessions.access_token(alias).await });
            world.pass_until(|| task.is_finished());
            runtime.block_on(task).unwrap().unwrap();
        }
    }
    assert_eq!(world.sign_ins(), 2);
}

#[test]
fn blocking_sessions_share_them_too() {
    let world = World::threads();
    let store = Store::new(&world);
    let one = world
        .blocking_builder()
        .with_credentials(credentials())
        .with_store(store.inner.clone())
        .build();
    let first = one.access_token().unwrap();
    let other: blocking::Session =
        world.blocking_builder().with_credentials(credentials()).with_store(store.inner).build();
    let second = std::thread::spawn(move || other.access_token());
    world.pass_until(|| second.is_finished());
    assert_eq!(second.join().unwrap().unwrap(), first);
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn reading_a_good_token_does_not_ask_the_store() {
    let world = World::new();
    let store = Store::new(&world);
    let session = process(&world, &store);
    all(&world, std::slice::from_ref(&session))[0].as_ref().unwrap();
    // What came of the sign-in is told to the store after the callers have their token.
    world.pass(Duration::from_secs(1));
    let commands = store.commands();
    for _ in 0..100 {
        assert!(session.current_token().is_some());
    }
    assert_eq!(store.commands(), commands);
}

#[test]
fn a_401_seen_by_one_process_leads_to_one_refresh_and_the_others_take_it_up() {
    let world = World::new();
    let store = Store::new(&world);
    let sessions: Vec<_> = (0..10).map(|_| process(&world, &store)).collect();
    let old = all(&world, &sessions)[0].as_ref().unwrap().clone();
    world.time.advance(Duration::from_secs(60));
    for session in &sessions {
        session.invalidate(&old);
        let new = all(&world, std::slice::from_ref(session));
        assert_ne!(*new[0].as_ref().unwrap(), old);
    }
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 1));
}

#[test]
fn a_reset_in_one_process_reaches_the_others() {
    let world = World::new();
    let store = Store::new(&world);
    let (one, other) =
        (process_with(&world, &store, wrong()), process_with(&world, &store, wrong()));
    for session in [&one, &other] {
        assert!(all(&world, std::slice::from_ref(session))[0].is_err());
    }
    assert_eq!(world.sign_ins(), 1);
    assert!(world.emulator.change_password(USERNAME, "a wrong password"));
    one.reset();
    let token = all(&world, std::slice::from_ref(&one))[0].as_ref().unwrap().clone();
    // The other one finds out at a call, and its next one is served.
    world.time.advance(Duration::from_secs(120));
    let _is_denied_still = all(&world, std::slice::from_ref(&other));
    world.pass(Duration::from_secs(1));
    assert_eq!(*all(&world, std::slice::from_ref(&other))[0].as_ref().unwrap(), token);
    assert_eq!(world.sign_ins(), 2);
}

/// A source that says whose credentials it has, and counts how often it is asked for them.
struct Vault(Arc<AtomicUsize>);

#[async_trait]
impl CredentialSource for Vault {
    async fn credentials(&self) -> Result<Credentials, BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(credentials())
    }

    fn owner(&self) -> Option<(String, Option<String>)> {
        Some((USERNAME.to_owned(), None))
    }
}

#[test]
fn tokens_of_another_process_are_found_before_a_source_is_asked() {
    let world = World::new();
    let store = Store::new(&world);
    let asked = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let builder = world.builder().with_credential_source(Vault(Arc::clone(&asked)));
        let sessions = [builder.with_store(store.clone()).build()];
        all(&world, &sessions)[0].as_ref().unwrap();
        world.pass(Duration::from_secs(1));
    }
    assert_eq!((asked.load(Ordering::SeqCst), world.sign_ins()), (1, 1));
}

#[derive(Clone, Default)]
struct Events(Arc<AtomicUsize>);

impl Observer for Events {
    fn exchange_ended(&self, _: Option<&str>, _: &Outcome) {}

    fn store_event(&self, _: Option<&str>, event: &StoreEvent) {
        if matches!(event, StoreEvent::Unavailable(_)) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[test]
fn while_the_store_is_down_tokens_live_on_and_refreshes_go_on() {
    let world = World::new();
    let store = Store::new(&world);
    let events = Events::default();
    let builder = world.builder().with_credentials(credentials()).with_store(store.clone());
    let session = builder.with_observer(events.clone()).build();
    let sessions = [session];
    all(&world, &sessions)[0].as_ref().unwrap();
    world.pass(Duration::from_secs(1));
    store.breaks();
    assert!(sessions[0].current_token().is_some());
    for life in 1..=3 {
        world.time.advance(Duration::from_secs(3600));
        all(&world, &sessions)[0].as_ref().unwrap();
        assert_eq!((world.sign_ins(), world.refreshes()), (1, life));
    }
    assert!(events.0.load(Ordering::SeqCst) > 0);
    store.works();
    world.time.advance(Duration::from_secs(3600));
    all(&world, &sessions)[0].as_ref().unwrap();
    world.pass(Duration::from_secs(1));
    // Another process finds the tokens there.
    all(&world, &[process(&world, &store)])[0].as_ref().unwrap();
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 4));
}

#[test]
fn while_the_store_is_down_each_process_refreshes_once_a_life_and_not_all_at_once() {
    const PROCESSES: usize = 60;
    let world = World::new();
    let store = Store::new(&world);
    let sessions: Vec<_> = (0..PROCESSES).map(|_| process(&world, &store)).collect();
    assert!(all(&world, &sessions).iter().all(Result::is_ok));
    world.pass(Duration::from_secs(1));
    store.breaks();
    world.time.advance(Duration::from_secs(3_295));
    let (mut before, mut busiest) = (world.refreshes(), 0);
    // Every ten seconds there is a caller everywhere, until the tokens have ended.
    for _ in 0..31 {
        assert!(all(&world, &sessions).iter().all(Result::is_ok));
        // No exchange is in flight when time jumps.
        world.pass(Duration::from_secs(1));
        busiest = busiest.max(world.refreshes() - before);
        before = world.refreshes();
        world.time.advance(Duration::from_secs(9));
    }
    println!("{before} refreshes of {PROCESSES} processes, at most {busiest} in ten seconds");
    assert_eq!((world.sign_ins(), before), (1, PROCESSES));
    assert!(busiest <= PROCESSES / 4, "{busiest} at once");
}

#[test]
fn a_password_that_is_not_proven_waits_for_the_store() {
    let world = World::new();
    let store = Store::new(&world);
    store.breaks();
    let sessions = [process(&world, &store)];
    let error = all(&world, &sessions).remove(0).unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(error.to_string(), "no access token: the token store failed; next attempt in 1 s");
    assert_eq!(world.sign_ins(), 0);
    let builder = world.builder().with_credentials(credentials()).with_store(store.clone());
    let sessions = [builder.with_sign_in_during_store_outage().build()];
    let runtime = runtime();
    let deadline = std::time::Instant::now() + Duration::from_secs(600);
    let session = sessions[0].clone();
    let task = runtime.spawn(async move { session.access_token_by(deadline).await });
    world.pass_until(|| task.is_finished());
    runtime.block_on(task).unwrap().unwrap();
    assert_eq!(world.sign_ins(), 1);
}

/// A store that holds back what came of an exchange.
#[derive(Clone)]
struct Gated {
    inner: MemoryStore,
    has_begun: Arc<AtomicBool>,
    is_asked: Arc<AtomicBool>,
    is_open: Arc<AtomicBool>,
}

impl Observer for Gated {
    fn exchange_began(&self, _: Option<&str>, _: ExchangeKind, _: u32) {
        self.has_begun.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl TokenStore for Gated {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        contract::TokenStore::load(&self.inner, name)
    }

    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        if self.has_begun.load(Ordering::SeqCst) {
            self.is_asked.store(true, Ordering::SeqCst);
            while !self.is_open.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
        }
        contract::TokenStore::swap(&self.inner, name, expected, value, keep_for)
    }

    fn seals(&self) -> &Seals {
        contract::TokenStore::seals(&self.inner)
    }
}

/// A program that ends as soon as it has its token would leave an attempt behind that counts as one
/// with unknown outcome, and after three of them no program would sign in.
#[test]
fn a_caller_is_woken_once_the_store_knows_what_came_of_the_exchange() {
    let (world, runtime) = (World::new(), runtime());
    let _entered = runtime.enter();
    let store = Gated {
        inner: MemoryStore::new().unwrap(),
        has_begun: Arc::default(),
        is_asked: Arc::default(),
        is_open: Arc::default(),
    };
    let builder = world.builder().with_credentials(credentials()).with_observer(store.clone());
    let session = builder.with_store(store.clone()).build();
    let mut caller = ByHand::new(session.access_token());
    assert!(caller.poll().is_pending());
    world.pass_until(|| store.is_asked.load(Ordering::SeqCst));
    assert!(!caller.was_woken());
    store.is_open.store(true, Ordering::SeqCst);
    world.pass_until(|| caller.was_woken());
    assert!(matches!(caller.poll(), Poll::Ready(Ok(_))));
}
