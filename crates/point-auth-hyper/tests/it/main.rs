//! Tests of this adapter alone. The checks and responses that all adapters share run here too.
#![cfg(test)]

#[cfg(feature = "rustls")]
mod answers;
mod brought_client;
#[cfg(feature = "rustls")]
mod conformance;
mod deadline;
mod failures;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod proxy;
mod sign_in;
mod support;
