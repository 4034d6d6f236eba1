//! [`MemoryStore`]: a store in one process, for tests of a fleet.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::contract::{EntryName, Loaded, StoreError, Swapped, TokenStore};
use crate::key::{StoreKey, StoreKeyError};
use crate::{Seals, blocking};

/// A store that is shared by the sessions of one process. Clones share their values.
///
/// For tests of what a fleet does, and for a program that builds many sessions of one login. It
/// works for async and for blocking sessions.
#[derive(Clone)]
pub struct MemoryStore {
    values: Arc<Mutex<HashMap<EntryName, Vec<u8>>>>,
    clock: Arc<dyn Fn() -> Duration + Send + Sync>,
    seals: Seals,
}

impl MemoryStore {
    /// Creates an empty store with a random key.
    ///
    /// # Errors
    /// [`StoreKeyError::NoRandomness`] when the system gives no random numbers.
    pub fn new() -> Result<Self, StoreKeyError> {
        Ok(Self::with_key(&StoreKey::generate()?))
    }

    /// Creates an empty store with this key.
    pub fn with_key(key: &StoreKey) -> Self {
        let start = Instant::now();
        Self {
            values: Arc::default(),
            clock: Arc::new(move || start.elapsed()),
            seals: Seals::new(key),
        }
    }

    /// Sets the clock, which must be the same for all that share the store.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Returns a store that shares the values and has another key.
    #[must_use]
    pub fn with_other_key(&self, key: &StoreKey) -> Self {
        Self { seals: Seals::new(key), ..self.clone() }
    }

    /// Forgets all values.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<EntryName, Vec<u8>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl blocking::TokenStore for MemoryStore {
    fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        Ok(Loaded { value: self.lock().get(name).cloned(), now: (self.clock)() })
    }

    fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        _: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        let mut values = self.lock();
        let done = values.get(name).map(Vec::as_slice) == expected;
        if done {
            values.insert(name.clone(), value.to_vec());
        }
        Ok(Swapped { done, now: (self.clock)() })
    }

    fn seals(&self) -> &Seals {
        &self.seals
    }
}

#[async_trait]
impl TokenStore for MemoryStore {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        blocking::TokenStore::load(self, name)
    }

    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        blocking::TokenStore::swap(self, name, expected, value, keep_for)
    }

    fn seals(&self) -> &Seals {
        &self.seals
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("values", &self.lock().len()).finish_non_exhaustive()
    }
}
