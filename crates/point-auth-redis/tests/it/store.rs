//! The two stores behind one face, and names for their values.

use std::error::Error;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime};

use point_auth_core::BaseUrl;
use point_auth_core::session::Policy;
use point_auth_redis::{RedisStore, blocking};
use point_auth_store::{
    AnyStore, EntryName, Known, Loaded, Owner, Seals, SharedTokens, StoreError, StoreKey, Swapped,
    TokenStore,
};
use tokio::runtime::{Builder, Runtime};

/// Runs the connections of all tests.
pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

pub(crate) enum Either {
    Async(RedisStore),
    Blocking(blocking::RedisStore),
}

impl Either {
    /// One of each.
    pub(crate) fn both(url: &str) -> [Self; 2] {
        let key = StoreKey::generate().unwrap();
        let blocking = blocking::RedisStore::from_url(url, key.clone()).unwrap();
        [Self::Async(open(url, key)), Self::Blocking(blocking)]
    }

    pub(crate) fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        match self {
            Self::Async(store) => RUNTIME.block_on(store.load(name)),
            Self::Blocking(store) => point_auth_store::blocking::TokenStore::load(store, name),
        }
    }

    pub(crate) fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        match self {
            Self::Async(store) => RUNTIME.block_on(store.swap(name, expected, value, keep_for)),
            Self::Blocking(store) => {
                use point_auth_store::blocking::TokenStore;
                store.swap(name, expected, value, keep_for)
            }
        }
    }

    pub(crate) fn value(&self, name: &EntryName) -> Option<Vec<u8>> {
        self.load(name).unwrap().value
    }

    pub(crate) fn swapped(&self, name: &EntryName, expected: Option<&[u8]>, value: &[u8]) -> bool {
        self.swap(name, expected, value, None).unwrap().done
    }
}

/// An async store, whose connection runs on [`RUNTIME`].
pub(crate) fn open(url: &str, key: StoreKey) -> RedisStore {
    let _runtime = RUNTIME.enter();
    RedisStore::from_url(url, key).unwrap()
}

/// A name that no other test has.
pub(crate) fn some_name() -> EntryName {
    names(&StoreKey::generate().unwrap())[0].clone()
}

/// The names of an alias and of its login, as tokens are kept under.
pub(crate) fn names(key: &StoreKey) -> [EntryName; 2] {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let store = Asked { asked: Arc::clone(&asked), seals: Seals::new(key) };
    let policy = Policy::default();
    let shared = SharedTokens::new(AnyStore::new(store), &BaseUrl::production(), policy);
    let owner = Owner { username: "jane@example.com", user_alias: None };
    pollster::block_on(shared.look(owner, None, Known::default(), SystemTime::now())).unwrap();
    let asked = asked.lock().unwrap();
    [asked[0].clone(), asked[1].clone()]
}

/// Remembers the names that it is asked for.
struct Asked {
    asked: Arc<Mutex<Vec<EntryName>>>,
    seals: Seals,
}

#[async_trait::async_trait]
impl TokenStore for Asked {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        self.asked.lock().unwrap().push(name.clone());
        Ok(Loaded { value: None, now: Duration::ZERO })
    }

    async fn swap(
        &self,
        _: &EntryName,
        _: Option<&[u8]>,
        _: &[u8],
        _: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        Ok(Swapped { done: false, now: Duration::ZERO })
    }

    fn seals(&self) -> &Seals {
        &self.seals
    }
}

/// The error with all its causes, as `Display` and as `Debug`.
pub(crate) fn whole(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("{error:?}");
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&format!(" | {error}"));
        next = error.source();
    }
    text
}
