//! The checks, by rule. Each is a function that answers what it found wrong.

pub(super) mod certificates;
pub(super) mod deadline;
pub(super) mod environment;
pub(super) mod exchange;
pub(super) mod idle;
pub(super) mod kinds;
pub(super) mod leaks;
pub(super) mod once;
pub(super) mod proxies;
pub(super) mod redirects;
pub(super) mod size;
pub(super) mod statuses;
pub(super) mod sweep;
