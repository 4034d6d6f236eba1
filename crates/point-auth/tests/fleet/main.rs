//! A fleet of real processes over one store: files, and a Redis that the tests start.
//!
//! The processes are this program, started again as a [worker](worker). Without `redis-server` on
//! this machine the tests over Redis are left out, and say so; with `POINT_AUTH_PEERS=required`
//! they fail.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and a worker says what came of its part"
)]

mod killed;
mod lives;
mod passwords;
mod place;
mod process;
mod redis_server;
mod rejected;
mod time;
mod worker;
