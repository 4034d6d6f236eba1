//! Time in the model.

use std::time::{Duration, SystemTime};

use point_auth_core::session::Now;

/// A moment on both clocks that has come as soon as either reaches it.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    monotonic: Duration,
    wall: Option<SystemTime>,
}

impl When {
    /// Whether it has come, regardless of the clocks.
    pub(super) const PAST: Self = Self { monotonic: Duration::ZERO, wall: None };
    pub(super) fn after(now: Now, delay: Duration) -> Self {
        Self { monotonic: now.monotonic.saturating_add(delay), wall: now.wall.checked_add(delay) }
    }

    /// One that the monotonic clock alone brings.
    pub(super) fn on_monotonic(now: Now, delay: Duration) -> Self {
        Self { monotonic: now.monotonic.saturating_add(delay), wall: None }
    }

    pub(super) fn has_come(self, now: Now) -> bool {
        now.monotonic >= self.monotonic || self.wall.is_some_and(|wall| now.wall >= wall)
    }

    pub(super) fn left(self, now: Now) -> Duration {
        let by_wall = self.wall.map(|wall| wall.duration_since(now.wall).unwrap_or_default());
        self.monotonic.saturating_sub(now.monotonic).min(by_wall.unwrap_or(Duration::MAX))
    }
}

/// By the clock that shows the longer time.
pub(super) fn passed(since: Now, now: Now) -> Duration {
    let by_wall = now.wall.duration_since(since.wall).unwrap_or_default();
    now.monotonic.saturating_sub(since.monotonic).max(by_wall)
}
