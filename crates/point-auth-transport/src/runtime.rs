//! [`Runtime`]: time and tasks, for sessions.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use point_auth_core::session::Now;

/// A future that ends without a value: what a runtime runs, and what it sleeps with.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Time and tasks, as an executor provides them.
///
/// The sessions of `point-auth` run on it, async and blocking. Implement it for an executor of your
/// own; for tests `point-auth-testkit` has one whose time passes when the test says so.
pub trait Runtime: fmt::Debug + Send + Sync + 'static {
    /// Returns what both clocks show. The monotonic one counts from any fixed moment.
    ///
    /// Every read of a token calls this, so it must be quick.
    fn now(&self) -> Now;

    /// Returns a future that ends when [the monotonic clock](Now::monotonic) shows `time`, or at
    /// once if that is past.
    ///
    /// A time beyond what the executor can wait for may end early, but not at once.
    fn sleep_until(&self, time: Duration) -> Task;

    /// Runs `task` by itself to its end.
    ///
    /// A runtime that cannot run it, because it has shut down for example, drops it. A session's
    /// exchange then counts as not sent, and its callers are told.
    fn spawn(&self, task: Task);
}
