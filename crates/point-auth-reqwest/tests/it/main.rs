//! Tests of this adapter alone. The checks and responses that all adapters share run here too.
#![cfg(test)]

mod brought_client;
#[cfg(feature = "rustls")]
mod conformance;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod own_client;
mod settings;
#[path = "../../../point-auth-testkit/tests/async_adapter/shared.rs"]
mod shared;

use point_auth_reqwest::ReqwestTransport as Adapter;
use shared::support;
