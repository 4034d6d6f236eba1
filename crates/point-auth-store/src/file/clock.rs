//! [`Clock`]: one time for all processes of the machine, which outlives a boot.

use std::time::Duration;

use super::directory::Directory;
use super::elapsed::{BOOT_ID, boot_id, elapsed, wall};
use super::error::FileStoreError;

const FILE: &str = "clock";

/// Refresh tokens are certainly over after that time.
const LONGEST_LIFE: Duration = Duration::from_secs(49 * 60 * 60);

/// So often leftovers are looked for.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The store's time, as the time that has passed since a moment of this boot.
///
/// The moment is written down by the first process after a boot, so that all have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    boot_id: String,
    /// The moment, by the system's clock.
    since: Duration,
    /// The moment, by the store's clock.
    store: Duration,
    /// When leftovers were looked for, by the store's clock.
    swept: Duration,
}

impl Clock {
    /// The clock that was started last.
    pub(super) fn read(root: &Directory) -> Result<Option<Self>, FileStoreError> {
        let Some(bytes) = root.read(FILE)? else { return Ok(None) };
        let damaged = || FileStoreError::Damaged { path: root.path_of(FILE) };
        Self::parse(&bytes).ok_or_else(damaged).map(Some)
    }

    /// Whether it was started in this boot.
    pub(super) fn runs(&self) -> Result<bool, FileStoreError> {
        Ok(self.boot_id == this_boot()?)
    }

    /// Starts the clock of this boot. The store's time goes on from where the wall clock is. Where
    /// that is behind what the store `has_seen`, nothing says how long the machine was off, and no
    /// token survives.
    pub(super) fn start(last: Option<&Self>, has_seen: Duration) -> Result<Self, FileStoreError> {
        let has_seen = last.map_or(has_seen, |last| has_seen.max(last.store).max(last.swept));
        // As it is written down, so that this process has the time of those that read it.
        let [wall, since] = [wall(), elapsed()].map(whole_millis);
        let store = if wall >= has_seen { wall } else { has_seen.saturating_add(LONGEST_LIFE) };
        Ok(Self { boot_id: this_boot()?, since, store, swept: store })
    }

    pub(super) fn write(&self, root: &Directory) -> Result<(), FileStoreError> {
        root.replace(FILE, self.to_text().as_bytes())
    }

    pub(super) fn now(&self) -> Duration {
        self.store.saturating_add(elapsed().saturating_sub(self.since))
    }

    pub(super) fn is_sweep_due(&self) -> bool {
        self.now().saturating_sub(self.swept) > DAY
    }

    #[must_use]
    pub(super) fn with_sweep_now(self) -> Self {
        Self { swept: self.now(), ..self }
    }

    fn to_text(&self) -> String {
        let [since, store, swept] =
            [self.since, self.store, self.swept].map(|time| time.as_millis());
        format!("{} {since} {store} {swept}\n", self.boot_id)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(bytes).ok()?.split_whitespace();
        let boot_id = parts.next()?.to_owned();
        let mut millis = || Some(Duration::from_millis(parts.next()?.parse().ok()?));
        let (since, store, swept) = (millis()?, millis()?, millis()?);
        parts.next().is_none().then_some(Self { boot_id, since, store, swept })
    }
}

const fn whole_millis(time: Duration) -> Duration {
    let nanos = time.subsec_nanos();
    Duration::new(time.as_secs(), nanos - nanos % 1_000_000)
}

fn this_boot() -> Result<String, FileStoreError> {
    boot_id().map_err(|source| FileStoreError::Io { action: "read", path: BOOT_ID.into(), source })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::Config;

    use super::*;

    proptest! {
        #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

        #[test]
        fn any_bytes_are_a_clock_or_none(bytes in "\\PC*|[a-f-]{0,9}( -?[0-9]{0,22}){0,5}") {
            if let Some(clock) = Clock::parse(bytes.as_bytes()) {
                prop_assert_eq!(Clock::parse(clock.to_text().as_bytes()), Some(clock.clone()));
                // Whatever the times are.
                let _now = clock.now();
                let _is_due = clock.is_sweep_due();
                let _is_started = Clock::start(Some(&clock), Duration::MAX);
            }
        }

        #[test]
        fn a_clock_is_read_as_it_was_written(times in any::<[u64; 3]>()) {
            let [since, store, swept] = times.map(Duration::from_millis);
            let clock = Clock { boot_id: "a-boot".to_owned(), since, store, swept };
            prop_assert_eq!(Clock::parse(clock.to_text().as_bytes()), Some(clock));
        }
    }
}
