//! [`Published`]: the token that callers read without a lock, for as long as no poll is needed.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use arc_swap::ArcSwapOption;
use point_auth_core::session::{Lease, Moment, Now};
use point_auth_transport::Runtime;

use crate::runtime::{Clock, instant_of};

pub(super) struct Published(ArcSwapOption<Entry>);

struct Entry {
    lease: Lease,
    until: Until,
}

/// When the next poll is needed.
enum Until {
    /// The clocks of the standard library, compared as they are. A conversion to [`Now`] behind a
    /// call of the runtime would be half of the instructions of a read.
    Std(Instant, SystemTime),
    /// The clock of a user's runtime.
    Runtime(Moment),
}

impl Until {
    fn new(moment: Moment, now: Now, clock: Clock) -> Self {
        let left = moment.time_left(now);
        let std = || Some((instant_of(now)?.checked_add(left)?, now.wall.checked_add(left)?));
        match clock {
            Clock::Std => std().map_or(Self::Runtime(moment), |(one, other)| Self::Std(one, other)),
            Clock::Runtime => Self::Runtime(moment),
        }
    }

    fn has_come(&self, runtime: &dyn Runtime) -> bool {
        match *self {
            Self::Std(monotonic, wall) => Instant::now() >= monotonic || SystemTime::now() >= wall,
            Self::Runtime(moment) => moment.has_come(runtime.now()),
        }
    }
}

impl Published {
    pub(super) const fn nothing() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// Publishes the lease unless it needs a poll now.
    pub(super) fn set(&self, lease: Option<Lease>, now: Now, clock: Clock) {
        match lease.filter(|lease| !lease.look_again.has_come(now)) {
            Some(lease) => {
                let until = Until::new(lease.look_again, now, clock);
                self.0.store(Some(Arc::new(Entry { lease, until })));
            }
            None if self.0.load().is_some() => self.0.store(None),
            None => {}
        }
    }

    /// Returns `part` of the lease while no poll is needed: no lock, no allocation.
    pub(super) fn read<T>(&self, runtime: &dyn Runtime, part: fn(&Lease) -> T) -> Option<T> {
        let entry = self.0.load();
        let entry = entry.as_ref()?;
        (!entry.until.has_come(runtime)).then(|| part(&entry.lease))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ThreadRuntime;

    /// Returns whether a time of 10 s has come that began `ago` seconds ago by each clock.
    fn has_come(clock: Clock, ago_monotonic: u64, ago_wall: u64) -> bool {
        let runtime = ThreadRuntime::new();
        let now = runtime.now();
        let began = Now::new(
            now.monotonic - Duration::from_secs(ago_monotonic),
            now.wall - Duration::from_secs(ago_wall),
        );
        let moment = Moment::after(began, Duration::from_secs(10));
        Until::new(moment, began, clock).has_come(&runtime)
    }

    #[test]
    fn the_next_poll_is_due_as_soon_as_either_clock_reaches_it() {
        for clock in [Clock::Std, Clock::Runtime] {
            assert!(!has_come(clock, 0, 0));
            assert!(!has_come(clock, 5, 5));
            assert!(has_come(clock, 15, 15));
            assert!(has_come(clock, 15, 0));
            assert!(has_come(clock, 0, 15));
        }
    }
}
