//! What is particular to this adapter, beside the checks and the answers that are the same for all
//! of them.
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
