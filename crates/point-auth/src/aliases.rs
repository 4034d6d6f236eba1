//! Sessions by alias, where many people share one login. For async and blocking sessions.

#[cfg(feature = "blocking")]
mod forked;
mod snapshot;

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use point_auth_core::session::{
    Counts, Ledger, Policy, SessionMachine, StoredTokens, StoredTokensError,
};
use point_auth_core::{BaseUrl, CredentialPart, Credentials, CredentialsError};

use crate::driver::{Common, Driver, FetchFrom};
use crate::handle::{Handle, Plan, seed};
use crate::login::{Login, Member};
#[cfg(feature = "blocking")]
pub(crate) use forked::Forked;
pub use snapshot::SessionsSnapshot;

/// The number of maps, each with its own lock.
const SHARDS: u64 = 64;

/// How many sessions there may be, and how long an unused one is kept.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) most_at_once: usize,
    pub(crate) most: usize,
    pub(crate) idle: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { most_at_once: 3, most: 100_000, idle: Duration::from_secs(60 * 60) }
    }
}

/// The sessions of one login, by alias.
pub(crate) struct Aliases {
    common: Arc<Common>,
    login: Arc<Login>,
    policy: Arc<Policy>,
    /// One and the others, so that there is always at least one.
    shards: Box<(RwLock<Shard>, Vec<RwLock<Shard>>)>,
    /// The number of sessions in all shards.
    count: AtomicUsize,
    hasher: RandomState,
    bounds: Bounds,
}

#[derive(Default)]
struct Shard {
    /// Each value is the map's own hold on a session.
    sessions: HashMap<Arc<str>, Handle>,
    /// The size at which the next search for idle sessions starts.
    next_sweep: usize,
}

impl Aliases {
    pub(crate) fn new(plan: Plan, bounds: Bounds) -> Arc<Self> {
        let (source, value) = plan.credentials.parts();
        let ledger = Ledger::new(&plan.policy).with_limit(bounds.most_at_once);
        let login = Login::new(ledger, source, value);
        Arc::new(Self::with_login(plan, bounds, login))
    }

    fn with_login(plan: Plan, bounds: Bounds, login: Arc<Login>) -> Self {
        #[cfg(feature = "store")]
        let store = crate::store::Link::new(
            plan.store,
            &plan.config.base_url,
            Arc::clone(&plan.policy),
            bounds.most_at_once,
        );
        let common = Common {
            transport: plan.transport,
            runtime: plan.runtime,
            clock: plan.clock,
            config: plan.config,
            credentials: FetchFrom::Login(Arc::clone(&login)),
            observers: plan.observers,
            #[cfg(feature = "tracing")]
            traces_aliases: plan.traces_aliases,
            #[cfg(feature = "metrics")]
            meter: crate::driver::meter::Meter::new(plan.metrics_labels, true),
            #[cfg(feature = "store")]
            store,
            exchange_timeout: plan.policy.exchange_timeout(),
        };
        Self {
            common: Arc::new(common),
            login,
            policy: plan.policy,
            shards: Box::new((RwLock::default(), (1..SHARDS).map(|_| RwLock::default()).collect())),
            count: AtomicUsize::new(0),
            hasher: RandomState::new(),
            bounds,
        }
    }

    /// Returns the session of `alias`, a new one if there is none.
    pub(crate) fn get(&self, alias: &str) -> Result<Handle, CredentialsError> {
        let shard = self.shard(alias);
        let read = read(shard);
        if let Some(handle) = read.sessions.get(alias) {
            return Ok(handle.clone());
        }
        drop(read);
        check(alias)?;
        // Outside of the lock, because the runtime may be foreign code.
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
        if self.login.generation() != generation
            && let Some(username) = self.login.username()
        {
            // The session joined the login while the credentials were being replaced.
            handle.0.credentials_changed(&username);
        }
        Ok(handle)
    }

    /// Returns the session of `alias`, if there is one.
    pub(crate) fn existing(&self, alias: &str) -> Option<Handle> {
        read(self.shard(alias)).sessions.get(alias).cloned()
    }

    fn driver(&self, alias: &Arc<str>) -> Arc<Driver> {
        let (base, policy) = (self.common.config.base_url.clone(), Arc::clone(&self.policy));
        let session = match self.login.has_source() {
            true => SessionMachine::on_demand(base, policy, seed()),
            false => SessionMachine::without_credentials(base, policy, seed()),
        };
        let session =
            session.with_owner(self.login.username().as_deref(), Some(alias)).with_shared_ledger();
        Driver::new(Arc::clone(&self.common), Arc::clone(alias), session)
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

    /// Takes out the idle sessions from time to time. The caller drops them without the lock.
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

    /// Takes out the least recently used session, of this shard or else of another.
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

    /// Drops the sessions that are idle now.
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
        self.login.set_credentials(credentials);
    }

    pub(crate) fn reset(&self) {
        #[cfg(feature = "store")]
        if let Some(store) = &self.common.store {
            store.login_reset();
        }
        self.login.reset();
        #[cfg(feature = "store")]
        if let Some(store) = &self.common.store {
            store.pass_on_in_background(&self.common.runtime, self.login.username());
        }
    }

    /// Returns all sessions with their aliases, in no particular order.
    pub(crate) fn all(&self) -> Vec<(String, Handle)> {
        let mut all = Vec::with_capacity(self.len());
        for shard in self.shards() {
            let shard = read(shard);
            all.extend(
                shard.sessions.iter().map(|(alias, handle)| (alias.to_string(), handle.clone())),
            );
        }
        all
    }

