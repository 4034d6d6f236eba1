//! What is in Redis is sealed, by the key or by a sealer of the user's own.

use std::time::Duration;

use point_auth_core::session::SignInResult;
use point_auth_redis::blocking;
use point_auth_store::{AnyStore, Intent, Known, SealError, Sealer, Settlement, StoreKey, Verdict};
use zeroize::Zeroizing;

use crate::server::{Server, connect, query};
use crate::store::{RUNTIME, names, open};
use crate::worker::{USERNAME, credentials, granted, owner, shared, tokens, wall};

/// Seals nothing, and says so.
struct Marked;

const MARK: &[u8] = b"marked:";

impl Sealer for Marked {
    fn seal(&self, plain: &[u8], _: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok([MARK, plain].concat())
    }

    fn open(&self, sealed: &[u8], _: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let plain = sealed.strip_prefix(MARK).ok_or(SealError::Damaged)?;
        Ok(Zeroizing::new(plain.to_vec()))
    }
}

/// Signs in over one store, and looks whether another one finds the tokens.
fn shares(one: AnyStore, other: AnyStore) {
    let now = wall(Duration::ZERO);
    let right = credentials("correct horse", None);
    let intent = Intent::SignIn(&right);
    RUNTIME.block_on(async {
        let one = shared(one);
        let asked = one.consult(owner(None), intent, Known::default(), now).await.unwrap();
        let tokens = tokens(7, None, now);
        let sign_in = SignInResult::Accepted;
        let settlement = Settlement { tokens: Some(&tokens), sign_in, wall: now };
        one.settle(granted(asked.verdict), settlement).await.unwrap();
        let other = shared(other);
        let asked = other.consult(owner(None), intent, Known::default(), now).await.unwrap();
        assert!(matches!(asked.verdict, Verdict::Newer { .. }), "{:?}", asked.verdict);
    });
}

#[test]
fn neither_names_nor_tokens_nor_passwords_can_be_read_in_redis() {
    let Some(server) = Server::start() else { return };
    let key = StoreKey::generate().unwrap();
    let [one, other] = [open(&server.url(), key.clone()), open(&server.url(), key)];
    shares(AnyStore::new(one), AnyStore::new(other));
    let mut admin = connect(&server.url());
    let keys: Vec<String> = query(&mut admin, &["KEYS", "*"]);
    assert_eq!(keys.len(), 2);
    for key in keys {
        let value: Vec<u8> = query(&mut admin, &["GET", &key]);
        let all = [key.as_bytes(), &value].concat();
        for secret in [USERNAME, "jane", "correct horse", "00000000", "access_token"] {
            let found = all.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} is in {key}");
        }
    }
}

#[test]
fn a_sealer_of_the_users_own_seals_and_the_key_names() {
    let Some(server) = Server::start() else { return };
    let key = StoreKey::generate().unwrap();
    let one = open(&server.url(), key.clone()).with_sealer(Marked);
    let other = blocking::RedisStore::from_url(&server.url(), key.clone()).unwrap();
    let other = other.with_sealer(Marked);
    shares(AnyStore::new(one), AnyStore::blocking(other));
    for name in names(&key) {
        let value: Vec<u8> = server.command(&["GET", &name.to_string()]);
        assert!(value.starts_with(MARK), "{name}");
    }
}
