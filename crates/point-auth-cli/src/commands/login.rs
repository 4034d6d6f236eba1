//! `point-auth login`: checks a password, and keeps the tokens that it brings.

use std::process::ExitCode;

use clap::Args;

use crate::cli::options::{PasswordOptions, ProfileOptions};
use crate::failure::Result;
use crate::output;
use crate::profile::Profile;
use crate::session;

/// Sign in with a password, and keep the tokens
///
/// The password is asked for on the terminal, or read as an option says. It is
/// sent once, even if there are good tokens. Only the tokens are kept, not the
/// password: for sign-ins without a person, set `password.command` or
/// `password.file` in the profile.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    profile: ProfileOptions,
    #[command(flatten)]
    password: PasswordOptions,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let profile = Profile::read(&arguments.profile, &arguments.password)?;
    let credentials = profile.credential_source()?.read()?;
    let left = session::sign_in(&profile, &credentials)?;
    output::note(&format!(
        "signed in as {}; the access token is good for {}",
        credentials.username(),
        output::duration(left)
    ));
    if profile.password.needs_person() {
        output::note(
            "the tokens are kept, and the password is not: sign in again when they have expired",
        );
    }
    Ok(ExitCode::SUCCESS)
}
