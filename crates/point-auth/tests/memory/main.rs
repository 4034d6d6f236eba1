//! The heap use of sessions.
//!
//! Reading a token allocates nothing. Waiting for one, and each alias, take little. A thousand
//! hours take no more. This is a separate binary whose tests run one after another, because they
//! count the allocations of all threads.
//!
//! The transport answers at once or never and keeps nothing. A server in this process would be
//! counted too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it has measured"
)]

mod transport;

use std::alloc::System;
use std::future::pending;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use point_auth::session::State;
use point_auth::{Client, Credentials, Session, Sessions, ThreadRuntime, blocking};
use point_auth_testkit::{Clock, VirtualTime};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};

use transport::Instant;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn credentials() -> Credentials {
    Credentials::new("company@example.com", "correct horse battery staple").unwrap()
}

fn live_bytes(stats: &Stats) -> isize {
    let bytes = |count: usize| isize::try_from(count).unwrap();
    // Bytes that blocks gained or lost when they were moved are in both already.
    bytes(stats.bytes_allocated) - bytes(stats.bytes_deallocated)
}

fn single_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Returns the fewest allocations in one of ten spans that call `read` 1000 times. The thread of
/// the exchange before may still be ending in some of them.
fn fewest_allocations(read: impl Fn()) -> Option<usize> {
    let allocations = |_| {
        let region = Region::new(ALLOCATOR);
        (0..1000).for_each(|_| read());
        region.change().allocations
    };
    (0..10).map(allocations).min()
}

#[test]
fn reading_a_good_token_allocates_nothing_and_does_not_suspend() {
    let _one = one_at_a_time();
    let session = Session::new(Client::new(Instant::default()), credentials());
    single_thread().block_on(session.access_token()).unwrap();
    let fewest = fewest_allocations(|| {
        let mut reading = pin!(session.access_token());
        let read = reading.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(read, Poll::Ready(Ok(_))));
    });
    assert_eq!(fewest, Some(0));

    let session = blocking::Session::new(blocking::Client::new(Instant::default()), credentials());
    session.access_token().unwrap();
    let fewest = fewest_allocations(|| {
        assert!(session.access_token().is_ok());
        assert!(session.current_token().is_some());
    });
    assert_eq!(fewest, Some(0));
}

/// Returns the bytes of each of 10,000 tasks that wait for the future of `waiting`.
fn bytes_a_task<F: Future<Output = ()> + Send + 'static>(waiting: impl Fn() -> F) -> isize {
    const TASKS: usize = 10_000;
    single_thread().block_on(async {
        let tasks = Vec::with_capacity(TASKS);
        let region = Region::new(ALLOCATOR);
        let mut tasks: Vec<_> = tasks;
        tasks.extend((0..TASKS).map(|_| tokio::spawn(waiting())));
        // All have been polled once this one is.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        let bytes = live_bytes(&region.change()) / isize::try_from(TASKS).unwrap();
        for task in &tasks {
            assert!(!task.is_finished());
            task.abort();
        }
        bytes
    })
}

#[test]
fn a_waiting_task_takes_few_bytes() {
    let _one = one_at_a_time();
    let bare = bytes_a_task(pending::<()>);
    let session = Session::new(Client::new(Instant::that_never_answers()), credentials());
    let waiting = bytes_a_task(|| {
        let session = session.clone();
        async move { drop(session.access_token().await) }
    });
    println!("a waiting task: {waiting} bytes, a bare one {bare}");
    assert_eq!(session.snapshot().state, State::Waiting);
    assert!(session.snapshot().counts.sign_ins <= 1);
    assert!(waiting <= 640, "{waiting} bytes");
    assert!(waiting - bare <= 256, "{} bytes beyond the task itself", waiting - bare);
}

#[test]
fn each_of_many_aliases_takes_at_most_three_kilobytes() {
    let _one = one_at_a_time();
    const ALIASES: usize = 20_000;
    let names: Vec<String> =
        (0..ALIASES).map(|number| format!("person-{number}@example.com")).collect();
    let sessions = Sessions::new(Client::new(Instant::default()), credentials());
    let runtime = single_thread();
    let region = Region::new(ALLOCATOR);
    runtime.block_on(async {
        for name in &names {
            sessions.access_token(name).await.unwrap();
        }
    });
    let bytes = live_bytes(&region.change()) / isize::try_from(ALIASES).unwrap();
    println!("an alias: {bytes} bytes");
    // Some may have been dropped, if the names spread unevenly.
    assert!(sessions.len() > ALIASES * 95 / 100, "{}", sessions.len());
    assert!(bytes <= 3 * 1024, "{bytes} bytes");
}

#[test]
fn a_thousand_hours_leave_nothing_behind() {
    let _one = one_at_a_time();
    let clock = Clock::running();
    let time = VirtualTime::new(&clock, ThreadRuntime::new());
    let client = Client::new(Instant::default());
    let session =
        Session::builder(client).with_credentials(credentials()).with_runtime(time.clone()).build();
    let live = |hours: usize| {
        let region = Region::new(ALLOCATOR);
        for _ in 0..hours {
            pollster::block_on(session.access_token()).unwrap();
            time.advance(Duration::from_secs(60 * 60));
        }
        live_bytes(&region.change())
    };
    live(100);
    // The thread of an exchange may be ending when a span begins or ends.
    let tries: Vec<isize> = (0..5).map(|_| live(1000)).collect();
    assert!(tries.iter().any(|bytes| bytes.abs() < 4096), "{tries:?} bytes in a thousand hours");
    assert_eq!(session.snapshot().counts.renewed, 5100);
}
