//! The command line: commands, options, and how a command ends.

pub(crate) mod options;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[cfg(feature = "emulate")]
use crate::commands::emulate;
#[cfg(feature = "proxy")]
use crate::commands::proxy;
use crate::commands::{completions, doctor, exec, keep, login, logout, man, reset, status, token};
use crate::failure::{Exit, Failure, Result};
use crate::output;

/// Keeps a valid access token of the PointServices API at hand.
///
/// Programs of one user on one machine share the tokens: they sign in once, refresh once in a
/// token's life, and a wrong password is sent once by all of them together.
#[derive(Debug, Parser)]
#[command(
    name = "point-auth",
    version,
    term_width = 80,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 4 denied or a\n\
                  sign-in is needed (do not try again), 5 temporary (try again later)."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Print reports and errors as JSON
    #[arg(long, global = true, help_heading = "Output options")]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Token(token::Arguments),
    Login(login::Arguments),
    Logout(logout::Arguments),
    Reset(reset::Arguments),
    Status(status::Arguments),
    Doctor(doctor::Arguments),
    Exec(exec::Arguments),
    Keep(keep::Arguments),
    #[cfg(feature = "proxy")]
    Proxy(proxy::Arguments),
    #[cfg(feature = "emulate")]
    Emulate(emulate::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error, &arguments),
    };
    let as_json = cli.json || cli.command.prints_json();
    match cli.command.run(cli.json) {
        Ok(code) => code,
        Err(failure) => report(&failure, as_json),
    }
}

impl Command {
    /// Whether its own options ask for JSON.
    fn prints_json(&self) -> bool {
        match self {
            Self::Token(arguments) => arguments.prints_json(),
            _ => false,
        }
    }

    fn run(self, as_json: bool) -> Result<ExitCode> {
        match self {
            Self::Token(arguments) => token::run(&arguments),
            Self::Login(arguments) => login::run(&arguments),
            Self::Logout(arguments) => logout::run(&arguments),
            Self::Reset(arguments) => reset::run(&arguments),
            Self::Status(arguments) => status::run(&arguments, as_json),
            Self::Doctor(arguments) => doctor::run(&arguments, as_json),
            Self::Exec(arguments) => exec::run(&arguments),
            Self::Keep(arguments) => keep::run(&arguments),
            #[cfg(feature = "emulate")]
            Self::Emulate(arguments) => emulate::run(&arguments),
            Self::Completions(arguments) => completions::run(&arguments),
            Self::Man(arguments) => man::run(&arguments),
            #[cfg(feature = "proxy")]
            Self::Proxy(arguments) => proxy::run(&arguments),
        }
    }
}

/// Help and version, or a command line that makes no sense.
fn not_parsed(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        return match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => report(&Failure::io("could not print the help", &error), false),
        };
    }
    if arguments.iter().any(|argument| argument == "--json") {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        let message = line.strip_prefix("error: ").unwrap_or(line);
        return report(&Failure::usage(message), true);
    }
    // Without standard error there is no place to report it.
    let _is_printed = error.print();
    Exit::Usage.into()
}

fn report(failure: &Failure, as_json: bool) -> ExitCode {
    match as_json {
        true => output::complain(&failure.to_json().to_string()),
        false => output::complain(&format!("point-auth: {failure}")),
    }
    failure.exit().into()
}
