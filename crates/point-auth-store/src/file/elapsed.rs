//! The clock below the store's own: which one runs, and what it shows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the wall clock shows, since 1970.
pub(super) fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::{fs, io};

    use rustix::time::{ClockId, clock_gettime};

    use super::Duration;

    pub(in super::super) const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

    /// What is different after each boot.
    pub(in super::super) fn boot_id() -> io::Result<String> {
        Ok(fs::read_to_string(BOOT_ID)?.trim().to_owned())
    }

    /// The time since the boot, with the time that the machine slept.
    pub(in super::super) fn elapsed() -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::io;

    use super::{Duration, wall};

    pub(in super::super) const BOOT_ID: &str = "the wall clock";

    /// The wall clock does not start anew.
    pub(in super::super) fn boot_id() -> io::Result<String> {
        Ok("wall".to_owned())
    }

    pub(in super::super) fn elapsed() -> Duration {
        wall()
    }
}

pub(super) use system::{BOOT_ID, boot_id, elapsed};
