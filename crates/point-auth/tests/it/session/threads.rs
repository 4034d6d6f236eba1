//! Many threads, and callers of any kind with short timeouts or without any need to wait.

use std::time::{Duration, Instant};

use point_auth::{ErrorKind, Session, UreqTransport, blocking};
use point_auth_testkit::Fault;

use super::support::{World, many, on_threads, on_tokio};
use super::transports::{LONG, OnThread, wait_until};
use crate::support::{credentials, runtime};

#[test]
fn two_hundred_threads_on_an_empty_session_cause_one_exchange() {
    let world = World::threads();
    let session = world.blocking_session();
    world.emulator.always(Fault::pass().delay(Duration::from_millis(50)));
    let threads = on_threads(200, &session, blocking::Session::access_token);
    let got: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
    assert!(got.iter().all(|token| *token == got[0]));
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn the_first_exchange_fails_and_all_threads_succeed_after_the_second() {
    let world = World::threads();
    let session = world.blocking_session();
    world.emulator.push_fault(Fault::respond(500));
    let threads = on_threads(200, &session, blocking::Session::access_token);
    world.pass_until(|| threads.iter().all(std::thread::JoinHandle::is_finished));
    assert!(threads.into_iter().all(|thread| thread.join().unwrap().is_ok()));
    assert_eq!(world.sign_ins(), 2);
}

#[test]
fn a_thread_with_a_timeout_of_fifty_milliseconds_leaves_in_time_and_the_others_are_served() {
    let world = World::threads();
    let client = world.blocking_client();
    // In real time, because such a caller uses the real clock.
    let session = blocking::Session::new(client, credentials());
    world.control.hold();
    let others = on_threads(20, &session, blocking::Session::access_token);
    let begun = Instant::now();
    let error = session.access_token_within(Duration::from_millis(50)).unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Timeout, true));
    assert!(begun.elapsed() < LONG);
    assert_eq!(world.control.in_flight(), 1);
    world.control.release();
    assert!(others.into_iter().all(|thread| thread.join().unwrap().is_ok()));
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn a_task_with_a_timeout_of_fifty_milliseconds_leaves_in_time_and_the_others_are_served() {
    for world in [World::new(), World::threads()] {
        let session = world.session();
        world.control.hold();
        let runtime = runtime();
        let others: Vec<_> =
            many(&session, 20).into_iter().map(|other| runtime.spawn(other)).collect();
        world.control.wait_for_in_flight(1);
        let impatient = session.clone();
        let impatient = runtime
            .spawn(async move { impatient.access_token_within(Duration::from_millis(50)).await });
        // Including the one of the exchange.
        wait_until("22 who sleep", || world.time.sleepers() >= 22);
        world.time.advance(Duration::from_millis(50));
        let error = runtime.block_on(impatient).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        world.control.release();
        for other in others {
            assert!(runtime.block_on(other).unwrap().is_ok());
        }
        assert_eq!(world.sign_ins(), 1);
    }
}

/// Time stands still and the exchange is held back, so that a waiter would wait without end.
#[test]
fn none_of_a_thousand_tasks_waits_while_an_expiring_token_is_refreshed() {
    let world = World::new();
    let session = world.session();
    let runtime = runtime();
    let old = runtime.block_on(session.access_token()).unwrap();
    world.time.advance(Duration::from_secs(3600 - 100));
    world.control.hold();
    let got = on_tokio(&runtime, many(&session, 1000));
    assert!(got.into_iter().all(|got| got.unwrap() == old));
    world.control.wait_for_in_flight(1);
    world.control.release();
    wait_until("the next token", || session.current_token().is_some_and(|token| token != old));
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 1));
}

#[test]
fn none_of_two_hundred_threads_waits_while_an_expiring_token_is_refreshed() {
    let world = World::threads();
    let session = world.blocking_session();
    let old = session.access_token().unwrap();
    world.time.advance(Duration::from_secs(3600 - 100));
    world.control.hold();
    let got = on_threads(200, &session, blocking::Session::access_token);
    assert!(got.into_iter().all(|thread| thread.join().unwrap().unwrap() == old));
    world.control.wait_for_in_flight(1);
    world.control.release();
    wait_until("the next token", || session.current_token().is_some_and(|token| token != old));
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 1));
}

/// A transport that breaks the contract and exceeds every limit must not block the session.
#[test]
fn a_transport_that_hangs_counts_as_abandoned_and_a_waiter_takes_over() {
    let world = World::threads();
    let session = world.blocking_session();
    world.control.hold();
    let patient =
        on_threads(1, &session, |session| session.access_token_within(Duration::from_secs(120)));
    world.control.wait_for_in_flight(1);
    wait_until("a sleeper", || world.time.sleepers() > 0);
    world.time.advance(Duration::from_secs(33));
    wait_until("another sleeper", || world.time.sleepers() > 0);
    world.time.advance(Duration::from_secs(5));
    world.control.wait_for_in_flight(2);
    world.control.release();
    assert!(patient.into_iter().all(|thread| thread.join().unwrap().is_ok()));
    assert_eq!(session.snapshot().counts.abandoned, 1);
}

#[test]
fn a_blocking_transport_behind_an_async_interface_serves_an_async_session_without_any_runtime() {
    let world = World::threads();
    let ureq = OnThread(std::sync::Arc::new(UreqTransport::new().unwrap()));
    let session = Session::new(world.client_over(ureq), credentials());
    let threads: Vec<_> = many(&session, 20)
        .into_iter()
        .map(|one| std::thread::spawn(move || pollster::block_on(one)))
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap().is_ok()));
    assert_eq!(world.sign_ins(), 1);
}
