//! The runtimes that provide time and run exchanges.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use point_auth_core::session::Now;
use point_auth_transport::{Runtime, Task, TransportError, TransportErrorKind};

/// Runs exchanges as tasks of a tokio runtime.
///
/// It holds a handle of that runtime. If the runtime is shut down or missing, exchanges fail as not
/// sent, and callers get an error. Timers do not depend on tokio.
#[cfg(feature = "tokio")]
#[derive(Clone, Debug, Default)]
pub struct TokioRuntime {
    handle: Option<tokio::runtime::Handle>,
}

#[cfg(feature = "tokio")]
impl TokioRuntime {
    /// Creates a runtime for the current tokio runtime.
    ///
    /// Outside of any tokio runtime, each exchange uses that of the caller that starts it.
    pub fn new() -> Self {
        Self { handle: tokio::runtime::Handle::try_current().ok() }
    }

    /// Creates a runtime for the tokio runtime of `handle`.
    pub const fn of(handle: tokio::runtime::Handle) -> Self {
        Self { handle: Some(handle) }
    }

    fn handle(&self) -> Option<tokio::runtime::Handle> {
        self.handle.clone().or_else(|| tokio::runtime::Handle::try_current().ok())
    }
}

#[cfg(feature = "tokio")]
impl Runtime for TokioRuntime {
    fn now(&self) -> Now {
        now()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        sleep_until(time)
    }

    fn spawn(&self, task: Task) {
        // A task that cannot be spawned is dropped, and so reports that it did not run.
        if let Some(handle) = self.handle() {
            handle.spawn(task);
        }
    }
}

/// The default runtime of an async session. It uses tokio if there is a runtime when the session is
/// built or an exchange starts, and threads otherwise.
///
/// With the feature `tokio`, a program may also have sessions in other executors: features are
/// additive.
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub(crate) struct DefaultRuntime {
    tokio: TokioRuntime,
    threads: ThreadRuntime,
}

#[cfg(feature = "tokio")]
impl DefaultRuntime {
    pub(crate) fn new() -> Self {
        Self { tokio: TokioRuntime::new(), threads: ThreadRuntime::new() }
    }
}

#[cfg(feature = "tokio")]
impl Runtime for DefaultRuntime {
    fn now(&self) -> Now {
        now()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        sleep_until(time)
    }

    fn spawn(&self, task: Task) {
        match self.tokio.handle() {
            Some(handle) => drop(handle.spawn(task)),
            None => self.threads.spawn(task),
        }
    }
}

/// Runs exchanges on threads, at most 64 at once. Further exchanges wait for a thread.
///
/// It serves blocking sessions, and async ones in other executors than tokio. The transport of
/// those must have a reactor that runs by itself, like smol's. Clones share the threads, which end
/// when there is nothing to run. If no thread can be started, exchanges fail as not sent.
#[derive(Clone, Default)]
pub struct ThreadRuntime {
    pool: Arc<Mutex<Pool>>,
}

/// The maximum number of threads.
const MOST_THREADS: usize = 64;

#[derive(Default)]
struct Pool {
    threads: usize,
    queue: VecDeque<Task>,
}

impl ThreadRuntime {
    /// Creates a runtime with threads of its own.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(pool: &Mutex<Pool>) -> MutexGuard<'_, Pool> {
        pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the queued tasks until there is none left.
    fn work(pool: &Mutex<Pool>) {
        loop {
            let mut locked = Self::lock(pool);
            let Some(task) = locked.queue.pop_front() else {
                locked.threads = locked.threads.saturating_sub(1);
                return;
            };
            drop(locked);
            // The jobs of this crate catch panics of foreign code; a foreign task may not.
            let run = std::panic::AssertUnwindSafe(|| pollster::block_on(task));
            let _panicked = std::panic::catch_unwind(run);
        }
    }
}

impl Runtime for ThreadRuntime {
    fn now(&self) -> Now {
        now()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        sleep_until(time)
    }

    fn spawn(&self, task: Task) {
        let mut pool = Self::lock(&self.pool);
        pool.queue.push_back(task);
        if pool.threads >= MOST_THREADS {
            return;
        }
        pool.threads += 1;
        drop(pool);
        let for_thread = Arc::clone(&self.pool);
        let thread = std::thread::Builder::new().name("point-auth".to_owned());
        if thread.spawn(move || Self::work(&for_thread)).is_ok() {
            return;
        }
        let mut pool = Self::lock(&self.pool);
        pool.threads = pool.threads.saturating_sub(1);
        // Without any thread, the queued tasks would never run.
        let dropped = match pool.threads {
            0 => std::mem::take(&mut pool.queue),
            _ => VecDeque::new(),
        };
        drop(pool);
        drop(dropped);
    }
}

impl fmt::Debug for ThreadRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadRuntime").finish_non_exhaustive()
    }
}

/// The error of an exchange that the runtime dropped before it was sent.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the runtime has shut down or could not run the exchange")]
pub(crate) struct NotRun;

impl NotRun {
    pub(crate) fn error() -> TransportError {
        TransportError::new(TransportErrorKind::Other).not_sent().with_source(Self)
    }
}

/// The clock of a session.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    /// [`Instant`] and [`SystemTime`], as our own runtimes have it.
    Std,
    /// That of a user's runtime.
    Runtime,
}

/// An `Instant` has no absolute value, so [`now`] counts from its first call in this process. It
/// does not start at zero, because some callers look a little back.
const BEFORE: Duration = Duration::from_secs(60 * 60);

static START: OnceLock<Instant> = OnceLock::new();

fn now() -> Now {
    let now = Instant::now();
    let since = now.saturating_duration_since(*START.get_or_init(|| now));
    Now::new(since.saturating_add(BEFORE), SystemTime::now())
}

/// Returns the `Instant` of a reading by [`now`].
pub(crate) fn instant_of(now: Now) -> Option<Instant> {
    START.get()?.checked_add(now.monotonic.checked_sub(BEFORE)?)
}

/// Returns a timer that works in any executor. All timers share one thread of the process, which
/// starts with the first waiter.
fn sleep_until(time: Duration) -> Task {
    // The timer adds to an `Instant`, which must not overflow.
    const FAR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    let duration = time.saturating_sub(now().monotonic).min(FAR);
    Box::pin(futures_timer::Delay::new(duration))
}
