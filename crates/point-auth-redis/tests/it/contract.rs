//! What the contract of a store promises.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::server::Server;
use crate::store::{Either, some_name};

#[test]
fn a_value_is_written_only_over_the_one_that_is_expected() {
    let Some(server) = Server::start() else { return };
    for store in Either::both(&server.url()) {
        let name = some_name();
        assert_eq!(store.value(&name), None);
        assert!(!store.swapped(&name, Some(b"first"), b"second"));
        assert_eq!(store.value(&name), None);
        assert!(store.swapped(&name, None, b"first"));
        assert!(!store.swapped(&name, None, b"second"));
        assert!(!store.swapped(&name, Some(b"other"), b"second"));
        assert!(!store.swapped(&name, Some(b""), b"second"));
        assert_eq!(store.value(&name).as_deref(), Some(&b"first"[..]));
        assert!(store.swapped(&name, Some(b"first"), b"second"));
        assert_eq!(store.value(&name).as_deref(), Some(&b"second"[..]));
    }
}

#[test]
fn of_two_that_write_the_same_value_one_is_done() {
    let Some(server) = Server::start() else { return };
    for store in Either::both(&server.url()) {
        let name = some_name();
        assert!(store.swapped(&name, None, b"first"));
        assert!(!store.swapped(&name, None, b"first"));
        assert!(store.swapped(&name, Some(b"first"), b"second"));
        assert!(!store.swapped(&name, Some(b"first"), b"second"));
        assert!(store.swapped(&name, Some(b"second"), b"second"));
    }
}

#[test]
fn values_may_be_any_bytes() {
    let Some(server) = Server::start() else { return };
    let all: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
    for store in Either::both(&server.url()) {
        let name = some_name();
        let values = [&b""[..], b"\0", b"\r\n$-1\r\n", b"0", b"nil", b"\xff\xfe", &all];
        let mut expected = None;
        for value in values {
            assert!(store.swapped(&name, expected, value), "{value:?}");
            assert_eq!(store.value(&name).as_deref(), Some(value));
            expected = Some(value);
        }
    }
}

#[test]
fn one_of_many_that_expect_the_same_value_is_done() {
    const CONNECTIONS: u64 = 8;
    const EACH: u64 = 50;
    let Some(server) = Server::start() else { return };
    let name = &some_name();
    let url = server.url();
    let count = |value: Option<&[u8]>| {
        value.map_or(0, |value| u64::from_be_bytes(value[..8].try_into().unwrap()))
    };
    thread::scope(|scope| {
        for worker in 0..CONNECTIONS {
            let [async_store, blocking_store] = Either::both(&url);
            let store = if worker % 2 == 0 { async_store } else { blocking_store };
            scope.spawn(move || {
                for turn in 0..EACH {
                    loop {
                        let found = store.value(name);
                        let next = count(found.as_deref()) + 1;
                        // No two values are the same.
                        let value = [next, worker, turn].map(u64::to_be_bytes).concat();
                        if store.swapped(name, found.as_deref(), &value) {
                            break;
                        }
                    }
                }
            });
        }
    });
    let [store, _] = Either::both(&url);
    assert_eq!(count(store.value(name).as_deref()), CONNECTIONS * EACH);
}

#[test]
fn a_value_is_kept_for_the_time_that_was_given_and_for_good_without_one() {
    let Some(server) = Server::start() else { return };
    for store in Either::both(&server.url()) {
        let name = some_name();
        let left = || server.command::<i64>(&["PTTL", &name.to_string()]);
        let hour = Duration::from_secs(3600);
        assert!(store.swap(&name, None, b"first", Some(hour)).unwrap().done);
        assert!((3_000_000..=3_600_000).contains(&left()), "{}", left());
        assert!(store.swap(&name, Some(b"first"), b"second", None).unwrap().done);
        assert_eq!(left(), -1);
        assert!(store.swap(&name, Some(b"second"), b"third", Some(Duration::MAX)).unwrap().done);
        assert_eq!(left(), -1);
        let long = Duration::from_secs(100 * 365 * 24 * 3600);
        assert!(store.swap(&name, Some(b"third"), b"fourth", Some(long)).unwrap().done);
        assert!(left() > 3_000_000_000_000);
    }
}

#[test]
fn the_time_is_that_of_redis_in_every_answer() {
    let Some(server) = Server::start() else { return };
    let time = || {
        let (seconds, microseconds): (u64, u64) = server.command(&["TIME"]);
        Duration::from_secs(seconds) + Duration::from_micros(microseconds)
    };
    for store in Either::both(&server.url()) {
        let name = some_name();
        let before = time();
        let times = [
            store.load(&name).unwrap().now,
            store.swap(&name, None, b"first", None).unwrap().now,
            store.swap(&name, None, b"second", None).unwrap().now,
            store.swap(&name, None, b"first", None).unwrap().now,
            store.load(&name).unwrap().now,
        ];
        let after = time();
        assert!(before <= times[0] && times.is_sorted() && times[4] <= after, "{times:?}");
    }
    let here = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(here.abs_diff(time()) < Duration::from_secs(60));
}

#[test]
fn a_store_that_was_emptied_or_lost_its_scripts_goes_on() {
    let Some(server) = Server::start() else { return };
    for store in Either::both(&server.url()) {
        let name = some_name();
        assert!(store.swapped(&name, None, b"first"));
        server.command::<()>(&["SCRIPT", "FLUSH"]);
        assert!(store.swapped(&name, Some(b"first"), b"second"));
        server.command::<()>(&["SCRIPT", "FLUSH"]);
        assert_eq!(store.value(&name).as_deref(), Some(&b"second"[..]));
        server.command::<()>(&["FLUSHALL"]);
        assert_eq!(store.value(&name), None);
        assert!(store.swapped(&name, None, b"third"));
    }
}
