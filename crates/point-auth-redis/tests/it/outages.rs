//! Redis is down, slow, or ends in the middle of a reply.

use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use point_auth_store::{StoreError, Swapped};
use point_auth_testkit::{Cut, Direction, FaultProxy, Flow, LinkFaults};

use crate::server::Server;
use crate::store::{Either, some_name};

/// Far more than the limits of two seconds each that a call has.
const LONG: Duration = Duration::from_secs(30);

fn to_client(flow: Flow) -> LinkFaults {
    LinkFaults::new().with(Direction::ToClient, flow)
}

#[test]
fn a_redis_that_is_down_is_named_and_used_as_soon_as_it_is_up() {
    let Some(mut server) = Server::stopped(&[]) else { return };
    for store in Either::both(&server.url()) {
        let name = some_name();
        for _ in 0..3 {
            let error = store.load(&name).err().unwrap();
            assert_eq!(error.to_string(), "redis cannot be reached");
        }
        server.run();
        assert!(store.swapped(&name, None, b"first"));
        server.kill();
        let error = store.load(&name).err().unwrap();
        assert_eq!(error.to_string(), "redis cannot be reached");
        // What a Redis without persistence had is gone.
        server.run();
        assert_eq!(store.value(&name), None);
        assert!(store.swapped(&name, None, b"second"));
        server.kill();
    }
}

#[test]
fn a_redis_that_was_restarted_between_two_calls_goes_unnoticed() {
    let Some(mut server) = Server::start() else { return };
    for store in Either::both(&server.url()) {
        let name = some_name();
        assert!(store.swapped(&name, None, b"first"));
        server.kill();
        server.run();
        assert!(store.swapped(&name, None, b"first"));
    }
}

#[test]
fn of_many_connections_that_have_ended_none_is_used_again() {
    let Some(mut server) = Server::start() else { return };
    let proxy = FaultProxy::start(server.addr()).unwrap();
    let [_, store] = Either::both(&format!("redis://{}", proxy.addr()));
    let (store, name) = (&store, &some_name());
    // Replies take so long that the calls overlap.
    proxy.set_faults(to_client(Flow::new().latency(Duration::from_millis(300))));
    let start = &Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                start.wait();
                assert_eq!(store.value(name), None);
            });
        }
    });
    proxy.clear_faults();
    assert!(proxy.open_connections() >= 3, "{}", proxy.open_connections());
    server.kill();
    server.run();
    assert!(store.swapped(name, None, b"first"));
}

#[test]
fn a_reply_that_is_cut_at_any_byte_does_not_undo_a_swap() {
    let Some(server) = Server::start() else { return };
    let proxy = FaultProxy::start(server.addr()).unwrap();
    let url = format!("redis://{}", proxy.addr());
    // How many bytes a connection and one swap take.
    let measured = Either::both(&url).map(|store| {
        let before = proxy.bytes_passed(Direction::ToClient);
        let name = some_name();
        assert!(store.swapped(&name, None, b"first"));
        proxy.bytes_passed(Direction::ToClient) - before
    });
    let mut cuts = 0;
    for kind in [Cut::Close, Cut::Reset] {
        for bytes in 0..measured[0].max(measured[1]) {
            for store in Either::both(&url) {
                let name = some_name();
                proxy.push_faults(to_client(Flow::new().cut_after(bytes, kind)));
                let swapped = store.swap(&name, None, b"first", None);
                // A connection that does not come about is an error, and nothing else is.
                let [direct, _] = Either::both(&server.url());
                match swapped {
                    Ok(Swapped { done, .. }) => {
                        assert!(done, "{kind:?} after {bytes}");
                        assert_eq!(direct.value(&name).as_deref(), Some(&b"first"[..]));
                    }
                    Err(error) => assert_is_broken(&error),
                }
                // Whatever it was, it can be repeated.
                store.swap(&name, None, b"first", None).unwrap();
                assert_eq!(store.value(&name).as_deref(), Some(&b"first"[..]));
                cuts += 1;
            }
        }
    }
    assert_eq!(proxy.pending_faults(), 0);
    assert!(cuts > 100, "{cuts}");
}

#[test]
fn a_reply_that_is_always_cut_is_an_error_that_can_be_repeated() {
    let Some(server) = Server::start() else { return };
    let proxy = FaultProxy::start(server.addr()).unwrap();
    for store in Either::both(&format!("redis://{}", proxy.addr())) {
        let name = some_name();
        let [direct, _] = Either::both(&server.url());
        // The script is known and the connection is open, so that it is the reply that is cut.
        assert_eq!(store.value(&name), None);
        assert!(direct.swapped(&name, None, b"first"));
        proxy.set_faults(to_client(Flow::new().cut_after(3, Cut::Reset)));
        let error = store.swap(&name, Some(b"first"), b"second", None).err().unwrap();
        assert_is_broken(&error);
        proxy.clear_faults();
        store.swap(&name, Some(b"first"), b"second", None).unwrap();
        assert_eq!(store.value(&name).as_deref(), Some(&b"second"[..]));
    }
}

#[test]
fn replies_in_pieces_are_read() {
    let Some(server) = Server::start() else { return };
    let proxy = FaultProxy::start(server.addr()).unwrap();
    let drip = Flow::new().latency(Duration::from_millis(20)).slices_of(1);
    proxy.set_faults(to_client(drip));
    for store in Either::both(&format!("redis://{}", proxy.addr())) {
        let name = some_name();
        assert!(store.swapped(&name, None, b"first"));
        assert_eq!(store.value(&name).as_deref(), Some(&b"first"[..]));
    }
}

#[test]
fn a_slow_redis_is_given_up_and_its_late_reply_is_not_taken_for_another() {
    let Some(server) = Server::start() else { return };
    let proxy = FaultProxy::start(server.addr()).unwrap();
    for store in Either::both(&format!("redis://{}", proxy.addr())) {
        let (name, other) = (some_name(), some_name());
        assert!(store.swapped(&name, None, b"first"));
        assert!(store.swapped(&other, None, b"other"));
        proxy.set_faults(to_client(Flow::new().latency(Duration::from_secs(5))));
        let start = Instant::now();
        let error = store.load(&name).err().unwrap();
        assert_eq!(error.to_string(), "redis did not reply in time");
        assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
        proxy.clear_faults();
        assert_eq!(store.value(&other).as_deref(), Some(&b"other"[..]));
        assert_eq!(store.value(&name).as_deref(), Some(&b"first"[..]));
    }
}

#[test]
fn a_redis_that_says_nothing_to_a_new_connection_is_given_up() {
    let Some(server) = Server::start() else { return };
    let proxy = FaultProxy::start(server.addr()).unwrap();
    for store in Either::both(&format!("redis://{}", proxy.addr())) {
        proxy.set_faults(to_client(Flow::new().cut_after(0, Cut::Silence)));
        let (send, result) = channel();
        thread::spawn(move || send.send(store.load(&some_name()).err()));
        let error = result.recv_timeout(LONG).unwrap().unwrap();
        assert_eq!(error.to_string(), "redis did not reply in time");
        proxy.clear_faults();
    }
}

fn assert_is_broken(error: &StoreError) {
    let expected = ["the connection to redis broke", "the reply broke off, or is none of redis"];
    assert!(expected.contains(&error.to_string().as_str()), "{error:?}");
}
