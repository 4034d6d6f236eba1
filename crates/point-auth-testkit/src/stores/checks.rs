//! The checks, by group. Each is a function that returns what it found wrong.

pub(super) mod clock;
pub(super) mod fleet;
pub(super) mod fresh;
pub(super) mod kept;
pub(super) mod repeat;
pub(super) mod sealed;
pub(super) mod swap;
pub(super) mod values;
