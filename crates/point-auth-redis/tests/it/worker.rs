//! One process of a fleet, and what it is given.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use point_auth_core::http::StatusCode;
use point_auth_core::session::{Policy, SignInResult, StoredTokens};
use point_auth_core::{BaseUrl, Credentials, Denial};
use point_auth_redis::RedisStore;
use point_auth_store::{
    AnyStore, EntryName, Grant, Intent, Known, Loaded, Owner, Seals, Settled, Settlement,
    SharedTokens, StoreError, Swapped, TokenStore, Verdict,
};

/// A Redis whose clock can be advanced, as a test sees it, and which counts its calls.
#[derive(Clone)]
pub(crate) struct Advanced {
    store: RedisStore,
    pub(crate) clock: Arc<Clock>,
}

#[derive(Default)]
pub(crate) struct Clock {
    seconds: AtomicU64,
    calls: AtomicU64,
    /// The times that were given, where they are asked for.
    times: Option<Mutex<VecDeque<Duration>>>,
}

impl Clock {
    pub(crate) fn recording() -> Self {
        Self { times: Some(Mutex::default()), ..Self::default() }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn offset(&self) -> Duration {
        Duration::from_secs(self.seconds.load(Ordering::Relaxed))
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The oldest time that was given and not taken yet.
    pub(crate) fn next_time(&self) -> Option<Duration> {
        self.times.as_ref()?.lock().unwrap().pop_front()
    }

    fn moved(&self, now: Duration) -> Duration {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let now = now + self.offset();
        if let Some(times) = &self.times {
            times.lock().unwrap().push_back(now);
        }
        now
    }
}

impl Advanced {
    pub(crate) fn new(store: RedisStore, clock: &Arc<Clock>) -> Self {
        Self { store, clock: Arc::clone(clock) }
    }
}

#[async_trait]
impl TokenStore for Advanced {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        let Loaded { value, now } = self.store.load(name).await?;
        Ok(Loaded { value, now: self.clock.moved(now) })
    }

    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        let Swapped { done, now } = self.store.swap(name, expected, value, keep_for).await?;
        Ok(Swapped { done, now: self.clock.moved(now) })
    }

    fn seals(&self) -> &Seals {
        self.store.seals()
    }
}

pub(crate) const USERNAME: &str = "jane@example.com";

pub(crate) fn owner(user_alias: Option<&str>) -> Owner<'_> {
    Owner { username: USERNAME, user_alias }
}

pub(crate) fn credentials(password: &str, user_alias: Option<&str>) -> Credentials {
    let credentials = Credentials::new(USERNAME, password).unwrap();
    match user_alias {
        Some(user_alias) => credentials.with_user_alias(user_alias).unwrap(),
        None => credentials,
    }
}

pub(crate) fn denial() -> Denial {
    Denial::from_kept(StatusCode::FORBIDDEN, "access_denied".to_owned(), None)
}

pub(crate) fn shared(store: AnyStore) -> SharedTokens {
    SharedTokens::new(store, &BaseUrl::production(), Policy::default())
}

/// The wall clock of a process, when the store's clock was advanced by `offset`.
pub(crate) fn wall(offset: Duration) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000) + offset
}

/// Tokens as large as real ones, which a process got at `wall`.
pub(crate) fn tokens(number: u64, user_alias: Option<&str>, wall: SystemTime) -> StoredTokens {
    let seconds = wall.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let json = serde_json::json!({
        "base": "https://api.pointservices.com",
        "username": USERNAME,
        "user_alias": user_alias,
        "access_token": format!("{number:0>900}"),
        "asked_at": seconds,
        "expires_in": 3600,
        "refresh_token": format!("{number:0>200}"),
        "refresh_token_came_at": seconds,
    });
    StoredTokens::from_json(json.to_string().as_bytes()).unwrap()
}

/// A process with one session.
pub(crate) struct Worker {
    pub(crate) shared: SharedTokens,
    pub(crate) known: Known,
}

impl Worker {
    pub(crate) fn new(store: impl TokenStore) -> Self {
        Self { shared: shared(AnyStore::new(store)), known: Known::default() }
    }

    pub(crate) async fn consult(&self, intent: Intent<'_>, offset: Duration) -> Verdict {
        let asked = self.shared.consult(owner(None), intent, self.known, wall(offset)).await;
        asked.unwrap().verdict
    }

    /// Takes up what others have stored.
    pub(crate) fn take(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Newer(newer) => self.known.version = Some(newer.version),
            other => panic!("nothing newer: {other:?}"),
        }
    }

    /// Settles with new tokens.
    pub(crate) async fn renew(&mut self, grant: Grant, number: u64, offset: Duration) -> Settled {
        let tokens = tokens(number, None, wall(offset));
        let sign_in = SignInResult::Accepted;
        let settlement = Settlement { tokens: Some(&tokens), sign_in, wall: wall(offset) };
        let settled = self.shared.settle(grant, settlement).await.unwrap();
        if let Settled::InTime(version) = settled {
            self.known.version = Some(version);
        }
        settled
    }
}

#[track_caller]
pub(crate) fn granted(verdict: Verdict) -> Grant {
    match verdict {
        Verdict::Granted(grant) => grant,
        other => panic!("not granted: {other:?}"),
    }
}
