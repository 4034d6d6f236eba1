//! Slow and idle clients, and too many of them.

use std::time::{Duration, Instant};

use point_auth_proxy::Limits;
use point_auth_testkit::{Fault, Operation};
use tokio::io::AsyncWriteExt;

use crate::streams::{http2_with_end, request};
use crate::support::{LONG, World, hasty};

/// Much more than the limits of [`hasty`], and less than any default.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_head_that_comes_too_slowly_ends_the_connection() {
    // Whatever time a body has.
    let world = World::with(|proxy| proxy.with_limits(hasty().with_idle_timeout(LONG)));
    let head = world.served.head("GET", "/loans", "");
    for beginning in ["", "G", "PRI * HTTP/2.0\r\n", &head[..20], &head[..head.len() - 2]] {
        let mut raw = world.served.connect().await;
        raw.write(beginning).await;
        let begin = Instant::now();
        let text = raw.rest().await;
        assert!(!text.contains(" 200 "), "{beginning:?}: {text}");
        assert!(begin.elapsed() < SOON);
    }
    assert_eq!(world.emulator.connections(), 0, "something was sent");
}

#[tokio::test]
async fn a_second_head_that_comes_too_slowly_ends_the_connection() {
    let world = World::with(|proxy| proxy.with_limits(hasty().with_idle_timeout(LONG)));
    let mut raw = world.served.connect().await;
    let head = world.served.head("GET", "/loans", "");
    raw.write(&head).await;
    assert_eq!(raw.answer().await.status, 200);
    raw.write(&head[..20]).await;
    let begin = Instant::now();
    let text = raw.rest().await;
    assert!(!text.contains(" 200 "), "{text}");
    assert!(begin.elapsed() < SOON);
}

#[tokio::test]
async fn a_connection_of_http_2_without_a_request_is_closed() {
    let world = World::with(|proxy| proxy.with_limits(hasty().with_head_timeout(LONG)));
    let (mut sender, end) = http2_with_end(&world.served).await;
    let request = request(&world.served, "/loans", "");
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    tokio::time::timeout(SOON, end).await.unwrap().unwrap();
    assert!(sender.is_closed());
}

#[tokio::test]
async fn a_head_in_drops_does_not_win_time() {
    let world = World::with(|proxy| proxy.with_limits(hasty()));
    let mut raw = world.served.connect().await;
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    let begin = Instant::now();
    while raw.stream.write_all(b"X").await.is_ok() {
        pace.tick().await;
        assert!(begin.elapsed() < SOON, "it is still connected");
    }
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let world = World::with(|proxy| proxy.with_limits(hasty()));
    let mut raw = world.served.connect().await;
    raw.write(world.served.head("GET", "/loans", "")).await;
    assert_eq!(raw.answer().await.status, 200);
    assert_eq!(raw.rest().await, "");
}

#[tokio::test]
async fn a_body_that_stops_is_408_and_not_the_fault_of_the_api() {
    let limits = hasty().with_response_timeout(Duration::from_millis(50));
    let world = World::with(|proxy| proxy.with_limits(limits));
    let mut raw = world.served.connect().await;
    raw.write(world.served.head("POST", "/loans", "Content-Length: 8\r\n") + "half").await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.code()), (408, "body_timeout"));
}

#[tokio::test]
async fn a_client_that_reads_no_more_is_cut_off() {
    let world = World::with(|proxy| proxy.with_limits(hasty()));
    world.emulator.push_fault_for(Operation::Other, Fault::respond(200).endless_body());
    let mut raw = world.served.connect().await;
    raw.write(world.served.head("GET", "/loans", "")).await;
    let emulator = world.emulator;
    let waiting = tokio::task::spawn_blocking(move || {
        assert!(emulator.wait_for_requests(2, LONG));
        // The endless response ends, although the client neither reads nor closes.
        emulator.wait_until_no_connection_is_open(LONG)
    });
    assert!(waiting.await.unwrap());
    drop(raw);
}

#[tokio::test]
async fn further_connections_wait_until_one_ends() {
    let world = World::with(|proxy| proxy.with_limits(Limits::new().with_connections(2)));
    let first = world.served.connect().await;
    let mut second = world.served.connect().await;
    second.write(world.served.head("GET", "/loans", "")).await;
    assert_eq!(second.answer().await.status, 200);
    let mut third = world.served.connect().await;
    third.write(world.served.head("GET", "/loans", "")).await;
    second.write(world.served.head("GET", "/loans", "")).await;
    assert_eq!(second.answer().await.status, 200);
    assert_eq!(world.emulator.count(Operation::Other), 2, "the third is not served yet");
    drop(first);
    assert_eq!(third.answer().await.status, 200);
}
