//! [`Counting`]: a store in memory whose commands take a millisecond and are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use point_auth::MemoryStore;
use point_auth::token_store::{
    EntryName, Loaded, Seals, StoreError, Swapped, TokenStore, blocking,
};
use point_auth::transport::async_trait;

use super::world::World;

const COMMAND: Duration = Duration::from_millis(1);

/// Clones share the values and the count.
#[derive(Clone)]
pub(super) struct Counting {
    world: World,
    inner: MemoryStore,
    commands: Arc<AtomicUsize>,
}

impl Counting {
    pub(super) fn new(world: &World) -> Self {
        let clock = world.clone();
        let inner = MemoryStore::new().unwrap().with_clock(move || clock.now());
        Self { world: world.clone(), inner, commands: Arc::default() }
    }

    pub(super) fn commands(&self) -> usize {
        self.commands.load(Ordering::Relaxed)
    }

    async fn command(&self) {
        self.commands.fetch_add(1, Ordering::Relaxed);
        self.world.sleep(COMMAND).await;
    }
}

#[async_trait]
impl TokenStore for Counting {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        self.command().await;
        blocking::TokenStore::load(&self.inner, name)
    }

    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        self.command().await;
        blocking::TokenStore::swap(&self.inner, name, expected, value, keep_for)
    }

    fn seals(&self) -> &Seals {
        blocking::TokenStore::seals(&self.inner)
    }
}
