//! [`Shaky`]: a store in memory that fails in many ways.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use point_auth::MemoryStore;
use point_auth::token_store::{
    EntryName, Loaded, Seals, StoreError, Swapped, TokenStore, blocking,
};
use point_auth::transport::async_trait;

use super::world::World;

/// How the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    Works,
    Fails,
    /// It takes three seconds, which is longer than a session waits.
    IsSlow,
    /// It does what it is told, and its reply gets lost.
    LosesReplies,
    /// It fails every second time.
    Flaps,
}

#[derive(Clone)]
pub(super) struct Shaky {
    world: World,
    inner: MemoryStore,
    state: Arc<Mutex<State>>,
}

struct State {
    how: Store,
    commands: usize,
    /// When it last was not as it should be.
    disturbed: Option<Duration>,
}

impl Shaky {
    pub(super) fn new(world: &World) -> Self {
        let clock = world.clone();
        let inner = MemoryStore::new().unwrap().with_clock(move || clock.now());
        let state = State { how: Store::Works, commands: 0, disturbed: None };
        Self { world: world.clone(), inner, state: Arc::new(Mutex::new(state)) }
    }

    pub(super) fn is_now(&self, how: Store) {
        self.state.lock().unwrap().how = how;
    }

    pub(super) fn flush(&self) {
        self.inner.clear();
        self.state.lock().unwrap().disturbed = Some(self.world.now());
    }

    pub(super) fn commands(&self) -> usize {
        self.state.lock().unwrap().commands
    }

    /// When a command failed last, or values were lost.
    pub(super) fn disturbed(&self) -> Option<Duration> {
        self.state.lock().unwrap().disturbed
    }

    async fn command<T>(&self, run: impl FnOnce() -> T) -> Result<T, StoreError> {
        let how = {
            let mut state = self.state.lock().unwrap();
            state.commands += 1;
            if state.how != Store::Works {
                state.disturbed = Some(self.world.now());
            }
            match (state.how, state.commands % 2) {
                (Store::Flaps, 0) => Store::Works,
                (Store::Flaps, _) => Store::Fails,
                (how, _) => how,
            }
        };
        let takes = if how == Store::IsSlow { 3_000 } else { 2 };
        self.world.after(Duration::from_millis(takes)).await;
        match how {
            Store::Works | Store::IsSlow => Ok(run()),
            Store::LosesReplies => {
                run();
                Err(StoreError::new("the reply got lost"))
            }
            Store::Fails | Store::Flaps => Err(StoreError::new("connection refused")),
        }
    }
}

#[async_trait]
impl TokenStore for Shaky {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        self.command(|| blocking::TokenStore::load(&self.inner, name)).await?
    }

    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        let swap = || blocking::TokenStore::swap(&self.inner, name, expected, value, keep_for);
        self.command(swap).await?
    }

    fn seals(&self) -> &Seals {
        blocking::TokenStore::seals(&self.inner)
    }
}
