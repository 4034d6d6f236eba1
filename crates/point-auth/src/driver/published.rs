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
    /// When the next poll is needed, on the clocks of the standard library. They are compared as
    /// they are: a conversion to [`Now`] behind a call of the runtime would be half of the
    /// instructions of a read. `None` if the clock is that of a user's runtime.
    until: Option<(Instant, SystemTime)>,
}

fn on_std_clocks(moment: Moment, now: Now, clock: Clock) -> Option<(Instant, SystemTime)> {
    let left = moment.time_left(now);
    match clock {
        Clock::Std => Some((instant_of(now)?.checked_add(left)?, now.wall.checked_add(left)?)),
        Clock::Runtime => None,
    }
}

fn has_come(until: Option<(Instant, SystemTime)>, moment: Moment, runtime: &dyn Runtime) -> bool {
    match until {
        Some((monotonic, wall)) => Instant::now() >= monotonic || SystemTime::now() >= wall,
        None => moment.has_come(runtime.now()),
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
                let until = on_std_clocks(lease.look_again, now, clock);
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
        (!has_come(entry.until, entry.lease.look_again, runtime)).then(|| part(&entry.lease))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ThreadRuntime;

    /// Returns whether a time of 10 s has come that began `ago` seconds ago by each clock.
    fn has_ended(clock: Clock, ago_monotonic: u64, ago_wall: u64) -> bool {
        let runtime = ThreadRuntime::new();
        let now = runtime.now();
        let began = Now::new(
            now.monotonic - Duration::from_secs(ago_monotonic),
            now.wall - Duration::from_secs(ago_wall),
        );
        let moment = Moment::after(began, Duration::from_secs(10));
        has_come(on_std_clocks(moment, began, clock), moment, &runtime)
    }

    #[test]
    fn the_next_poll_is_due_as_soon_as_either_clock_reaches_it() {
        for clock in [Clock::Std, Clock::Runtime] {
            assert!(!has_ended(clock, 0, 0));
            assert!(!has_ended(clock, 5, 5));
            assert!(has_ended(clock, 15, 15));
            assert!(has_ended(clock, 15, 0));
            assert!(has_ended(clock, 0, 15));
        }
    }
}
