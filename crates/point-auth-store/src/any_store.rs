//! [`AnyStore`]: a store of either kind.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::contract::{Announced, EntryName, Fence, Loaded, StoreError, Swapped, TokenStore};
use crate::{Seals, blocking};

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store, async or blocking. Futures of a blocking one are ready at their first poll.
#[derive(Clone)]
pub struct AnyStore(Arc<dyn DynStore>);

impl AnyStore {
    /// Takes a store that is async.
    pub fn new(store: impl TokenStore) -> Self {
        Self(Arc::new(Async(store)))
    }

    /// Takes a store that blocks.
    pub fn blocking(store: impl blocking::TokenStore) -> Self {
        Self(Arc::new(Blocking(store)))
    }

    pub(crate) fn get(&self) -> &dyn DynStore {
        &*self.0
    }
}

impl std::fmt::Debug for AnyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnyStore").finish_non_exhaustive()
    }
}

pub(crate) trait DynStore: Send + Sync {
    fn load<'a>(&'a self, name: &'a EntryName) -> Answer<'a, Loaded>;
    fn swap<'a>(
        &'a self,
        name: &'a EntryName,
        expected: Option<&'a [u8]>,
        value: &'a [u8],
        keep_for: Option<Duration>,
    ) -> Answer<'a, Swapped>;
    fn seals(&self) -> &Seals;
    fn announce(&self, fence: Fence) -> Answer<'_, Option<Announced>>;
    fn is_gone(&self, fence: Fence) -> Answer<'_, bool>;
}

struct Async<S>(S);

impl<S: TokenStore> DynStore for Async<S> {
    fn load<'a>(&'a self, name: &'a EntryName) -> Answer<'a, Loaded> {
        self.0.load(name)
    }

    fn swap<'a>(
        &'a self,
        name: &'a EntryName,
        expected: Option<&'a [u8]>,
        value: &'a [u8],
        keep_for: Option<Duration>,
    ) -> Answer<'a, Swapped> {
        self.0.swap(name, expected, value, keep_for)
    }

    fn seals(&self) -> &Seals {
        self.0.seals()
    }

    fn announce(&self, fence: Fence) -> Answer<'_, Option<Announced>> {
        self.0.announce(fence)
    }

    fn is_gone(&self, fence: Fence) -> Answer<'_, bool> {
        self.0.is_gone(fence)
    }
}

struct Blocking<S>(S);

impl<S: blocking::TokenStore> DynStore for Blocking<S> {
    fn load<'a>(&'a self, name: &'a EntryName) -> Answer<'a, Loaded> {
        Box::pin(async move { self.0.load(name) })
    }

    fn swap<'a>(
        &'a self,
        name: &'a EntryName,
        expected: Option<&'a [u8]>,
        value: &'a [u8],
        keep_for: Option<Duration>,
    ) -> Answer<'a, Swapped> {
        Box::pin(async move { self.0.swap(name, expected, value, keep_for) })
    }

    fn seals(&self) -> &Seals {
        self.0.seals()
    }

    fn announce(&self, fence: Fence) -> Answer<'_, Option<Announced>> {
        Box::pin(async move { self.0.announce(fence) })
    }

    fn is_gone(&self, fence: Fence) -> Answer<'_, bool> {
        Box::pin(async move { self.0.is_gone(fence) })
    }
}
