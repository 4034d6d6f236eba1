//! Sessions by alias, where one login stands for many people: async and blocking ones alike.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use point_auth_core::session::{Policy, Session as Core, StoredTokens, StoredTokensError};
use point_auth_core::{BaseUrl, CredentialPart, Credentials, CredentialsError};

use crate::credential_source::Source;
use crate::driver::gate::Gate;
use crate::driver::shared_login::{Change, SharedLogin};
use crate::driver::{Common, Driver};
use crate::handle::{Handle, Plan, PlannedCredentials, seed};

/// So many maps, each with a lock of its own.
const SHARDS: u64 = 64;

/// How many sessions there may be, and how long one is kept that nobody uses.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) most_at_once: usize,
    pub(crate) most: usize,
    pub(crate) idle: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { most_at_once: 4, most: 100_000, idle: Duration::from_secs(60 * 60) }
    }
}

/// The sessions of one login, by alias.
pub(crate) struct Aliases {
    common: Arc<Common>,
    login: Arc<SharedLogin>,
    policy: Arc<Policy>,
    /// The first and the rest, so that there always is one.
    shards: Box<(RwLock<Shard>, Vec<RwLock<Shard>>)>,
    /// How many sessions there are in all shards.
    count: AtomicUsize,
    hasher: RandomState,
    bounds: Bounds,
}

#[derive(Default)]
struct Shard {
    /// With each the map's own hold on it.
    sessions: HashMap<Arc<str>, Handle>,
    /// With how many it is looked for idle ones again.
    next_sweep: usize,
}

impl Aliases {
    pub(crate) fn new(plan: Plan, bounds: Bounds) -> Arc<Self> {
        let (source, value): (Option<Arc<dyn Source>>, _) = match plan.credentials {
            PlannedCredentials::None => (None, None),
            PlannedCredentials::Value(credentials) => {
                (Some(Arc::new(credentials.clone())), Some(credentials))
            }
            PlannedCredentials::Source(source) => (Some(source), None),
        };
        let login = SharedLogin::new(&plan.policy, source, value, bounds.most_at_once);
        let common = Common {
            carrier: plan.carrier,
            runtime: plan.runtime,
            config: plan.config,
            gate: Gate::Login(Arc::clone(&login)),
            observer: plan.observer,
        };
        let aliases = Arc::new(Self {
            common: Arc::new(common),
            login: Arc::clone(&login),
            policy: plan.policy,
            shards: Box::new((RwLock::default(), (1..SHARDS).map(|_| RwLock::default()).collect())),
            count: AtomicUsize::new(0),
            hasher: RandomState::new(),
            bounds,
        });
        login.belongs_to(Arc::downgrade(&aliases));
        aliases
    }

    /// The session of `alias`, a new one if there is none.
    pub(crate) fn get(&self, alias: &str) -> Result<Handle, CredentialsError> {
        let shard = self.shard(alias);
        let read = read(shard);
        if let Some(handle) = read.sessions.get(alias) {
            return Ok(handle.clone());
        }
        drop(read);
        check(alias)?;
        // Not within the lock: somebody else's code may be behind it.
        let now = self.common.runtime.now().monotonic.as_secs();
        let generation = self.login.generation();
        let alias: Arc<str> = alias.into();
        let handle = Handle::new(self.driver(&alias));
        let mut write = write(shard);
        if let Some(handle) = write.sessions.get(&alias) {
            return Ok(handle.clone());
        }
        let mut dropped = self.sweep(&mut write, now);
        write.sessions.insert(alias, handle.clone());
        drop(write);
        if self.count.fetch_add(1, Ordering::Relaxed) >= self.bounds.most {
            dropped.extend(self.drop_oldest(shard));
        }
        drop(dropped);
        if self.login.generation() != generation {
            // New credentials came in between, and were told to those that there were then.
            if let Some(username) = self.login.username() {
                handle.0.expect_credentials(&username);
            }
        }
        Ok(handle)
    }

    fn driver(&self, alias: &Arc<str>) -> Arc<Driver> {
        let (base, policy) = (self.common.config.base_url.clone(), Arc::clone(&self.policy));
        let session = match self.login.has_source() {
            true => Core::on_demand(base, policy, seed()),
            false => Core::without_credentials(base, policy, seed()),
        };
        let session = session.with_owner(self.login.username().as_deref(), Some(alias));
        Driver::new(Arc::clone(&self.common), Some(Arc::clone(alias)), session)
    }

    fn shard(&self, alias: &str) -> &RwLock<Shard> {
        let (first, rest) = &*self.shards;
        let place = self.hasher.hash_one(alias) % SHARDS;
        usize::try_from(place)
            .ok()
            .and_then(|place| rest.get(place.checked_sub(1)?))
            .unwrap_or(first)
    }

    fn shards(&self) -> impl Iterator<Item = &RwLock<Shard>> {
        let (first, rest) = &*self.shards;
        std::iter::once(first).chain(rest)
    }

    /// Takes out those that are idle, now and then. What was taken out is dropped by whoever calls, without the lock.
    fn sweep(&self, shard: &mut Shard, now: u64) -> Vec<Handle> {
        if shard.sessions.len() < shard.next_sweep {
            return Vec::new();
        }
        let dropped = self.take_idle(shard, now);
        shard.next_sweep = shard.sessions.len().saturating_mul(2).max(16);
        dropped
    }

