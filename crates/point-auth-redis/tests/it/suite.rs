//! The store suite of the testkit.

use std::convert::Infallible;
use std::future::ready;

use point_auth_redis::blocking;
use point_auth_store::StoreKey;
use point_auth_testkit::stores::{Candidate, report};

use crate::server::{Server, connect, query};
use crate::store::open;

#[test]
fn an_async_store_keeps_the_contract() {
    let Some(server) = Server::start() else { return };
    let (url, key) = (server.url(), StoreKey::generate().unwrap());
    let opening = move || ready(Ok::<_, Infallible>(open(&url, key.clone())));
    assert_keeps(Candidate::r#async(opening), &server);
}

#[test]
fn a_blocking_store_keeps_the_contract() {
    let Some(server) = Server::start() else { return };
    let (url, key) = (server.url(), StoreKey::generate().unwrap());
    let opening = move || blocking::RedisStore::from_url(&url, key.clone());
    assert_keeps(Candidate::blocking(opening), &server);
}

fn assert_keeps(candidate: Candidate, server: &Server) {
    let url = server.url();
    let report = report(&candidate.with_dump(move || dump(&url)));
    let broken: Vec<_> = report.broken().collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

/// All names and values.
fn dump(url: &str) -> Vec<Vec<u8>> {
    let mut connection = connect(url);
    let names: Vec<String> = query(&mut connection, &["KEYS", "*"]);
    let values: Vec<Vec<u8>> =
        names.iter().map(|name| query(&mut connection, &["GET", name])).collect();
    names.into_iter().map(String::into_bytes).chain(values).collect()
}
