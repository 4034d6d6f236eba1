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

fn main() -> ExitCode {
    cli::run()
}