    fn take_idle(&self, shard: &mut Shard, now: u64) -> Vec<Handle> {
        let idle = self.bounds.idle.as_secs();
        let is_idle =
            |handle: &Handle| is_unused(handle) && now.saturating_sub(handle.0.last_held()) >= idle;
        let dropped: Vec<_> = shard
            .sessions
            .extract_if(|_, handle| is_idle(handle))
            .map(|(_, handle)| handle)
            .collect();
        self.count.fetch_sub(dropped.len(), Ordering::Relaxed);
        dropped
    }

    /// There are too many: the one goes that was not used for longest, of this shard or else of another.
    fn drop_oldest(&self, first: &RwLock<Shard>) -> Option<Handle> {
        std::iter::once(first).chain(self.shards()).find_map(|shard| {
            let mut shard = write(shard);
            let unused = shard.sessions.iter().filter(|(_, handle)| is_unused(handle));
            let alias = unused
                .min_by_key(|(_, handle)| handle.0.last_held())
                .map(|(alias, _)| Arc::clone(alias))?;
            let dropped = shard.sessions.remove(&alias)?;
            self.count.fetch_sub(1, Ordering::Relaxed);
            Some(dropped)
        })
    }

    /// Drops those that are idle now.
    pub(crate) fn drop_idle(&self) {
        let now = self.common.runtime.now().monotonic.as_secs();
        for shard in self.shards() {
            let dropped = self.take_idle(&mut write(shard), now);
            drop(dropped);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn set_credentials(&self, credentials: Credentials) {
        if let Change::Credentials(username) = self.login.set_credentials(credentials) {
            self.for_each(|driver| driver.expect_credentials(&username));
        }
    }

    pub(crate) fn reset(&self) {
        self.login.reset();
        self.for_each(Driver::reset_alone);
    }

    pub(crate) fn restore(&self, stored: StoredTokens) -> Result<(), StoredTokensError> {
        let alias = stored.user_alias().ok_or(StoredTokensError::OtherUserAlias)?;
        let handle = self.get(alias).map_err(|_| StoredTokensError::OtherUserAlias)?;
        handle.0.restore(stored)
    }

    pub(crate) fn base_url(&self) -> &BaseUrl {
        &self.common.config.base_url
    }

    /// Without a lock in hand, since each wakes those who wait for it.
    fn for_each(&self, tell: impl Fn(&Driver)) {
        for shard in self.shards() {
            let handles: Vec<Handle> = read(shard).sessions.values().cloned().collect();
            handles.iter().for_each(|handle| tell(&handle.0));
        }
    }
}

/// Whether nobody holds it but the map, and nothing is under way.
fn is_unused(handle: &Handle) -> bool {
    handle.0.handles() <= 1 && !handle.0.is_busy()
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

/// What credentials would say of it.
fn check(alias: &str) -> Result<(), CredentialsError> {
    match alias.len() {
        0 => Err(CredentialsError::Empty(CredentialPart::UserAlias)),
        length if length > Credentials::MAX_PART_BYTES => {
            Err(CredentialsError::TooLong(CredentialPart::UserAlias))
        }
        _ => Ok(()),
    }
}

/// The settings that both builders of many sessions have beside those of one, each a field of [`Bounds`].
macro_rules! sessions_settings {
    () => {
        /// Sets how many may sign in at once (default: 4) once the password has given a token; before that it is one. The others wait, first come
        /// first served. Refreshes are not counted.
        pub fn with_max_concurrent_sign_ins(mut self, most: usize) -> Self {
            self.bounds.most_at_once = most;
            self
        }

        /// Sets how many sessions are kept (default: 100,000). When there are more, one goes that was not used for long, but never one that
        /// somebody holds or that is signing in.
        pub fn with_max_sessions(mut self, most: usize) -> Self {
            self.bounds.most = most;
            self
        }

        /// Sets after how long a session is idle that nobody holds or asks for (default: 1 hour). Idle ones are dropped when
        /// others come, and by [`drop_idle`](Sessions::drop_idle).
        pub fn with_idle_time(mut self, idle: std::time::Duration) -> Self {
            self.bounds.idle = idle;
            self
        }
    };
}

/// What both kinds of many sessions can do without waiting.
macro_rules! sessions_methods {
    () => {
        /// Signs all of them in with these credentials from now on; an alias that they have is left out. Another username drops all
        /// tokens, another password keeps them, and the same again change nothing.
        pub fn set_credentials(&self, credentials: point_auth_core::Credentials) {
            self.aliases.set_credentials(credentials);
        }

        /// Ends the wait over a denied sign-in and every pause, because somebody who knows better says so.
        pub fn reset(&self) {
            self.aliases.reset();
        }

        /// Takes up the tokens of one alias that were stored before a restart.
        ///
        /// # Errors
        /// [`StoredTokensError`](point_auth_core::session::StoredTokensError) when they belong to another base URL or username, or to no alias.
        pub fn restore(
            &self,
            stored: point_auth_core::session::StoredTokens,
        ) -> Result<(), point_auth_core::session::StoredTokensError> {
            self.aliases.restore(stored)
        }

        /// Drops the sessions that are idle. Their tokens go with them, if nobody has stored them.
        pub fn drop_idle(&self) {
            self.aliases.drop_idle();
        }

        /// How many sessions there are.
        pub fn len(&self) -> usize {
            self.aliases.len()
        }

        /// Whether there is none.
        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }

        /// Where the API is.
        pub fn base_url(&self) -> &point_auth_core::BaseUrl {
            self.aliases.base_url()
        }
    };
}

pub(crate) use sessions_methods;
pub(crate) use sessions_settings;
