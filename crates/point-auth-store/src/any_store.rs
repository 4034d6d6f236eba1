//! [`AnyStore`]: a store of either kind.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::contract::{Announced, EntryName, Fence, Loaded, StoreError, Swapped, TokenStore};
use crate::{Seals, blocking};

/// A store, async or blocking. Futures of a blocking one are ready at their first poll.
#[derive(Clone)]
pub struct AnyStore(Arc<dyn TokenStore>);

impl AnyStore {
    /// Takes a store that is async.
    pub fn new(store: impl TokenStore) -> Self {
        Self(Arc::new(store))
    }

    /// Takes a store that blocks.
    pub fn blocking(store: impl blocking::TokenStore) -> Self {
        Self(Arc::new(Blocking(store)))
    }

    pub(crate) fn get(&self) -> &dyn TokenStore {
        &*self.0
    }
}

impl fmt::Debug for AnyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenStore for AnyStore {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        self.0.load(name).await
    }

    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        self.0.swap(name, expected, value, keep_for).await
    }

    fn seals(&self) -> &Seals {
        self.0.seals()
    }

    async fn announce(&self, fence: Fence) -> Result<Option<Announced>, StoreError> {
        self.0.announce(fence).await
    }

    async fn is_gone(&self, fence: Fence) -> Result<bool, StoreError> {
        self.0.is_gone(fence).await
    }
}

struct Blocking<S>(S);

#[async_trait]
impl<S: blocking::TokenStore> TokenStore for Blocking<S> {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        self.0.load(name)
    }

    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        self.0.swap(name, expected, value, keep_for)
    }

    fn seals(&self) -> &Seals {
        self.0.seals()
    }

    async fn announce(&self, fence: Fence) -> Result<Option<Announced>, StoreError> {
        self.0.announce(fence)
    }

    async fn is_gone(&self, fence: Fence) -> Result<bool, StoreError> {
        self.0.is_gone(fence)
    }
}
