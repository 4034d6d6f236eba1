//! Sessions by alias, where one login stands for many people: async and blocking ones alike.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use point_auth_core::session::{Login, Policy, Session as Core, StoredTokens, StoredTokensError};
use point_auth_core::{BaseUrl, CredentialPart, Credentials, CredentialsError};

use crate::credential_source::Source;
use crate::driver::gate::{Gate, SharedLogin};
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
    login: Option<Arc<SharedLogin>>,
    policy: Arc<Policy>,
    /// Where it is known before the first sign-in.
    username: Option<String>,
    /// The first and the rest, so that there always is one.
    shards: Box<(RwLock<Shard>, Vec<RwLock<Shard>>)>,
    hasher: RandomState,
    bounds: Bounds,
}

#[derive(Default)]
struct Shard {
    sessions: HashMap<Arc<str>, Entry>,
    /// With how many it is looked for idle ones again.
    next_sweep: usize,
}

struct Entry {
    handle: Handle,
    /// In seconds of the monotonic clock.
    last_used: AtomicU64,
}

impl Aliases {
    pub(crate) fn new(plan: Plan, bounds: Bounds) -> Self {
        let (source, username): (Option<Arc<dyn Source>>, _) = match plan.credentials {
            PlannedCredentials::None => (None, None),
            PlannedCredentials::Value(credentials) => {
                let username = credentials.username().to_owned();
                (Some(Arc::new(credentials)), Some(username))
            }
            PlannedCredentials::Source(source) => (Some(source), None),
        };
        let login =
            source.map(|source| SharedLogin::new(Login::new(&plan.policy), source, bounds.most_at_once));
        let gate = login.as_ref().map_or(Gate::Open, |login| Gate::Login(Arc::clone(login)));
        let common = Common {
            carrier: plan.carrier,
            runtime: plan.runtime,
            config: plan.config,
            gate,
            observer: plan.observer,
        };
        Self {
            common: Arc::new(common),
            login,
            policy: plan.policy,
            username,
            shards: Box::new((RwLock::default(), (1..SHARDS).map(|_| RwLock::default()).collect())),
            hasher: RandomState::new(),
            bounds,
        }
    }

    /// The session of `alias`, a new one if there is none.
    pub(crate) fn get(&self, alias: &str) -> Result<Handle, CredentialsError> {
        let shard = self.shard(alias);
        let used = self.common.runtime.now().monotonic.as_secs();
        let read = shard.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = read.sessions.get(alias) {
            entry.last_used.store(used, Ordering::Relaxed);
            return Ok(entry.handle.clone());
        }
        drop(read);
        check(alias)?;
        let mut shard = write(shard);
        if let Some(entry) = shard.sessions.get(alias) {
            return Ok(entry.handle.clone());
        }
        let dropped = self.make_room(&mut shard, used);
        let alias: Arc<str> = alias.into();
        let handle = Handle::new(self.driver(&alias));
        let entry = Entry { handle: handle.clone(), last_used: AtomicU64::new(used) };
        shard.sessions.insert(alias, entry);
        drop(shard);
        drop(dropped);
        Ok(handle)
    }

    fn driver(&self, alias: &Arc<str>) -> Arc<Driver> {
        let (base, policy) = (self.common.config.base_url.clone(), Arc::clone(&self.policy));
        let session = match self.login {
            Some(_) => Core::on_demand(base, policy, seed()),
            None => Core::without_credentials(base, policy, seed()),
        };
        let session = session.with_owner(self.username.as_deref(), Some(alias));
        Driver::new(Arc::clone(&self.common), Some(Arc::clone(alias)), session)
    }

    fn shard(&self, alias: &str) -> &RwLock<Shard> {
        let (first, rest) = &*self.shards;
        let place = self.hasher.hash_one(alias) % SHARDS;
        usize::try_from(place).ok().and_then(|place| rest.get(place.checked_sub(1)?)).unwrap_or(first)
    }

    fn shards(&self) -> impl Iterator<Item = &RwLock<Shard>> {
        let (first, rest) = &*self.shards;
        std::iter::once(first).chain(rest)
    }

    /// Takes out those that are idle, and where that is not enough those that were not used for longest. What was taken out is
    /// dropped by whoever calls, without the lock.
    fn make_room(&self, shard: &mut Shard, now: u64) -> Vec<Entry> {
        let most = self.bounds.most.div_ceil(SHARDS as usize).max(1);
        let mut dropped = Vec::new();
        if shard.sessions.len() >= shard.next_sweep {
            dropped = self.take_idle(shard, now);
            shard.next_sweep = shard.sessions.len().saturating_mul(2).clamp(16, most.max(16));
        }
        while shard.sessions.len() >= most {
            let unused = shard.sessions.iter().filter(|(_, entry)| entry.is_unused());
            let oldest = unused.min_by_key(|(_, entry)| entry.last_used.load(Ordering::Relaxed));
            let Some(alias) = oldest.map(|(alias, _)| Arc::clone(alias)) else { break };
            dropped.extend(shard.sessions.remove(&alias));
        }
        dropped
    }

    fn take_idle(&self, shard: &mut Shard, now: u64) -> Vec<Entry> {
        let idle = self.bounds.idle.as_secs();
        let is_idle = |entry: &Entry| {
            entry.is_unused() && now.saturating_sub(entry.last_used.load(Ordering::Relaxed)) >= idle
        };
        shard.sessions.extract_if(|_, entry| is_idle(entry)).map(|(_, entry)| entry).collect()
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
        let len = |shard: &RwLock<Shard>| shard.read().unwrap_or_else(PoisonError::into_inner).sessions.len();
        self.shards().map(len).sum()
    }

    pub(crate) fn set_credentials(&self, credentials: Credentials) {
        if let Some(login) = &self.login {
            login.set_source(Arc::new(credentials));
        }
        self.for_each(Driver::reset_alone);
    }

    pub(crate) fn reset(&self) {
        if let Some(login) = &self.login {
            login.reset();
        }
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
            let read = shard.read().unwrap_or_else(PoisonError::into_inner);
            let handles: Vec<Handle> = read.sessions.values().map(|entry| entry.handle.clone()).collect();
            drop(read);
            handles.iter().for_each(|handle| tell(&handle.0));
        }
    }
}

impl Entry {
    /// Whether nobody holds it but the map.
    fn is_unused(&self) -> bool {
        self.handle.0.handles() <= 1
    }
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

        /// Sets how many sessions are kept (default: 100,000), give or take how evenly the aliases spread. When there are
        /// more, those go that were not used for longest, but never one that somebody holds.
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
        /// Signs all of them in with these credentials from now on. The tokens that there are stay.
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
