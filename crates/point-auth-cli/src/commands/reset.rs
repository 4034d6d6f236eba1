//! `point-auth reset`: lets a password be sent again that was denied.

use std::process::ExitCode;

use clap::Args;

use crate::cli::options::{PasswordOptions, ProfileOptions};
use crate::failure::Result;
use crate::output;
use crate::profile::Profile;
use crate::session::KeptTokens;

/// Clear denials and holds of the login
///
/// Run it once the password is known to be right, for instance after the account
/// was unlocked. Running programs that share the token store notice it. A new
/// password needs no reset.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    profile: ProfileOptions,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let profile = Profile::read(&arguments.profile, &PasswordOptions::default())?;
    KeptTokens::open(&profile)?.reset()?;
    output::note("denials and holds of the login are cleared");
    Ok(ExitCode::SUCCESS)
}
