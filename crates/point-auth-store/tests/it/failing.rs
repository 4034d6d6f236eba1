//! What a store's verdict is worth when the store fails right after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use point_auth_core::http::StatusCode;
use point_auth_core::session::{Policy, SignInResult};
use point_auth_core::{BaseUrl, Credentials, Denial};
use point_auth_store::blocking::TokenStore;
use point_auth_store::{
    AnyStore, EntryName, Intent, Known, Loaded, MemoryStore, Owner, Refusal, Seals, Settlement,
    SharedTokens, StoreError, Swapped, Verdict,
};
use pollster::block_on;

/// A store that does so many more swaps, and fails then.
#[derive(Clone)]
struct Failing(MemoryStore, Arc<AtomicUsize>);

impl TokenStore for Failing {
    fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        TokenStore::load(&self.0, name)
    }

    fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        let left = |left: usize| left.checked_sub(1);
        match self.1.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left) {
            Ok(_) => TokenStore::swap(&self.0, name, expected, value, keep_for),
            Err(_) => Err(StoreError::new("connection reset")),
        }
    }

    fn seals(&self) -> &Seals {
        TokenStore::seals(&self.0)
    }
}

#[test]
fn a_denial_is_found_in_a_store_that_takes_no_change() {
    let left = Arc::new(AtomicUsize::new(100));
    let store = AnyStore::blocking(Failing(MemoryStore::new().unwrap(), Arc::clone(&left)));
    let shared = SharedTokens::new(store, &BaseUrl::production(), Policy::default());
    let wrong = Credentials::new("jane@example.com", "wrong").unwrap();
    let owner = Owner { username: "jane@example.com", user_alias: None };
    let consult = || {
        let intent = Intent::SignIn(&wrong);
        block_on(shared.consult(owner, intent, Known::default(), UNIX_EPOCH)).unwrap().verdict
    };
    let Verdict::Granted(grant) = consult() else { panic!("the first one is not granted") };
    let denial = Denial::from_kept(StatusCode::FORBIDDEN, "access_denied".to_owned(), None);
    let sign_in = SignInResult::Denied(&denial);
    let settlement = Settlement { tokens: None, sign_in, wall: UNIX_EPOCH };
    block_on(shared.settle(grant, settlement)).unwrap();
    left.store(0, Ordering::SeqCst);
    let verdict = consult();
    assert!(matches!(verdict, Verdict::Rejected(Refusal::Denied(_))), "{verdict:?}");
}
