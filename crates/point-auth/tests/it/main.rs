//! The facade over real transports and a real server.
//!
//! rustls is built with two crypto providers here, so that a TLS configuration from the process
//! default panics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod alike;
mod clients;
mod errors;
mod own_operations;
mod session;
mod support;
mod texts;
