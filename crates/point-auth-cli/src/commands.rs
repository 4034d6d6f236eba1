//! One file for each command: its options, and what it does.

#[cfg(feature = "proxy")]
pub(crate) mod proxy;
pub(crate) mod token;
