//! [`FileStore`]: what it refuses, what it keeps through faults, and real processes.

mod clock;
mod faults;
mod opening;
mod processes;
mod scratch;

use std::time::SystemTime;

use point_auth_core::session::Policy;
use point_auth_core::{BaseUrl, Credentials};
use point_auth_store::blocking::TokenStore;
use point_auth_store::{
    AnyStore, EntryName, FileStore, Intent, Known, Owner, SharedTokens, Verdict,
};
use pollster::block_on;

const JANE: Owner<'static> = Owner { username: "jane@example.com", user_alias: None };

fn name(store: &FileStore, username: &str) -> EntryName {
    store.seals().login_name(&BaseUrl::production(), username)
}

fn load(store: &FileStore, name: &EntryName) -> Option<Vec<u8>> {
    store.load(name).unwrap().value
}

fn shared(store: &FileStore) -> SharedTokens {
    let store = AnyStore::blocking(store.clone());
    SharedTokens::new(store, &BaseUrl::production(), Policy::default())
}

fn credentials() -> Credentials {
    Credentials::new(JANE.username, "correct horse").unwrap()
}

fn sign_in(store: &FileStore) -> Verdict {
    let (credentials, known) = (credentials(), Known::default());
    let shared = shared(store);
    let asked = shared.consult(JANE, Intent::SignIn(&credentials), known, SystemTime::now());
    block_on(asked).unwrap().verdict
}

#[test]
fn a_holder_in_this_process_is_alive_and_gone_when_it_lets_go() {
    let scratch = scratch::Scratch::new("holder");
    let (one, other) = (scratch.open(), scratch.open());
    let Verdict::Granted(grant) = sign_in(&one) else { panic!("not granted") };
    for store in [&one, &other, &one.clone()] {
        assert!(matches!(sign_in(store), Verdict::InUse(_)));
    }
    drop(grant);
    assert!(matches!(sign_in(&other), Verdict::Granted(_)));
    assert_eq!(scratch.names("store/holders"), Vec::<String>::new());
}

#[test]
fn two_handles_in_a_process_keep_out_of_each_others_way() {
    let scratch = scratch::Scratch::new("handles");
    let name = name(&scratch.open(), "counter");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let store = scratch.open();
            let name = &name;
            scope.spawn(move || processes::count(&store, name, 25));
        }
    });
    let count = load(&scratch.open(), &name).unwrap();
    assert_eq!(count, 100_u32.to_be_bytes());
}

#[test]
fn nothing_of_the_store_shows_the_key() {
    let scratch = scratch::Scratch::new("debug");
    let store = scratch.open();
    let shown = format!("{store:?}");
    assert!(shown.contains("store"), "{shown}");
    let key = std::fs::read_to_string(scratch.path("store/key")).unwrap();
    let key = key.split(':').next().unwrap();
    assert!(!shown.contains(key), "{shown}");
}
