//! Every adapter against independent programs.
//!
//! These are nginx and haproxy in front of the emulator, squid and tinyproxy as proxies, and
//! OpenSSL's server with many TLS settings.
//!
//! `cargo xtask peers` installs them. If one is missing, the tests that need it report that on
//! standard error and pass; with `POINT_AUTH_PEERS=required` they fail. All of them listen on
//! 127.0.0.1 alone, run in the foreground with their files in a temporary folder, and end with
//! their test.
//!
//! This is a separate binary, so that a machine without these programs shows in one place what was
//! skipped.
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

/// The summary: the programs on this machine.
#[test]
fn the_found_and_missing_programs_are_printed() {
    let found: Vec<String> =
        program::ALL.iter().map(|(name, version)| program::describe(name, version)).collect();
    program::print(&format!("peers: {}", found.join(", ")));
    assert_eq!(found.len(), program::ALL.len());
}
