//! [`Fleet`] and [`Worker`]: processes that share tokens over the store. A check moves their time
//! on, has replies get lost, and looks at what reaches the store.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use point_auth_core::http::StatusCode;
use point_auth_core::session::{Policy, SignInResult, StoredTokens};
use point_auth_core::{BaseUrl, Credentials, Denial};
use point_auth_store::{
    Announced, AnyStore, Consultation, EntryName, Fence, Grant, Intent, Known, Loaded, NewerTokens,
    Owner, Seals, Settled, Settlement, SharedTokens, StoreError, Swapped, TokenStore, Verdict,
};

use super::bench::{Bench, Handle};
use super::violation::Violation;
use crate::server_thread::lock;

/// Processes with one login.
pub(super) struct Fleet<'a> {
    bench: &'a Bench<'a>,
    pub(super) world: Arc<World>,
    pub(super) username: String,
}

/// What happens to all processes of a fleet.
#[derive(Default)]
pub(super) struct World {
    /// So many seconds more than have passed in the store.
    later: AtomicU64,
    loses_next_reply: AtomicBool,
    written: Mutex<Vec<Vec<u8>>>,
    /// Where the processes wait for each other after their first load.
    meeting: Mutex<Option<Arc<Barrier>>>,
}

/// One process.
pub(super) struct Worker {
    pub(super) handle: Handle,
    shared: SharedTokens,
    username: String,
    pub(super) known: Known,
    /// Its wall clock, which is its own.
    pub(super) wall: SystemTime,
}

impl<'a> Fleet<'a> {
    pub(super) fn new(bench: &'a Bench<'a>) -> Self {
        Self { bench, world: Arc::default(), username: bench.username("canary-user") }
    }

    pub(super) fn worker(&self) -> Result<Worker, Violation> {
        Ok(self.worker_with(self.bench.open()?))
    }

    pub(super) fn worker_with(&self, handle: Handle) -> Worker {
        let (store, world) = (handle.store.clone(), Arc::clone(&self.world));
        let seen = Seen { store, world, has_loaded: AtomicBool::new(false) };
        let base_url = BaseUrl::production();
        let shared = SharedTokens::new(AnyStore::new(seen), &base_url, Policy::default());
        let wall = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let username = self.username.clone();
        Worker { handle, shared, username, known: Known::default(), wall }
    }

    pub(super) fn passes(&self, time: Duration) {
        self.world.later.fetch_add(time.as_secs(), Ordering::SeqCst);
    }

    pub(super) fn loses_next_reply(&self) {
        self.world.loses_next_reply.store(true, Ordering::SeqCst);
    }

    /// So many processes wait for each other after their first load, so that none has seen what
    /// another one writes.
    pub(super) fn meet_after_first_load(&self, count: usize) {
        *lock(&self.world.meeting) = Some(Arc::new(Barrier::new(count)));
    }

    /// What reached the store, names and values.
    pub(super) fn written(&self) -> Vec<Vec<u8>> {
        lock(&self.world.written).clone()
    }

    pub(super) fn password(&self, password: &str) -> Result<Credentials, Violation> {
        let credentials = Credentials::new(&self.username, password);
        credentials.map_err(|error| Violation::new(error.to_string()))
    }
}

impl Worker {
    pub(super) fn consult(
        &self,
        user_alias: Option<&str>,
        intent: Intent<'_>,
    ) -> Result<Consultation, Violation> {
        let owner = Owner { username: &self.username, user_alias };
        let consulted = self.shared.consult(owner, intent, self.known, self.wall);
        let consulted = self.handle.runner.run(consulted);
        consulted.map_err(|error| Violation::failed("a consultation", &error))
    }

    pub(super) fn refresh(&self) -> Result<Verdict, Violation> {
        Ok(self.consult(None, Intent::Refresh)?.verdict)
    }

    pub(super) fn sign_in(&self, credentials: &Credentials) -> Result<Verdict, Violation> {
        Ok(self.consult(credentials.user_alias(), Intent::SignIn(credentials))?.verdict)
    }

    pub(super) fn settle(
        &self,
        grant: Grant,
        sign_in: SignInResult<'_>,
        tokens: Option<&StoredTokens>,
    ) -> Result<Settled, Violation> {
        let settlement = Settlement { tokens, sign_in, wall: self.wall };
        let settled = self.handle.runner.run(self.shared.settle(grant, settlement));
        settled.map_err(|error| Violation::failed("a settlement", &error))
    }

