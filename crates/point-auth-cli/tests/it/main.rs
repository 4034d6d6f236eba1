//! The program as users run it: a real process, an emulator of the API over TLS, and exit codes.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, with the place and the reason"
)]

mod configuration;
mod doctor;
mod emulate;
mod exec;
mod exit_codes;
mod help;
mod keep;
mod login;
mod passwords;
mod proxy;
mod secrets;
mod sharing;
mod support;
#[cfg(target_os = "linux")]
mod terminal;
mod token;
