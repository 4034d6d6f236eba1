//! How time passes and tasks run where nobody says otherwise.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use point_auth_core::session::Now;
use point_auth_transport::{Runtime, Task};

/// Time and tasks of the tokio runtime that a caller is in, if it is in one; else those of [`NeutralRuntime`].
///
/// In a tokio runtime an exchange is a task of its own: it goes on whoever goes away, and nobody who has a token waits for it. The
/// runtime needs its time driver (`enable_time` or `enable_all`), as the adapters do. Where it was shut down, time is the neutral one's and
/// nothing can be sent.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TokioRuntime;

#[cfg(feature = "tokio")]
impl TokioRuntime {
    /// The tokio runtime of whoever calls.
    pub const fn new() -> Self {
        Self
    }
}

#[cfg(feature = "tokio")]
impl Runtime for TokioRuntime {
    fn now(&self) -> Now {
        // The same as the standard library's, but for programs under test whose time stands still.
        Now::new(since_start(tokio::time::Instant::now().into_std()), SystemTime::now())
    }

    fn sleep_until(&self, time: Duration) -> Task {
        match tokio::runtime::Handle::try_current() {
            Ok(_) => Box::pin(async move {
                let left = || time.saturating_sub(Self.now().monotonic);
                // Nobody can ask a runtime whether it was shut down, and its timer panics then, as it does where there is none.
                if crate::panicked::caught(|| tokio::time::sleep(left())).await.is_err() {
                    NeutralRuntime.sleep_until(time).await;
                }
            }),
            Err(_) => NeutralRuntime.sleep_until(time),
        }
    }

    fn spawn(&self, task: Task) -> Result<(), Task> {
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(task);
                Ok(())
            }
            Err(_) => Err(task),
        }
    }
}

/// Time for any executor, and no tasks: all who wait share an exchange and any of them drives it on.
///
/// An event of its I/O wakes two of them. If neither is polled within 5 ms, it wakes four more, then eight, and so on. Sleeping takes
/// one thread for the whole process, which starts when somebody first waits.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NeutralRuntime;

impl NeutralRuntime {
    /// Nothing but time.
    pub const fn new() -> Self {
        Self
    }
}

impl Runtime for NeutralRuntime {
    fn now(&self) -> Now {
        Now::new(since_start(Instant::now()), SystemTime::now())
    }

    fn sleep_until(&self, time: Duration) -> Task {
        // The timer adds to an `Instant`, which must not overflow.
        const FAR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
        let duration = time.saturating_sub(self.now().monotonic).min(FAR);
        Box::pin(futures_timer::Delay::new(duration))
    }
}

/// Time and a thread for each exchange, for sessions without async.
///
/// Where no thread can be started, whoever waits sends by itself, and may then wait longer than it wants. Not for async sessions whose
/// transport needs an executor of its own, such as tokio's: on a thread of this there is none.
#[cfg(feature = "blocking")]
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ThreadRuntime;

#[cfg(feature = "blocking")]
impl ThreadRuntime {
    /// Threads of the standard library.
    pub const fn new() -> Self {
        Self
    }
}

#[cfg(feature = "blocking")]
impl Runtime for ThreadRuntime {
    fn now(&self) -> Now {
        NeutralRuntime.now()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        NeutralRuntime.sleep_until(time)
    }

    fn spawn(&self, task: Task) -> Result<(), Task> {
        use std::sync::{Arc, Mutex, PoisonError};

        // Kept outside of the thread, so that it is not lost with one that could not be started.
        let kept = Arc::new(Mutex::new(Some(task)));
        let take =
            |kept: &Mutex<Option<Task>>| kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let for_thread = Arc::clone(&kept);
        let thread = std::thread::Builder::new().name("point-auth".to_owned());
        let started = thread.spawn(move || {
            if let Some(task) = take(&for_thread) {
                pollster::block_on(task);
            }
        });
        match (started, take) {
            (Ok(_), _) => Ok(()),
            (Err(_), take) => take(&kept).map_or(Ok(()), Err),
        }
    }
}

/// How long ago this process first asked. An `Instant` has no number of its own.
fn since_start(now: Instant) -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    // Not zero, since some look a little back.
    const BEFORE: Duration = Duration::from_secs(60 * 60);
    now.saturating_duration_since(*START.get_or_init(|| now)).saturating_add(BEFORE)
}
