//! [`Bounds`]: how many sessions of a login are kept, and for how long.

use std::time::Duration;

/// How many sessions there may be, and how long an unused one is kept.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) most_at_once: usize,
    pub(crate) most: usize,
    pub(crate) idle: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { most_at_once: 3, most: 100_000, idle: Duration::from_secs(60 * 60) }
    }
}
