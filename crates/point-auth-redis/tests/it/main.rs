//! The store against a real Redis, which the tests start.
//!
//! Without `redis-server` on this machine they are left out, and say so; with
//! `POINT_AUTH_PEERS=required` they fail.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, with the place and the reason"
)]

mod contract;
mod failover;
mod fleet;
mod histories;
mod outages;
mod permissions;
mod refusals;
mod sealing;
mod server;
mod setups;
mod store;
mod suite;
mod worker;
