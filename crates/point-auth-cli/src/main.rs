//! The program `point-auth`: access tokens of the PointServices API in a shell, a cron job, or a
//! service in any language.
//!
//! The rules of sign-ins and the sessions are the library's. This crate reads the configuration,
//! asks a session, and says in an exit code what came of it. The README describes its features.

mod cli;
mod commands;
mod config;
mod failure;
mod output;
mod password;
mod private_file;
mod profile;
mod secret_file;
mod session;
mod signals;

use std::process::ExitCode;

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
compile_error!("point-auth-cli needs a crypto provider: turn on `aws-lc-rs` or `ring`");

fn main() -> ExitCode {
    cli::run()
}