    /// Settles with tokens, which this process then knows.
    pub(super) fn renew(&mut self, grant: Grant) -> Result<Settled, Violation> {
        let tokens = tokens(self.wall)?;
        let settled = self.settle(grant, SignInResult::Accepted, Some(&tokens))?;
        if let Settled::InTime(version) = settled {
            self.known.version = Some(version);
        }
        Ok(settled)
    }

    pub(super) fn reset(&self) -> Result<(), Violation> {
        let owner = Owner { username: &self.username, user_alias: None };
        let reset = self.handle.runner.run(self.shared.reset(owner));
        reset.map(|_| ()).map_err(|error| Violation::failed("a reset", &error))
    }

    /// The name of the value of an alias.
    pub(super) fn name(&self, user_alias: Option<&str>) -> EntryName {
        let seals = self.handle.store.seals();
        seals.alias_name(&BaseUrl::production(), &self.username, user_alias)
    }
}

/// The store as a process of the fleet sees it.
struct Seen {
    store: AnyStore,
    world: Arc<World>,
    has_loaded: AtomicBool,
}

/// Waits for the other processes when it is dropped, also by a panic.
struct Meeting(Option<Arc<Barrier>>);

impl Drop for Meeting {
    fn drop(&mut self) {
        if let Some(barrier) = self.0.take() {
            barrier.wait();
        }
    }
}

impl Seen {
    fn meeting(&self) -> Meeting {
        let has_loaded = self.has_loaded.swap(true, Ordering::SeqCst);
        Meeting(lock(&self.world.meeting).clone().filter(|_| !has_loaded))
    }

    fn now(&self, now: Duration) -> Duration {
        now.saturating_add(Duration::from_secs(self.world.later.load(Ordering::SeqCst)))
    }
}

#[async_trait]
impl TokenStore for Seen {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        let meeting = self.meeting();
        let loaded = self.store.load(name).await;
        drop(meeting);
        let loaded = loaded?;
        Ok(Loaded { now: self.now(loaded.now), ..loaded })
    }

    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        lock(&self.world.written).extend([name.to_string().into_bytes(), value.to_vec()]);
        let swapped = self.store.swap(name, expected, value, keep_for).await?;
        if self.world.loses_next_reply.swap(false, Ordering::SeqCst) {
            return Err(StoreError::new("the reply was lost"));
        }
        Ok(Swapped { now: self.now(swapped.now), ..swapped })
    }

    fn seals(&self) -> &Seals {
        self.store.seals()
    }

    async fn announce(&self, fence: Fence) -> Result<Option<Announced>, StoreError> {
        self.store.announce(fence).await
    }

    async fn is_gone(&self, fence: Fence) -> Result<bool, StoreError> {
        self.store.is_gone(fence).await
    }
}

pub(super) fn granted(verdict: Verdict) -> Result<Grant, Violation> {
    match verdict {
        Verdict::Granted(grant) => Ok(grant),
        other => Err(Violation::new(format!("there is no permit, but {other:?}"))),
    }
}

pub(super) fn newer(verdict: Verdict) -> Result<NewerTokens, Violation> {
    match verdict {
        Verdict::Newer(newer) => Ok(newer),
        other => Err(Violation::new(format!("there are no newer tokens, but {other:?}"))),
    }
}

pub(super) fn denial() -> Denial {
    let description = Some("canary-description".to_owned());
    Denial::from_kept(StatusCode::FORBIDDEN, "access_denied".to_owned(), description)
}

/// Tokens that a process got at `wall`, as its session stores them.
pub(super) fn tokens(wall: SystemTime) -> Result<StoredTokens, Violation> {
    let seconds = seconds(wall);
    let json = format!(
        r#"{{"base":"https://api.pointservices.com","username":"canary-user","user_alias":null,
            "access_token":"canary-access-token","asked_at":{seconds},"expires_in":3600,
            "refresh_token":"canary-refresh-token","refresh_token_came_at":{seconds}}}"#
    );
    let tokens = StoredTokens::from_json(json.as_bytes());
    tokens.map_err(|error| Violation::new(format!("the check's own tokens are none: {error}")))
}

/// When tokens were asked for, by the clock of the process that reads them.
pub(super) fn asked_at(tokens: &StoredTokens) -> Option<u64> {
    let json: serde_json::Value = serde_json::from_slice(tokens.expose_json().as_ref()).ok()?;
    json.get("asked_at")?.as_u64()
}

pub(super) fn seconds(wall: SystemTime) -> u64 {
    wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
