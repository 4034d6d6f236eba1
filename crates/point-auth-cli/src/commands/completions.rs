//! `point-auth completions`: a script for the completion of a shell.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::{Exit, Failure, Result};
use crate::output;

/// Print the completions of a shell
///
/// For bash: `point-auth completions bash > /etc/bash_completion.d/point-auth`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "point-auth", &mut script);
    let script = String::from_utf8(script)
        .map_err(|_| Failure::new(Exit::Other, "completions", "the script is not Unicode"))?;
    output::print(&script)?;
    Ok(ExitCode::SUCCESS)
}
