//! [`OwnRuntime`]: threads, and timers that need no thread from before a fork.
//!
//! The timers of [`ThreadRuntime`] share a thread of the process, which a forked child does not
//! have. These share a thread of the runtime, and each child builds a runtime of its own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use point_auth::session::Now;
use point_auth::{Runtime, Task, ThreadRuntime};

use crate::gate;

/// A runtime of one process.
#[derive(Debug)]
pub(crate) struct OwnRuntime {
    threads: ThreadRuntime,
    timer: Arc<Timer>,
}

impl OwnRuntime {
    pub(crate) fn new() -> Self {
        Self { threads: ThreadRuntime::new(), timer: Arc::default() }
    }
}

impl Runtime for OwnRuntime {
    fn now(&self) -> Now {
        self.threads.now()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        Box::pin(Sleep {
            timer: Arc::clone(&self.timer),
            threads: self.threads.clone(),
            time,
            entry: None,
        })
    }

    fn spawn(&self, task: Task) {
        // A task runs on one thread from its begin to its end.
        self.threads.spawn(Box::pin(async move {
            let _over = Over;
            task.await;
        }));
    }
}

/// Reports the end of a task, also after a panic.
struct Over;

impl Drop for Over {
    fn drop(&mut self) {
        gate::over();
    }
}

/// Wakes sleepers, on a thread that lives while there are any.
#[derive(Debug, Default)]
struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    sleepers: BinaryHeap<Reverse<Sleeper>>,
    has_thread: bool,
}

#[derive(Debug)]
struct Sleeper {
    time: Duration,
    /// Gone once the sleep is dropped.
    waker: Weak<Mutex<Waker>>,
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.time == other.time
    }
}

impl Eq for Sleeper {}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.time.cmp(&other.time)
    }
}

impl Timer {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether there is a thread that will wake it.
    fn add(self: &Arc<Self>, threads: &ThreadRuntime, sleeper: Sleeper) -> bool {
        let mut state = self.lock();
        // Sleeps that were dropped early hold no place for long.
        if state.sleepers.len() >= 1024 {
            state.sleepers.retain(|Reverse(sleeper)| sleeper.waker.strong_count() > 0);
        }
        state.sleepers.push(Reverse(sleeper));
        self.changed.notify_one();
        if state.has_thread {
            return true;
        }
        let (timer, threads) = (Arc::clone(self), threads.clone());
        let thread = thread::Builder::new().name("point-auth-timer".to_owned());
        state.has_thread = thread.spawn(move || timer.run(&threads)).is_ok();
        state.has_thread
    }

    fn run(&self, threads: &ThreadRuntime) {
        let mut state = self.lock();
        loop {
            let Some(Reverse(first)) = state.sleepers.peek() else {
                state.has_thread = false;
                return;
            };
            let (time, is_dropped) = (first.time, first.waker.strong_count() == 0);
            let now = threads.now().monotonic;
            if !is_dropped && time > now {
                let waited = self.changed.wait_timeout(state, time.saturating_sub(now));
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let waker = state.sleepers.pop().and_then(|Reverse(sleeper)| sleeper.waker.upgrade());
            drop(state);
            if let Some(waker) = waker {
                waker.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
            }
            state = self.lock();
        }
    }
}

struct Sleep {
    timer: Arc<Timer>,
    threads: ThreadRuntime,
    time: Duration,
    entry: Option<Arc<Mutex<Waker>>>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.threads.now().monotonic >= self.time {
            return Poll::Ready(());
        }
        if let Some(entry) = &self.entry {
            entry.lock().unwrap_or_else(PoisonError::into_inner).clone_from(cx.waker());
            return Poll::Pending;
        }
        let entry = Arc::new(Mutex::new(cx.waker().clone()));
        let sleeper = Sleeper { time: self.time, waker: Arc::downgrade(&entry) };
        // Without a thread it ends early, which a runtime may do.
        if !self.timer.add(&self.threads, sleeper) {
            return Poll::Ready(());
        }
        self.entry = Some(entry);
        Poll::Pending
    }
}
