//! The facade over real transports and a real server.
//!
//! rustls is built with two crypto providers here, so that a TLS configuration made from the process's default panics.

mod alike;
mod clients;
mod errors;
mod support;
