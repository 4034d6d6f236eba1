//! What Redis refuses, in words of our own.

use point_auth_redis::{RedisStore, RedisUrlError, blocking};
use point_auth_store::StoreKey;

use crate::server::{Server, connect, query};
use crate::store::{Either, RUNTIME, some_name, whole};

const PASSWORD: &str = "a-redis-password";

#[test]
fn a_full_redis_is_named_and_loses_nothing() {
    let Some(server) = Server::with(&["--maxmemory-policy", "noeviction"]) else { return };
    for store in Either::both(&server.url()) {
        let name = some_name();
        assert!(store.swapped(&name, None, b"first"));
        server.command::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
        let error = store.swap(&name, Some(b"first"), b"second", None).err().unwrap();
        assert_eq!(error.to_string(), "redis is full and evicts nothing");
        assert_eq!(store.value(&name).as_deref(), Some(&b"first"[..]));
        server.command::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
        assert!(store.swapped(&name, Some(b"first"), b"second"));
    }
}

#[test]
fn a_replica_is_named() {
    let Some(primary) = Server::start() else { return };
    let port = primary.addr().port().to_string();
    let replica = Server::with(&["--replicaof", "127.0.0.1", &port]).unwrap();
    for store in Either::both(&replica.url()) {
        let error = store.swap(&some_name(), None, b"first", None).err().unwrap();
        assert_eq!(error.to_string(), "redis is a replica here, which takes no writes");
    }
}

#[test]
fn too_few_replicas_are_named() {
    let Some(server) = Server::with(&["--min-replicas-to-write", "1"]) else { return };
    for store in Either::both(&server.url()) {
        let error = store.swap(&some_name(), None, b"first", None).err().unwrap();
        assert_eq!(error.to_string(), "redis has too few replicas to take a write");
    }
}

#[test]
fn a_password_is_needed_and_a_wrong_one_is_not_shown() {
    let Some(server) = Server::with(&["--requirepass", "the-right-password"]) else { return };
    let at = server.addr();
    let refused = "redis refuses the username or the password of the connection";
    let cases = [
        (format!("redis://:{PASSWORD}@{at}"), refused),
        (format!("redis://jane:{PASSWORD}@{at}"), refused),
        (server.url(), "redis asks for a password, and the connection has none"),
    ];
    for (url, expected) in cases {
        for store in Either::both(&url) {
            let error = store.load(&some_name()).err().unwrap();
            assert_eq!(error.to_string(), expected);
            assert!(!whole(&error).contains(PASSWORD), "{error:?}");
        }
    }
    for store in Either::both(&format!("redis://:the-right-password@{at}")) {
        assert!(store.swapped(&some_name(), None, b"first"));
    }
}

#[test]
fn a_value_of_another_program_is_not_overwritten() {
    let Some(server) = Server::start() else { return };
    for store in Either::both(&server.url()) {
        let name = some_name();
        server.command::<()>(&["RPUSH", &name.to_string(), "secret-of-another"]);
        let errors =
            [store.load(&name).err().unwrap(), store.swap(&name, None, b"x", None).err().unwrap()];
        for error in errors {
            let expected = "redis has a value of another program under the name";
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(server.command::<i64>(&["LLEN", &name.to_string()]), 1);
    }
}

#[test]
fn what_redis_says_is_not_repeated() {
    let Some(server) = Server::start() else { return };
    let mut admin = connect(&server.url());
    for store in Either::both(&server.url()) {
        let name = some_name();
        // Redis answers an unknown command with its arguments, which is what the name is here.
        query::<()>(&mut admin, &["ACL", "SETUSER", "default", "-eval", "-evalsha"]);
        let error = store.load(&name).err().unwrap();
        query::<()>(&mut admin, &["ACL", "SETUSER", "default", "+eval", "+evalsha"]);
        assert_eq!(error.to_string(), "the user of the connection lacks a permission in redis");
        assert!(!whole(&error).contains("eval"), "{error:?}");
    }
}

#[test]
fn a_url_that_cannot_be_used_is_refused_without_its_password() {
    let cases = [
        (format!("rediss://jane:{PASSWORD}@127.0.0.1"), RedisUrlError::Tls),
        (format!("REDISS://jane:{PASSWORD}@127.0.0.1"), RedisUrlError::Tls),
        (format!("valkeys://jane:{PASSWORD}@127.0.0.1"), RedisUrlError::Tls),
        (format!("https://jane:{PASSWORD}@127.0.0.1"), RedisUrlError::Malformed),
        (format!("redis://jane:{PASSWORD}@127.0.0.1/database"), RedisUrlError::Malformed),
        (format!("redis://jane:{PASSWORD}@127.0.0.1:port"), RedisUrlError::Malformed),
        (PASSWORD.to_owned(), RedisUrlError::Malformed),
    ];
    let _runtime = RUNTIME.enter();
    for (url, expected) in cases {
        let key = StoreKey::generate().unwrap();
        let errors = [
            RedisStore::from_url(&url, key.clone()).unwrap_err(),
            blocking::RedisStore::from_url(&url, key).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error, expected, "{url}");
            assert!(!whole(&error).contains(PASSWORD), "{error:?}");
        }
    }
}

#[test]
fn a_store_does_not_show_its_password() {
    let url = format!("redis://jane:{PASSWORD}@127.0.0.1");
    let key = StoreKey::generate().unwrap();
    let blocking = blocking::RedisStore::from_url(&url, key.clone()).unwrap();
    assert!(matches!(RedisStore::from_url(&url, key.clone()), Err(RedisUrlError::NoRuntime)));
    let _runtime = RUNTIME.enter();
    let store = RedisStore::from_url(&url, key).unwrap();
    assert!(!format!("{store:?} {store:#?} {blocking:?} {blocking:#?}").contains(PASSWORD));
}
