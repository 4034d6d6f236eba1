//! [`World`]: one thread that runs all workers, and time that passes when none can go on.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_executor::Executor;
use point_auth::session::Now;
use point_auth::transport::{Runtime, Task};
use point_auth_testkit::{Clock, VirtualTime};

/// Where the workers live.
#[derive(Clone)]
pub(super) struct World {
    executor: Arc<Executor<'static>>,
    pub(super) time: VirtualTime,
}

impl World {
    pub(super) fn new() -> Self {
        let executor = Arc::new(Executor::new());
        let start = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let time = VirtualTime::new(&Clock::stopped_at(start), Tasks(Arc::clone(&executor)));
        Self { executor, time }
    }

    pub(super) fn now(&self) -> Duration {
        self.time.now().monotonic
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.executor.spawn(task).detach();
    }

    pub(super) fn sleep(&self, span: Duration) -> Task {
        self.time.sleep_until(self.now() + span)
    }

    /// Lets time pass, from one event to the next, until `is_so`.
    pub(super) fn pass_until(&self, is_so: impl Fn() -> bool) {
        loop {
            while self.executor.try_tick() {}
            if is_so() {
                return;
            }
            assert!(self.time.advance_to_next_wake(), "no worker waits for anything any more");
        }
    }

    /// Lets this much time pass.
    pub(super) fn pass(&self, span: Duration) {
        let end = self.now() + span;
        self.spawn(self.time.sleep_until(end));
        self.pass_until(|| self.now() >= end);
    }
}

/// Runs the tasks of sessions. Time is another's.
#[derive(Debug)]
struct Tasks(Arc<Executor<'static>>);

impl Runtime for Tasks {
    fn now(&self) -> Now {
        Now::new(Duration::ZERO, SystemTime::UNIX_EPOCH)
    }

    fn sleep_until(&self, _: Duration) -> Task {
        Box::pin(std::future::ready(()))
    }

    fn spawn(&self, task: Task) {
        self.0.spawn(task).detach();
    }
}
