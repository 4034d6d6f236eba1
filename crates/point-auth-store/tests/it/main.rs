//! The contract of a store, what a fleet does over one, sealing, and the store in files.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, with the place and the reason"
)]

mod failing;
mod failovers;
#[cfg(all(unix, feature = "file"))]
mod file;
mod fleet;
mod inspecting;
