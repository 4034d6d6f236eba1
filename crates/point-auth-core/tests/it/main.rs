//! The core from outside: what it sends, how it reads responses, and what it never shows.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test fails the test"
)]

mod answers;
mod base_url;
mod credentials;
mod denials;
mod operations;
mod properties;
mod requests;
mod secrecy;
mod support;
mod tokens;
mod user_agent;
