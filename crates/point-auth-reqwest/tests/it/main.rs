//! What is particular to this adapter, beside the checks and the answers that are the same for all
//! of them.
#![cfg(test)]

#[cfg(feature = "rustls")]
mod answers;
mod brought_client;
#[cfg(feature = "rustls")]
mod conformance;
mod deadline;
mod failures;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod own_client;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod proxy;
mod sign_in;
mod support;