    pub(crate) fn remove(&self, alias: &str) -> bool {
        let removed = write(self.shard(alias)).sessions.remove(alias);
        if removed.is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        removed.is_some()
    }

    pub(crate) fn snapshot(&self) -> SessionsSnapshot {
        let ledger = self.login.snapshot(self.common.runtime.now());
        let (mut states, mut counts) = (Vec::new(), Counts::default());
        for (_, handle) in self.all() {
            let snapshot = handle.0.snapshot();
            counts += snapshot.counts;
            match states.iter_mut().find(|(state, _)| *state == snapshot.state) {
                Some((_, count)) => *count += 1,
                None => states.push((snapshot.state, 1)),
            }
        }
        SessionsSnapshot { states, counts, ledger }
    }

    pub(crate) fn restore(&self, stored: StoredTokens) -> Result<(), StoredTokensError> {
        let alias = stored.user_alias().ok_or(StoredTokensError::OtherUserAlias)?;
        let handle = self.get(alias).map_err(|_| StoredTokensError::OtherUserAlias)?;
        handle.0.restore(stored)
    }

    pub(crate) fn base_url(&self) -> &BaseUrl {
        &self.common.config.base_url
    }
}

/// Returns whether only the map holds the session, and no job is running.
fn is_unused(handle: &Handle) -> bool {
    handle.0.handles() <= 1 && !handle.0.is_busy()
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

/// Checks an alias as [`Credentials`] do.
fn check(alias: &str) -> Result<(), CredentialsError> {
    match alias.len() {
        0 => Err(CredentialsError::Empty(CredentialPart::UserAlias)),
        length if length > Credentials::MAX_PART_BYTES => {
            Err(CredentialsError::TooLong(CredentialPart::UserAlias))
        }
        _ => Ok(()),
    }
}

/// The settings that only builders of many sessions have, each a field of [`Bounds`].
macro_rules! sessions_settings {
    () => {
        /// Sets how many aliases sign in at once with a proven password (default: 3).
        ///
        /// Until the password has given a token, it is one at a time. The others queue: first those
        /// that have worked, each in order of arrival. Refreshes do not count. A password that
        /// stops working may be denied this often before it is held, or three times if that is
        /// more.
        pub fn with_max_concurrent_sign_ins(mut self, most: usize) -> Self {
            self.bounds.most_at_once = most;
            self
        }

        /// Sets how many sessions are kept (default: 100,000). Beyond that, one of the least
        /// recently used is dropped, but never one that a caller holds or that is signing in.
        pub fn with_max_sessions(mut self, most: usize) -> Self {
            self.bounds.most = most;
            self
        }

        /// Sets the time after which an unused session is idle (default: 1 hour). Idle sessions are
        /// dropped when others come, and by [`drop_idle`](Sessions::drop_idle).
        pub fn with_idle_time(mut self, idle: std::time::Duration) -> Self {
            self.bounds.idle = idle;
            self
        }
    };
}

/// The methods of both kinds of many sessions that do not wait.
macro_rules! sessions_methods {
    () => {
        /// Replaces the credentials of all sessions. The alias in them is ignored.
        ///
        /// Another username drops all tokens; another password keeps them. Both end holds and the
        /// wait after a denial. A password that was denied for an alias is not sent for it again
        /// before a [`reset`](Self::reset).
        pub fn set_credentials(&self, credentials: point_auth_core::Credentials) {
            self.aliases.set_credentials(credentials);
        }

        /// Clears all denials, holds, unknown outcomes and backoff. Call it once an operator has
        /// confirmed the credentials. Tokens stay.
        pub fn reset(&self) {
            self.aliases.reset();
        }

        /// Restores the tokens of one alias that were stored before a restart.
        ///
        /// # Errors
        /// [`StoredTokensError`](point_auth_core::session::StoredTokensError) when they belong to
        /// another base URL or username, or to no alias.
        pub fn restore(
            &self,
            stored: point_auth_core::session::StoredTokens,
        ) -> Result<(), point_auth_core::session::StoredTokensError> {
            self.aliases.restore(stored)
        }

        /// Removes the session of one alias. Returns whether there was one. Its tokens are lost
        /// unless an observer has stored them. A `Session` that is held continues; the ledger keeps
        /// the alias.
        pub fn remove(&self, user_alias: &str) -> bool {
            self.aliases.remove(user_alias)
        }

        /// Returns all sessions with their aliases, in no particular order.
        pub fn all(&self) -> Vec<(String, Session)> {
            let all = self.aliases.all().into_iter();
            all.map(|(alias, handle)| (alias, Session::of(handle))).collect()
        }

        /// Returns the state of all sessions, for people and dashboards. It visits each session.
        pub fn snapshot(&self) -> crate::SessionsSnapshot {
            self.aliases.snapshot()
        }

        /// Drops the idle sessions, and their tokens unless an observer has stored them.
        pub fn drop_idle(&self) {
            self.aliases.drop_idle();
        }

        /// Returns the number of sessions.
        pub fn len(&self) -> usize {
            self.aliases.len()
        }

        /// Returns whether there are no sessions.
        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }

        /// Returns the base URL of the API.
        pub fn base_url(&self) -> &point_auth_core::BaseUrl {
            self.aliases.base_url()
        }
    };
}

pub(crate) use sessions_methods;
pub(crate) use sessions_settings;
