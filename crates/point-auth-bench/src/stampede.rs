//! Many concurrent callers on an empty cache: how often it asks for a token, how long that takes,
//! what a waiting caller costs, and what happens to callers on failures.

use std::alloc::System;
use std::future::pending;
use std::time::{Duration, Instant};

use stats_alloc::{Region, StatsAlloc};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::measure::live_bytes;
use crate::subject::{Source, Subject};

/// The duration of one exchange.
pub const EXCHANGE: Duration = Duration::from_millis(50);
/// Callers in the rows with failures.
pub const CALLERS: usize = 1000;
/// How often a caller retries.
const RETRIES: usize = 3;

/// The outcome of a stampede.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// How often the source was asked.
    pub exchanges: usize,
    /// Callers that got a token.
    pub served: usize,
    /// Callers that were still waiting at the end.
    pub stuck: usize,
    /// From the first call to the last result.
    pub took: Duration,
}

/// One contestant.
#[derive(Clone, Copy)]
pub struct Contestant {
    /// The name of the row.
    pub name: &'static str,
    /// This many callers, without failures.
    pub stampede: fn(usize) -> Outcome,
    /// The first caller is canceled during the exchange.
    pub first_is_cancelled: fn() -> Outcome,
    /// The first exchange fails, and callers retry.
    pub first_exchange_fails: fn() -> Outcome,
    /// All exchanges fail for 2 seconds.
    pub server_keeps_failing: fn() -> Outcome,
    /// Heap bytes that each of this many waiting callers takes, with its task.
    pub bytes_of_a_caller: fn(usize, &StatsAlloc<System>) -> f64,
}

impl Contestant {
    /// Creates the contestant `S`.
    pub const fn of<S: Subject>() -> Self {
        Self {
            name: S::NAME,
            stampede: stampede::<S>,
            first_is_cancelled: first_is_cancelled::<S>,
            first_exchange_fails: first_exchange_fails::<S>,
            server_keeps_failing: server_keeps_failing::<S>,
            bytes_of_a_caller: bytes_of_a_caller::<S>,
        }
    }
}

/// Returns all contestants, point-auth first.
#[cfg(feature = "peers")]
pub fn contestants() -> [Contestant; 6] {
    use crate::peers::{aws::Aws, azure::Azure, google::Google, huskarl::Huskarl, yup::Yup};

    [
        Contestant::of::<crate::ours::Ours>(),
        Contestant::of::<Aws>(),
        Contestant::of::<Azure>(),
        Contestant::of::<Google>(),
        Contestant::of::<Huskarl>(),
        Contestant::of::<Yup>(),
    ]
}

/// One thread, so that every run is equal.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn call<S: Subject>(subject: &S, retries: usize) -> JoinHandle<bool> {
    let subject = subject.clone();
    tokio::spawn(async move {
        for _ in 0..=retries {
            if subject.token().await.is_some() {
                return true;
            }
        }
        false
    })
}

async fn outcome(source: &Source, start: Instant, callers: Vec<JoinHandle<bool>>) -> Outcome {
    let mut served = 0;
    for caller in callers {
        served += usize::from(caller.await.unwrap_or(false));
    }
    Outcome { exchanges: source.exchanges(), served, stuck: 0, took: start.elapsed() }
}

fn stampede<S: Subject>(callers: usize) -> Outcome {
    runtime().block_on(async {
        let source = Source::new(EXCHANGE, |_| true);
        let subject = S::start(source.clone()).await;
        let start = Instant::now();
        let callers = (0..callers).map(|_| call(&subject, 0)).collect();
        outcome(&source, start, callers).await
    })
}

fn first_is_cancelled<S: Subject>() -> Outcome {
    runtime().block_on(async {
        let source = Source::new(EXCHANGE, |_| true);
        let subject = S::start(source.clone()).await;
        let start = Instant::now();
        let first = call(&subject, 0);
        while source.exchanges() == 0 {
            tokio::task::yield_now().await;
        }
        let others = (1..CALLERS).map(|_| call(&subject, 0)).collect();
        tokio::time::sleep(EXCHANGE / 2).await;
        first.abort();
        outcome(&source, start, others).await
    })
}

fn first_exchange_fails<S: Subject>() -> Outcome {
    runtime().block_on(async {
        let source = Source::new(EXCHANGE, |exchange| exchange > 0);
        let subject = S::start(source.clone()).await;
        let start = Instant::now();
        let callers = (0..CALLERS).map(|_| call(&subject, RETRIES)).collect();
        outcome(&source, start, callers).await
    })
}

fn server_keeps_failing<S: Subject>() -> Outcome {
    runtime().block_on(async {
        let source = Source::new(EXCHANGE, |_| false);
        let subject = S::start(source.clone()).await;
        let start = Instant::now();
        let callers: Vec<_> = (0..CALLERS).map(|_| call(&subject, RETRIES)).collect();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (over, stuck): (Vec<_>, Vec<_>) =
            callers.into_iter().partition(JoinHandle::is_finished);
        for caller in &stuck {
            caller.abort();
        }
        Outcome { stuck: stuck.len(), ..outcome(&source, start, over).await }
    })
}

/// Returns the bytes of each of this many tasks that wait for the future of `wait`.
async fn bytes_of_each<F: Future<Output = bool> + Send + 'static>(
    tasks: usize,
    allocator: &StatsAlloc<System>,
    wait: impl Fn() -> F,
) -> f64 {
    let mut waiting: Vec<JoinHandle<bool>> = Vec::with_capacity(tasks);
    let region = Region::new(allocator);
    waiting.extend((0..tasks).map(|_| tokio::spawn(wait())));
    // For each yield of this task the runtime polls about sixty tasks, and some take a few steps
    // before they wait.
    for _ in 0..tasks {
        tokio::task::yield_now().await;
    }
    let_timers_settle();
    let bytes = live_bytes(&region.change()) / tasks as f64;
    assert!(waiting.iter().all(|task| !task.is_finished()), "a task got a token");
    waiting.iter().for_each(JoinHandle::abort);
    bytes
}

/// Timers may belong to another thread, which frees them a little later.
fn let_timers_settle() {
    std::thread::sleep(Duration::from_millis(200));
}

fn bytes_of_a_caller<S: Subject>(callers: usize, allocator: &StatsAlloc<System>) -> f64 {
    const NEVER: Duration = Duration::from_secs(600);
    let bytes = runtime().block_on(async {
        let subject = S::start(Source::new(NEVER, |_| true)).await;
        bytes_of_each(callers, allocator, || {
            let subject = subject.clone();
            async move { subject.token().await.is_some() }
        })
        .await
    });
    let_timers_settle();
    bytes
}

/// Returns the bytes of a task that waits for nothing.
pub fn bytes_of_a_bare_task(tasks: usize, allocator: &StatsAlloc<System>) -> f64 {
    runtime().block_on(bytes_of_each(tasks, allocator, pending::<bool>))
}
