//! Properties of all that is read: any bytes give an error or a value, and no panic.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use point_auth_core::session::{
    KeptLedger, KeptPassword, KeptPermit, Policy, SignInResult, StoredTokens,
};
use point_auth_core::{BaseUrl, Credentials, Denial};
use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::Config;

use crate::blocking::TokenStore;
use crate::contract::Fence;
use crate::record::{AliasRecord, HeldPermit, KeptDenial, KeptTokens, LoginRecord};
use crate::sealing::{SealError, Seals};
use crate::{
    AnyStore, Intent, Known, MemoryStore, Owner, Settlement, SharedTokens, StoreKey, StoreKeyError,
    Verdict,
};

fn config() -> Config {
    // What has failed once becomes a test of its own.
    Config { failure_persistence: None, ..Config::default() }
}

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Flip(place, bit) if !bytes.is_empty() => {
                let place = place.index(bytes.len());
                bytes[place] ^= 1 << (bit % 8);
            }
            Self::Cut(place) => bytes.truncate(place.index(bytes.len() + 1)),
            Self::Insert(place, what) => {
                let place = place.index(bytes.len() + 1);
                bytes.splice(place..place, what.iter().copied());
            }
            Self::Remove(one, other) => {
                let (one, other) = (one.index(bytes.len() + 1), other.index(bytes.len() + 1));
                bytes.drain(one.min(other)..one.max(other));
            }
            Self::Flip(..) => {}
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(place, bit)| Change::Flip(place, bit)),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), vec(any::<u8>(), 1..8)).prop_map(|(at, what)| Change::Insert(at, what)),
        (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Change::Remove(one, other)),
    ];
    vec(change, 1..4)
}

fn key() -> impl Strategy<Value = [u8; 32]> {
    any::<[u8; 32]>()
}

/// A time in milliseconds, often at the edges.
fn time() -> impl Strategy<Value = Duration> {
    let edges = prop_oneof![Just(0), Just(u64::MAX), Just(u64::MAX - 1), Just(1 << 53)];
    prop_oneof![edges, any::<u64>(), 0..10_000_000_u64].prop_map(Duration::from_millis)
}

fn fence() -> impl Strategy<Value = Fence> {
    any::<u128>().prop_map(Fence::of)
}

fn tokens() -> impl Strategy<Value = KeptTokens> {
    let parts = (fence(), any::<u32>(), any::<u32>(), any::<bool>());
    parts.prop_map(|(version, since, expires_in, is_refreshable)| {
        let refresh = if is_refreshable {
            format!(r#","refresh_token":"a","refresh_token_came_at":{since}"#)
        } else {
            String::new()
        };
        let json = format!(
            r#"{{"base":"https://api.pointservices.com","username":"jane","user_alias":null,
                "access_token":"token","asked_at":{since},"expires_in":{expires_in}{refresh}}}"#
        );
        let tokens = StoredTokens::from_json(json.as_bytes()).unwrap();
        KeptTokens { version, tokens }
    })
}

fn denial() -> impl Strategy<Value = KeptDenial> {
    let parts = (any::<String>(), proptest::option::of(fence()), any::<String>());
    (parts, proptest::option::of(any::<String>())).prop_map(|((of, epoch, code), description)| {
        let denial = Denial::from_kept(StatusCode::FORBIDDEN, code, description);
        KeptDenial { fingerprint: of, epoch, denial }
    })
}

prop_compose! {
    fn alias_record()(
        tokens in proptest::option::of(tokens()),
        permit in proptest::option::of((fence(), time(), time())),
        worked in proptest::option::of(any::<String>()),
        denied in vec(denial(), 0..5),
    ) -> AliasRecord {
        let permit = permit.map(|(fence, until, life)| HeldPermit { fence, until, life });
        AliasRecord { tokens, permit, worked, denied }
    }
}

prop_compose! {
    fn password()(
        key in any::<String>(),
        is_proven in any::<bool>(),
        worked_denials in (any::<u32>(), time()),
        other_denials in (any::<u32>(), time()),
        unknown in any::<u32>(),
        unknown_until in proptest::option::of(time()),
    ) -> KeptPassword<String> {
        KeptPassword { key, is_proven, worked_denials, other_denials, unknown, unknown_until }
    }
}

