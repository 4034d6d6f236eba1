//! Two clocks: one that stops in suspend, and one that somebody may set.

use std::time::{Duration, SystemTime};

/// What both clocks say at one moment. The caller reads them; this crate has no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "there are two clocks, and callers build this all the time"
)]
pub struct Now {
    /// A clock that never goes back, since any fixed moment before; `Instant` is one. On most systems it stops in suspend.
    pub monotonic: Duration,
    /// The clock on the wall, which goes on in suspend, and which somebody or NTP may set to anything.
    pub wall: SystemTime,
}

impl Now {
    /// What both clocks say.
    pub const fn new(monotonic: Duration, wall: SystemTime) -> Self {
        Self { monotonic, wall }
    }
}

/// A moment to come, on both clocks. It has come as soon as either says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    monotonic: Duration,
    /// `None`: later than the clock can show.
    wall: Option<SystemTime>,
}

impl Moment {
    /// `delay` after `now`, or never if no clock can show that.
    pub(crate) fn after(now: Now, delay: Duration) -> Self {
        Self { monotonic: now.monotonic.saturating_add(delay), wall: now.wall.checked_add(delay) }
    }

    /// This time of the monotonic clock, whatever the other one says.
    pub(crate) const fn on_monotonic(monotonic: Duration) -> Self {
        Self { monotonic, wall: None }
    }

    /// Whether it has come, by either clock.
    pub fn has_come(self, now: Now) -> bool {
        now.monotonic >= self.monotonic || self.wall.is_some_and(|wall| now.wall >= wall)
    }

    /// How long until it comes, by the clock that is ahead. Zero when it has come.
    pub fn time_left(self, now: Now) -> Duration {
        let monotonic = self.monotonic.saturating_sub(now.monotonic);
        match self.wall {
            Some(wall) => monotonic.min(wall.duration_since(now.wall).unwrap_or_default()),
            None => monotonic,
        }
    }

    /// When it comes by the monotonic clock, seen from `now`.
    pub(crate) fn monotonic_from(self, now: Now) -> Duration {
        now.monotonic.saturating_add(self.time_left(now))
    }

    /// On each clock the earlier of the two.
    #[must_use]
    pub(crate) fn earlier(self, other: Self) -> Self {
        let wall = match (self.wall, other.wall) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { monotonic: self.monotonic.min(other.monotonic), wall }
    }

    /// On each clock the later of the two.
    #[must_use]
    pub(crate) fn later(self, other: Self) -> Self {
        let wall = match (self.wall, other.wall) {
            (Some(one), Some(other)) => Some(one.max(other)),
            _ => None,
        };
        Self { monotonic: self.monotonic.max(other.monotonic), wall }
    }
}
