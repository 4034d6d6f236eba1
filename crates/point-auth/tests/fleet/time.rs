//! [`Jumping`]: time that runs slowly by itself, and jumps when the test says so.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use point_auth::session::Now;
use point_auth::{Runtime, TokioRuntime};
use tokio::sync::watch;

/// So much slower than the machine's it is. A session gives its store two seconds, and a thousand
/// sessions on two busy cores must not take that for an outage.
const SLOWER: u32 = 4;

/// The runtime of a worker. It also knows whether a task is running.
#[derive(Clone)]
pub(crate) struct Jumping {
    inner: TokioRuntime,
    start: Now,
    jumped: Arc<watch::Sender<Duration>>,
    running: Arc<watch::Sender<usize>>,
}

impl Jumping {
    /// For the tokio runtime that this is called in.
    pub(crate) fn new() -> Self {
        let inner = TokioRuntime::new();
        Self {
            start: inner.now(),
            inner,
            jumped: Arc::new(watch::Sender::new(Duration::ZERO)),
            running: Arc::new(watch::Sender::new(0)),
        }
    }

    pub(crate) fn jump(&self, by: Duration) {
        self.jumped.send_modify(|jumped| *jumped += by);
    }

    /// Waits until no task is running: no exchange, and no question to the store.
    pub(crate) async fn idle(&self) {
        self.running.subscribe().wait_for(|running| *running == 0).await.unwrap();
    }
}

impl Runtime for Jumping {
    fn now(&self) -> Now {
        let passed = self.inner.now().monotonic.saturating_sub(self.start.monotonic) / SLOWER;
        let passed = passed + *self.jumped.borrow();
        Now::new(self.start.monotonic + passed, self.start.wall + passed)
    }

    fn sleep_until(&self, time: Duration) -> point_auth::Task {
        let this = self.clone();
        let mut jumped = self.jumped.subscribe();
        Box::pin(async move {
            loop {
                jumped.mark_unchanged();
                let left = time.saturating_sub(this.now().monotonic) * SLOWER;
                if left.is_zero() {
                    return;
                }
                let until = this.inner.now().monotonic + left;
                tokio::select! {
                    () = this.inner.sleep_until(until) => {}
                    _ = jumped.changed() => {}
                }
            }
        })
    }

    fn spawn(&self, task: point_auth::Task) {
        self.running.send_modify(|running| *running += 1);
        let running = Running(Arc::clone(&self.running));
        self.inner.spawn(Box::pin(async move {
            let _running = running;
            task.await;
        }));
    }
}

impl fmt::Debug for Jumping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jumping").finish_non_exhaustive()
    }
}

struct Running(Arc<watch::Sender<usize>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}
