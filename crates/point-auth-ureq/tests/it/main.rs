//! Tests of ureq and of this crate's connector. The conformance suite covers what all transports
//! share.
#![cfg(test)]

#[cfg(feature = "rustls")]
mod answers;
mod brought_agent;
#[cfg(feature = "rustls")]
mod conformance;
mod deadlines;
mod failures;
mod logs;
#[cfg(feature = "native-tls")]
mod native_tls;
mod pool;
mod proxy;
mod sign_in;
mod support;