prop_compose! {
    fn permit()(
        id in any::<u128>(),
        key in any::<String>(),
        has_worked in any::<bool>(),
        expires in time(),
    ) -> KeptPermit<String> {
        KeptPermit { id, key, has_worked, expires }
    }
}

prop_compose! {
    fn login_record()(
        epoch in proptest::option::of(fence()),
        passwords in vec(password(), 0..8),
        permits in vec(permit(), 0..8),
        written in time(),
    ) -> LoginRecord {
        LoginRecord { epoch, ledger: KeptLedger { passwords, permits }, written }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_key_that_is_shown_is_read_again(index in key(), ring in vec(key(), 1..4)) {
        let ring: Vec<_> = ring.iter().map(|key| URL_SAFE_NO_PAD.encode(key)).collect();
        let text = format!(" {} : {}\n", STANDARD.encode(index), ring.join(" , "));
        let parsed = StoreKey::parse(&text).unwrap();
        let again = StoreKey::parse(&parsed.expose()).unwrap();
        prop_assert_eq!(&*again.expose(), &*parsed.expose());
        let shown = format!("{again:?}");
        prop_assert!(!shown.contains(&STANDARD.encode(index)), "{}", shown);
    }

    #[test]
    fn any_text_is_a_key_or_an_error(text in "\\PC*|[A-Za-z0-9+/=:, _-]{0,200}") {
        let parsed = StoreKey::parse(&text);
        let malformed = StoreKeyError::Malformed { name: None };
        prop_assert!(parsed.err().is_none_or(|error| error == malformed));
    }

    #[test]
    fn a_key_that_was_changed_is_another_or_an_error(key in key(), changes in changes()) {
        let text = StoreKey::parse(&STANDARD.encode(key)).unwrap().expose();
        let mut bytes = text.as_bytes().to_vec();
        changes.iter().for_each(|change| change.apply(&mut bytes));
        let _is_read = StoreKey::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_bytes_are_a_record_or_damaged(bytes in vec(any::<u8>(), 0..200)) {
        let alias = AliasRecord::from_json(&bytes).map(|_| ());
        prop_assert!(matches!(alias, Ok(()) | Err(SealError::Damaged)));
        let login = LoginRecord::from_json(&bytes).map(|_| ());
        prop_assert!(matches!(login, Ok(()) | Err(SealError::Damaged)));
    }

    #[test]
    fn a_record_of_an_alias_is_read_as_it_was_written(record in alias_record()) {
        let json = record.to_json();
        let read = AliasRecord::from_json(json.as_ref()).unwrap();
        let again = read.to_json();
        prop_assert_eq!(again.as_ref(), json.as_ref());
        prop_assert_eq!(read.denied.len(), record.denied.len());
    }

    #[test]
    fn a_record_of_a_login_is_read_as_it_was_written(record in login_record()) {
        let read = LoginRecord::from_json(record.to_json().as_ref()).unwrap();
        prop_assert!(read == record);
    }

    #[test]
    fn a_record_that_was_changed_is_a_record_or_damaged(
        alias in alias_record(),
        login in login_record(),
        changes in changes(),
    ) {
        let mut json = alias.to_json().as_ref().to_vec();
        changes.iter().for_each(|change| change.apply(&mut json));
        let _is_read = AliasRecord::from_json(&json);
        let mut json = login.to_json().as_ref().to_vec();
        changes.iter().for_each(|change| change.apply(&mut json));
        let _is_read = LoginRecord::from_json(&json);
    }

    #[test]
    fn what_was_sealed_is_opened_with_its_name_alone(
        key in key(),
        plain in vec(any::<u8>(), 0..300),
        (username, other) in ("[a-z]{1,8}", "[a-z]{1,8}"),
        user_alias in proptest::option::of("[a-z]{1,8}"),
    ) {
        let seals = Seals::new(&StoreKey::parse(&STANDARD.encode(key)).unwrap());
        let base = BaseUrl::production();
        let name = seals.alias_name(&base, &username, user_alias.as_deref());
        let sealed = seals.seal(&plain, &name).unwrap();
        prop_assert_eq!(&*seals.open(&sealed, &name).unwrap(), &plain);
        // The nonce is new each time.
        prop_assert_ne!(&seals.seal(&plain, &name).unwrap(), &sealed);
        let others = [
            seals.login_name(&base, &username),
            seals.alias_name(&base, &username, Some(&format!("{other}+"))),
            seals.alias_name(&base, &format!("{other}+"), user_alias.as_deref()),
        ];
        for other in others {
            prop_assert_eq!(seals.open(&sealed, &other).unwrap_err(), SealError::Damaged);
        }
    }

    #[test]
    fn a_sealed_value_that_was_changed_is_refused(
        key in key(),
        plain in vec(any::<u8>(), 0..300),
        changes in changes(),
    ) {
        let seals = Seals::new(&StoreKey::parse(&STANDARD.encode(key)).unwrap());
        let name = seals.login_name(&BaseUrl::production(), "jane");
        let sealed = seals.seal(&plain, &name).unwrap();
        let mut changed = sealed.clone();
        changes.iter().for_each(|change| change.apply(&mut changed));
        prop_assume!(changed != sealed);
        prop_assert!(seals.open(&changed, &name).is_err());
    }

    #[test]
    fn a_sealed_value_with_one_bit_changed_is_refused(
        key in key(),
        plain in vec(any::<u8>(), 0..100),
        place in any::<Index>(),
        bit in 0..8_u8,
    ) {
        let seals = Seals::new(&StoreKey::parse(&STANDARD.encode(key)).unwrap());
        let name = seals.login_name(&BaseUrl::production(), "jane");
        let mut sealed = seals.seal(&plain, &name).unwrap();
        Change::Flip(place, bit).apply(&mut sealed);
        prop_assert!(seals.open(&sealed, &name).is_err());
    }

    #[test]
    fn any_bytes_that_are_opened_are_an_error(bytes in vec(any::<u8>(), 0..200)) {
        let seals = Seals::new(&StoreKey::parse(&STANDARD.encode([7; 32])).unwrap());
        let name = seals.login_name(&BaseUrl::production(), "jane");
        prop_assert!(seals.open(&bytes, &name).is_err());
    }

    /// A record with any times in it, as a store of a broken clock may have: a process that reads
    /// it gets an answer, and gives back what it was granted.
    #[test]
    fn any_record_gives_a_verdict(
        alias in alias_record(),
        login in login_record(),
        now in time(),
        (is_sign_in, wall) in (any::<bool>(), any::<u32>()),
    ) {
        let store = MemoryStore::new().unwrap().with_clock(move || now);
        let (base, seals) = (BaseUrl::production(), TokenStore::seals(&store).clone());
        let names = [seals.alias_name(&base, "jane", None), seals.login_name(&base, "jane")];
        for (name, json) in names.iter().zip([alias.to_json(), login.to_json()]) {
            let sealed = seals.seal(json.as_ref(), name).unwrap();
            TokenStore::swap(&store, name, None, &sealed, None).unwrap();
        }
        let shared = SharedTokens::new(AnyStore::blocking(store), &base, Policy::default());
        let credentials = Credentials::new("jane", "password").unwrap();
        let intent = if is_sign_in { Intent::SignIn(&credentials) } else { Intent::Refresh };
        let owner = Owner { username: "jane", user_alias: None };
        let wall = UNIX_EPOCH + Duration::from_secs(wall.into());
        let consulted = shared.consult(owner, intent, Known::default(), wall);
        let consulted = block_on(consulted).unwrap();
        prop_assert_eq!(consulted.problem, None);
        if let Verdict::Granted(grant) = consulted.verdict {
            let sign_in = SignInResult::Inconclusive;
            let settlement = Settlement { tokens: None, sign_in, wall };
            block_on(shared.settle(grant, settlement)).unwrap();
        }
    }
}
