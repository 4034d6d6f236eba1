//! The session in virtual time: each rule as a readable scenario, and all rules by random stories
//! against a model.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test fails the test"
)]
#![expect(clippy::wrong_self_convention, reason = "the tests read as prose")]

mod clocks;
mod consult;
mod credentials;
mod denials;
mod errors;
mod exchanges;
mod expected_credentials;
mod forked;
mod ledger;
mod ledger_attacks;
mod on_demand;
mod owners;
mod policy;
mod properties;
mod refusals;
mod rejections;
mod retries;
mod scenario;
mod secrecy;
mod shared_attacks;
mod sign_in_rate;
mod snapshots;
mod stored;
mod unknown_outcomes;
mod windows;

#[global_allocator]
static ALLOCATOR: scanning_allocator::ScanningAllocator =
    scanning_allocator::ScanningAllocator::new();
