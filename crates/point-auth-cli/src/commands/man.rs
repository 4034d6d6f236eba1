//! `point-auth man`: the manual pages.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::failure::{Exit, Failure, Result};
use crate::output;

/// Print the manual page, or write the pages of all commands
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Directory to write the pages of all commands to
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let command = Cli::command();
    match &arguments.directory {
        None => {
            let mut page = Vec::new();
            let rendered = Man::new(command).render(&mut page);
            rendered.map_err(|error| Failure::io("the manual page", &error))?;
            let page = String::from_utf8(page)
                .map_err(|_| Failure::new(Exit::Other, "man", "the page is not Unicode"))?;
            output::print(&page)?;
        }
        Some(directory) => {
            let failed = |error| Failure::io(directory.display(), &error);
            fs::create_dir_all(directory).map_err(failed)?;
            clap_mangen::generate_to(command, directory).map_err(failed)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
