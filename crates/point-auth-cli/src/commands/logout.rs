//! `point-auth logout`: forgets the tokens of a user.

use std::process::ExitCode;

use clap::Args;

use crate::cli::options::{PasswordOptions, ProfileOptions};
use crate::failure::Result;
use crate::output;
use crate::profile::Profile;
use crate::session::KeptTokens;

/// Forget the tokens
///
/// They are removed from the token store. The API has no way to revoke them: a
/// copy elsewhere, such as in a running program, is good until it expires.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    profile: ProfileOptions,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let profile = Profile::read(&arguments.profile, &PasswordOptions::default())?;
    if let Some(store) = profile.store.open_existing()? {
        KeptTokens::of(&profile, store)?.forget()?;
    }
    output::note("the tokens are forgotten");
    if !profile.password.needs_person() {
        let place = profile.password.describe();
        output::note(&format!("the next sign-in takes the password from: {place}"));
    }
    Ok(ExitCode::SUCCESS)
}
