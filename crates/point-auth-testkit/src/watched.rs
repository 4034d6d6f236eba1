//! A value that a test can wait for, so that no test has to sleep.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::server_thread::lock;

#[derive(Default)]
pub(crate) struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    pub(crate) fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&lock(&self.value))
    }

    pub(crate) fn update<R>(&self, update: impl FnOnce(&mut T) -> R) -> R {
        let result = update(&mut lock(&self.value));
        self.changed.notify_all();
        result
    }

    /// Waits until `reached` holds; false if it did not within `timeout`.
    pub(crate) fn wait(&self, timeout: Duration, reached: impl Fn(&T) -> bool) -> bool {
        let value = lock(&self.value);
        let waited = self.changed.wait_timeout_while(value, timeout, |value| !reached(value));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}
