//! The store without async.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use point_auth_store::{
    EntryName, Loaded, Sealer, Seals, StoreError, StoreKey, Swapped, blocking::TokenStore,
};
use redis::{ConnectionLike, RedisResult, Value};

use crate::RedisUrlError;
use crate::error::{has_replied, store_error};
use crate::script::{self, Call, Scripts};
use crate::url::{self, TIMEOUT};

type Connection = Box<dyn ConnectionLike + Send>;

/// So many connections are kept when no thread uses them.
const MOST_IDLE: usize = 8;

/// A store in Redis that blocks. Clones share the connections.
///
/// Each thread that calls at a moment has a connection of its own, so that none waits for the
/// reply to another. Up to eight are kept for later calls; one that had an error is not.
#[derive(Clone)]
pub struct RedisStore {
    connect: Arc<dyn Fn() -> RedisResult<Connection> + Send + Sync>,
    idle: Arc<Mutex<Vec<Connection>>>,
    scripts: Arc<Scripts>,
    key: StoreKey,
    seals: Seals,
}

impl RedisStore {
    /// Creates a store that opens its connections with `connect`.
    ///
    /// They need timeouts: redis-rs sets none for reading and writing by itself.
    pub fn new<C>(
        connect: impl Fn() -> RedisResult<C> + Send + Sync + 'static,
        key: StoreKey,
    ) -> Self
    where
        C: ConnectionLike + Send + 'static,
    {
        let connect = move || connect().map(|connection| Box::new(connection) as Connection);
        let seals = Seals::new(&key);
        Self {
            connect: Arc::new(connect),
            idle: Arc::default(),
            scripts: Arc::new(Scripts::new()),
            key,
            seals,
        }
    }

    /// Creates a store that connects to this URL at its first call, and anew after an error.
    ///
    /// A connection may take two seconds, and so may a reply.
    ///
    /// # Errors
    /// [`RedisUrlError`] when it is no URL of Redis, or asks for TLS.
    pub fn from_url(url: &str, key: StoreKey) -> Result<Self, RedisUrlError> {
        let client = url::client(url)?;
        let connect = move || {
            let connection = client.get_connection_with_timeout(TIMEOUT)?;
            connection.set_read_timeout(Some(TIMEOUT))?;
            connection.set_write_timeout(Some(TIMEOUT))?;
            Ok(connection)
        };
        Ok(Self::new(connect, key))
    }

    /// Sets what seals the values, in place of the key. The key still hashes the names.
    #[must_use]
    pub fn with_sealer(mut self, sealer: impl Sealer) -> Self {
        self.seals = Seals::with_sealer(&self.key, sealer);
        self
    }

    fn run(&self, mut call: Call<'_>) -> Result<Value, StoreError> {
        loop {
            let kept = self.idle().pop();
            let connection = kept.map_or_else(|| (self.connect)(), Ok);
            let mut connection = connection.map_err(|error| store_error(&error))?;
            let error = match call.command().query(&mut *connection) {
                Ok(reply) => {
                    self.keep(connection);
                    return Ok(reply);
                }
                Err(error) => error,
            };
            if has_replied(&error) {
                self.keep(connection);
            } else {
                // The others may have ended with this one.
                self.idle().clear();
            }
            if !call.goes_on_after(&error) {
                return Err(store_error(&error));
            }
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle();
        if idle.len() < MOST_IDLE {
            idle.push(connection);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for RedisStore {
    fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        script::loaded(self.run(self.scripts.load(name))?)
    }

    fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        let call = self.scripts.swap(name, expected, value, keep_for);
        script::swapped(self.run(call)?)
    }

    fn seals(&self) -> &Seals {
        &self.seals
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}
