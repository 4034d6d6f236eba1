//! What is particular to ureq and to the connector of our own; what all transports keep alike is
//! checked for all together.
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
