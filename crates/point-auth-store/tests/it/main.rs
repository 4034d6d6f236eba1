//! The contract of a store, what a fleet does over one, and sealing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, with the place and the reason"
)]

mod fleet;
