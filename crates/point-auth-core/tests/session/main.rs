//! The session in virtual time: each rule by a scenario that reads like prose, and all of them
//! against a model by chance.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test fails the test"
)]
#![expect(clippy::wrong_self_convention, reason = "the tests read as prose")]

mod clocks;
mod credentials;
mod denials;
mod errors;
mod exchanges;
mod ledger;
mod ledger_attacks;
mod lost_sign_ins;
mod on_demand;
mod owners;
mod patience;
mod policy;
mod properties;
mod refusals;
mod rejections;
mod scenario;
mod secrecy;
mod shared_attacks;
mod sign_in_rate;

mod snapshots;
mod stored;
mod told;
mod windows;

#[global_allocator]
static ALLOCATOR: scanning_allocator::ScanningAllocator =
    scanning_allocator::ScanningAllocator::new();
