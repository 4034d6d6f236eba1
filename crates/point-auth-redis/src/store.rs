//! [`RedisStore`]: async.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use point_auth_store::{
    EntryName, Loaded, Sealer, Seals, StoreError, StoreKey, Swapped, TokenStore,
};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisResult, Value};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use crate::RedisUrlError;
use crate::error::{has_replied, store_error};
use crate::script::{self, Call, Scripts};
use crate::url::{self, TIMEOUT};

/// A store in Redis. Clones share the connection.
#[derive(Clone)]
pub struct RedisStore {
    connection: Arc<dyn Connection>,
    scripts: Arc<Scripts>,
    key: StoreKey,
    seals: Seals,
}

impl RedisStore {
    /// Creates a store over a connection of yours, which is cloned for each call.
    ///
    /// It needs a response timeout of its own, and reconnects by itself if it is to live on after
    /// an outage, as `ConnectionManager` and `ClusterConnection` of redis-rs do. The manager
    /// reconnects after I/O errors only: a handshake that Redis refuses, or that breaks off, ends
    /// it for good.
    pub fn new<C>(connection: C, key: StoreKey) -> Self
    where
        C: ConnectionLike + Clone + Send + Sync + 'static,
    {
        Self::over(Brought(connection), key)
    }

    /// Creates a store that connects to this URL at its first call, and anew after an error.
    ///
    /// A connection may take two seconds, and so may a reply. Calls run on the tokio runtime that
    /// this is called in, wherever they come from.
    ///
    /// # Errors
    /// [`RedisUrlError`] when it is no URL of Redis, asks for TLS, or there is no tokio runtime.
    pub fn from_url(url: &str, key: StoreKey) -> Result<Self, RedisUrlError> {
        let client = url::client(url)?;
        let runtime = Handle::try_current().map_err(|_| RedisUrlError::NoRuntime)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        Ok(Self::over(Lazy { client, config, current: Arc::default(), runtime }, key))
    }

    /// Sets what seals the values, in place of the key. The key still hashes the names.
    #[must_use]
    pub fn with_sealer(mut self, sealer: impl Sealer) -> Self {
        self.seals = Seals::with_sealer(&self.key, sealer);
        self
    }

    fn over(connection: impl Connection, key: StoreKey) -> Self {
        let seals = Seals::new(&key);
        Self { connection: Arc::new(connection), scripts: Arc::new(Scripts::new()), key, seals }
    }

    async fn run(&self, mut call: Call<'_>) -> Result<Value, StoreError> {
        loop {
            match self.connection.send(call.command()).await {
                Ok(reply) => return Ok(reply),
                Err(error) if call.goes_on_after(&error) => {}
                Err(error) => return Err(store_error(&error)),
            }
        }
    }
}

#[async_trait]
impl TokenStore for RedisStore {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        script::loaded(self.run(self.scripts.load(name)).await?)
    }

    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        let call = self.scripts.swap(name, expected, value, keep_for);
        script::swapped(self.run(call).await?)
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

type Reply = Pin<Box<dyn Future<Output = RedisResult<Value>> + Send>>;

/// Hides the type of a connection.
trait Connection: Send + Sync + 'static {
    fn send(&self, command: Cmd) -> Reply;
}

struct Brought<C>(C);

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Connection for Brought<C> {
    fn send(&self, command: Cmd) -> Reply {
        let mut connection = self.0.clone();
        Box::pin(async move { command.query_async(&mut connection).await })
    }
}

/// A connection that is opened when it is needed.
///
/// redis-rs has a `ConnectionManager` for that. It never connects again where the first exchange
/// with the server fails with something else than an I/O error: a reply that breaks off, a server
/// that loads its data, a password that is put right later.
struct Lazy {
    client: Client,
    config: AsyncConnectionConfig,
    /// Callers share an attempt to connect and its result.
    current: Arc<Mutex<Attempt>>,
    /// Runs the connection, whatever runs the session.
    runtime: Handle,
}

type Attempt = Arc<OnceCell<RedisResult<MultiplexedConnection>>>;

impl Connection for Lazy {
    fn send(&self, command: Cmd) -> Reply {
        let (client, config) = (self.client.clone(), self.config.clone());
        let current = Arc::clone(&self.current);
        let task = self.runtime.spawn(async move {
            let attempt = Arc::clone(&*lock(&current));
            let connect = || client.get_multiplexed_async_connection_with_config(&config);
            let (result, is_usable) = match attempt.get_or_init(connect).await.clone() {
                Ok(mut connection) => {
                    let result = command.query_async(&mut connection).await;
                    let is_usable = result.as_ref().err().is_none_or(has_replied);
                    (result, is_usable)
                }
                Err(error) => (Err(error), false),
            };
            if !is_usable {
                let mut current = lock(&current);
                if Arc::ptr_eq(&current, &attempt) {
                    *current = Attempt::default();
                }
            }
            result
        });
        Box::pin(async move {
            let ended = (ErrorKind::Client, "the runtime of the connection has ended");
            task.await.unwrap_or_else(|_| Err(ended.into()))
        })
    }
}

fn lock(current: &Mutex<Attempt>) -> MutexGuard<'_, Attempt> {
    current.lock().unwrap_or_else(PoisonError::into_inner)
}
