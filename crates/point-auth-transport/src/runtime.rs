//! [`Runtime`]: time and tasks, for sessions.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use point_auth_core::session::Now;

/// A future without an output, as a runtime runs it and sleeps with it.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Time and tasks, provided by an executor.
///
/// The async and the blocking sessions of `point-auth` run on it. Implement it for an executor of
/// your own. For tests, `point-auth-testkit` has a runtime with virtual time.
pub trait Runtime: fmt::Debug + Send + Sync + 'static {
    /// Returns the readings of both clocks. The monotonic clock counts from any fixed moment.
    ///
    /// Each read of a token calls this, so it must be quick.
    fn now(&self) -> Now;

    /// Returns a future that ends when [the monotonic clock](Now::monotonic) reaches `time`, or at
    /// once if that is past.
    ///
    /// For a time beyond what the executor can wait for, the future may end early, but not at once.
    fn sleep_until(&self, time: Duration) -> Task;

    /// Runs `task` in the background until it ends.
    ///
    /// A runtime that cannot run it, for example after a shutdown, drops it. The exchange of a
    /// session then counts as not sent, and its waiters get an error.
    fn spawn(&self, task: Task);
}
