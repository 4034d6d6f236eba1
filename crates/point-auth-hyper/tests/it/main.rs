//! What is particular to this adapter, beside the checks and the answers that are the same for all
//! of them.
#![cfg(test)]

mod brought_client;
#[cfg(feature = "rustls")]
mod conformance;
#[path = "../../../point-auth-testkit/tests/async_adapter/shared.rs"]
mod shared;

use point_auth_hyper::HyperTransport as Adapter;
use shared::support;
