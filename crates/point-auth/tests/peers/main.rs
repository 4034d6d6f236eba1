//! Every adapter against programs that others wrote: nginx and haproxy in front of the emulator,
//! squid and tinyproxy on the way to it, and OpenSSL's server with TLS settings of all kinds.
//!
//! `cargo xtask peers` installs them. Where one is not there, the tests that need it say so on
//! standard error and pass; with `POINT_AUTH_PEERS=required` they fail. All of them listen on
//! 127.0.0.1 alone, run in the foreground with their files in a folder of their own, and end with
//! the test that started them.
//!
//! A binary of its own, so that a machine without these programs sees in one place what was not
//! tried.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it has counted"
)]

mod clients;
mod folder;
mod haproxy;
mod nginx;
mod openssl;
mod port;
mod program;
mod said;
mod squid;
mod tinyproxy;

/// The summary: what the other tests run against, on this machine.
#[test]
fn what_is_here_and_what_is_not_is_said() {
    let found: Vec<String> =
        program::ALL.iter().map(|(name, version)| program::describe(name, version)).collect();
    program::tell(&format!("peers: {}", found.join(", ")));
    assert_eq!(found.len(), program::ALL.len());
}
