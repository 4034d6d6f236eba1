//! [`Runtime`]: time and tasks, for whoever keeps a session going.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use point_auth_core::session::Now;

/// A future that runs by itself, and what [`Runtime::sleep_until`] answers.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Time and tasks, as some executor has them.
///
/// The sessions of `point-auth` stand on it, async and blocking. Implement it for an executor that they do not know; for tests
/// `point-auth-testkit` has one whose time passes when the test says so.
pub trait Runtime: fmt::Debug + Send + Sync + 'static {
    /// What both clocks say. The monotonic one counts from any fixed moment.
    ///
    /// Every read of a token asks this, so it must be quick.
    fn now(&self) -> Now;

    /// A future that ends when [the monotonic clock](Now::monotonic) shows this time, or at once if that is past.
    ///
    /// A time beyond what the executor can wait for may end early, but not at once.
    fn sleep_until(&self, time: Duration) -> Task;

    /// Runs `task` by itself to its end.
    ///
    /// # Errors
    /// The task itself, where tasks cannot run by themselves, here or now. Whoever waits for what it does drives it on then.
    fn spawn(&self, task: Task) -> Result<(), Task> {
        Err(task)
    }
}
