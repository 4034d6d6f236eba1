//! [`World`]: one thread that runs all processes, and time that passes when none can go on.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, UNIX_EPOCH};

use point_auth::session::Now;
use point_auth::{Runtime, Task};
use point_auth_testkit::{Clock, VirtualTime};
use smol::Executor;

#[derive(Clone)]
pub(super) struct World {
    executor: Arc<Executor<'static>>,
    time: VirtualTime,
    has_panicked: Arc<AtomicBool>,
}

impl World {
    pub(super) fn new() -> Self {
        let start = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let time = VirtualTime::new(&Clock::stopped_at(start), point_auth::ThreadRuntime::new());
        Self { executor: Arc::new(Executor::new()), time, has_panicked: Arc::default() }
    }

    /// The time of the API and of the store.
    pub(super) fn now(&self) -> Duration {
        self.time.now().monotonic
    }

    pub(super) fn after(&self, span: Duration) -> Task {
        self.time.sleep_until(self.now() + span)
    }

    /// Runs what can run without time.
    pub(super) fn settle(&self) {
        while self.executor.try_tick() {}
        assert!(!self.has_panicked.load(Ordering::Relaxed), "a task has panicked, see above");
    }

    /// Lets this much time pass, from one event to the next.
    pub(super) fn pass(&self, span: Duration) {
        let end = self.now() + span;
        loop {
            self.settle();
            match self.time.next_wake() {
                Some(next) if next <= end => {
                    self.time.advance(next.saturating_sub(self.now()));
                }
                _ => break,
            }
        }
        self.time.advance(end - self.now());
        self.settle();
    }

    pub(super) fn process(&self) -> Process {
        Process {
            world: self.clone(),
            is_dead: Arc::default(),
            wall_ahead: Arc::default(),
            tasks: Arc::default(),
        }
    }
}

/// A process: the runtime of its session, with a wall clock of its own.
#[derive(Clone)]
pub(super) struct Process {
    world: World,
    is_dead: Arc<AtomicBool>,
    /// In seconds.
    wall_ahead: Arc<AtomicI64>,
    tasks: Arc<Mutex<Vec<smol::Task<()>>>>,
}

impl Process {
    pub(super) fn set_clock(&self, by: i64) {
        self.wall_ahead.fetch_add(by, Ordering::Relaxed);
    }

    /// Nothing of it runs any more.
    pub(super) fn kill(&self) {
        self.is_dead.store(true, Ordering::Relaxed);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        drop(tasks);
    }

    pub(super) fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        if self.is_dead.load(Ordering::Relaxed) {
            return;
        }
        let has_panicked = Arc::clone(&self.world.has_panicked);
        let mut task = Box::pin(task);
        // The executor would keep a panic for who waits for the task.
        let task = poll_fn(move |cx| {
            let poll = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx)));
            poll.unwrap_or_else(|_| {
                has_panicked.store(true, Ordering::Relaxed);
                Poll::Ready(())
            })
        });
        let task = self.world.executor.spawn(task);
        let mut tasks = self.tasks.lock().unwrap();
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }
}

impl Runtime for Process {
    fn now(&self) -> Now {
        let Now { monotonic, wall, .. } = self.world.time.now();
        let ahead = self.wall_ahead.load(Ordering::Relaxed);
        let by = Duration::from_secs(ahead.unsigned_abs());
        Now::new(monotonic, if ahead < 0 { wall - by } else { wall + by })
    }

    fn sleep_until(&self, time: Duration) -> Task {
        self.world.time.sleep_until(time)
    }

    fn spawn(&self, task: Task) {
        self.run(task);
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").finish_non_exhaustive()
    }
}
