//! The holds of users on a session: how many there are, and when the last one was dropped.

use std::sync::atomic::Ordering;

use super::{Driver, wake};

impl Driver {
    /// Counts a `Session` of a user's.
    pub(crate) fn opened(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a dropped `Session`. The background refresh ends with the last one.
    pub(crate) fn closed(&self) {
        self.last_held.store(self.now().monotonic.as_secs(), Ordering::Relaxed);
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            let woken = self.lock().take_wakers();
            wake(woken);
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.handles() > 0
    }

    pub(crate) fn last_held(&self) -> u64 {
        self.last_held.load(Ordering::Relaxed)
    }

    pub(crate) fn handles(&self) -> usize {
        self.handles.load(Ordering::Acquire)
    }
}
