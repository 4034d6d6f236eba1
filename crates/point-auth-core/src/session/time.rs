//! Two clocks: one that stops in suspend, and one that people and NTP may set.

use std::fmt;
use std::time::{Duration, SystemTime};

/// The readings of both clocks at one moment. The caller reads them; this crate has no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "there are two clocks, and callers build this all the time"
)]
pub struct Now {
    /// The time since any fixed moment on a clock that never goes back, such as `Instant`. On most
    /// systems it stops in suspend.
    pub monotonic: Duration,
    /// The wall clock, which continues in suspend, and which people and NTP may set to any time.
    pub wall: SystemTime,
}

impl Now {
    /// Creates a reading of both clocks.
    pub const fn new(monotonic: Duration, wall: SystemTime) -> Self {
        Self { monotonic, wall }
    }
}

/// A future moment, on both clocks. It has come as soon as either clock reaches it.
///
/// `Display` shows it on the wall clock, as in `Tue, 24 Nov 2026 18:00:00 GMT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    monotonic: Duration,
    /// `None`: later than the clock can show.
    wall: Option<SystemTime>,
}

impl Moment {
    /// A moment that never comes.
    pub const NEVER: Self = Self::on_monotonic(Duration::MAX);

    /// Returns whether this moment never comes.
    pub fn is_never(self) -> bool {
        self == Self::NEVER
    }

    /// Creates the moment `delay` after `now`, or one that never comes if no clock can show it.
    pub fn after(now: Now, delay: Duration) -> Self {
        Self { monotonic: now.monotonic.saturating_add(delay), wall: now.wall.checked_add(delay) }
    }

    /// Creates a moment on the monotonic clock alone.
    pub(crate) const fn on_monotonic(monotonic: Duration) -> Self {
        Self { monotonic, wall: None }
    }

    /// Returns this moment on the monotonic clock alone.
    pub(crate) const fn monotonic(self) -> Duration {
        self.monotonic
    }

    /// Returns whether the moment has come, by either clock.
    pub fn has_come(self, now: Now) -> bool {
        now.monotonic >= self.monotonic || self.wall.is_some_and(|wall| now.wall >= wall)
    }

    /// Returns the time until the moment, by the clock that reaches it first. Zero when it has
    /// come.
    pub fn time_left(self, now: Now) -> Duration {
        let monotonic = self.monotonic.saturating_sub(now.monotonic);
        match self.wall {
            Some(wall) => monotonic.min(wall.duration_since(now.wall).unwrap_or_default()),
            None => monotonic,
        }
    }

    /// Returns when it comes on the monotonic clock, seen from `now`.
    pub(crate) fn monotonic_from(self, now: Now) -> Duration {
        now.monotonic.saturating_add(self.time_left(now))
    }

    /// Returns the earlier moment on each clock.
    #[must_use]
    pub(crate) fn earlier(self, other: Self) -> Self {
        let wall = match (self.wall, other.wall) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { monotonic: self.monotonic.min(other.monotonic), wall }
    }

    /// Returns the later moment on each clock.
    #[must_use]
    pub(crate) fn later(self, other: Self) -> Self {
        let wall = match (self.wall, other.wall) {
            (Some(one), Some(other)) => Some(one.max(other)),
            _ => None,
        };
        Self { monotonic: self.monotonic.max(other.monotonic), wall }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The end of year 9999, the last one that fits in the format.
        const LAST: Duration = Duration::from_secs(253_402_300_799);
        match self.wall.map(|wall| wall.duration_since(SystemTime::UNIX_EPOCH)) {
            _ if self.is_never() => f.write_str("never"),
            Some(Ok(since)) if since <= LAST => {
                f.write_str(&httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since))
            }
            _ => write!(f, "{:?} on the monotonic clock", self.monotonic),
        }
    }
}
