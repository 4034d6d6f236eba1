//! The proxy as its clients meet it: over real sockets, with the API behind it over TLS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod support;

mod access;
mod clients;
mod drain;
mod failures;
mod framing;
mod headers;
mod limits;
mod paths;
mod retries;
mod status;
mod streams;
#[cfg(unix)]
mod unix;
