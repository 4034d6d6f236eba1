//! What is particular to this adapter; what all adapters have in common is tested for all of them elsewhere.
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
