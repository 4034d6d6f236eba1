//! One file for each command: its options, and what it does.

pub(crate) mod completions;
pub(crate) mod doctor;
#[cfg(feature = "emulate")]
pub(crate) mod emulate;
pub(crate) mod exec;
pub(crate) mod keep;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
#[cfg(feature = "proxy")]
pub(crate) mod proxy;
pub(crate) mod reset;
pub(crate) mod status;
pub(crate) mod token;
