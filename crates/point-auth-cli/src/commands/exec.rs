//! `point-auth exec`: runs a command that finds the token in a variable.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Args;

use super::token::{self, VARIABLE};
use crate::cli::options::{PasswordOptions, ProfileOptions};
use crate::failure::{Failure, Result};
use crate::output;
use crate::password::{self, PasswordFrom};
use crate::profile::{Profile, SECRET_VARIABLES};
use crate::session::{OpenSession, Use};

/// Run a command with the token in `POINT_AUTH_ACCESS_TOKEN`
///
/// The exit code and the signals are the command's. It does not see
/// `POINT_AUTH_PASSWORD`. The token is not renewed while the command runs: for
/// that, see `keep`.
#[derive(Debug, Args)]
#[command(override_usage = "point-auth exec [OPTIONS] -- <COMMAND>...")]
pub(crate) struct Arguments {
    /// How long the token has to be good for at least
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    min_ttl: Duration,
    #[command(flatten)]
    profile: ProfileOptions,
    #[command(flatten)]
    password: PasswordOptions,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// What a shell ends with when a command is missing, or cannot be run.
const MISSING: u8 = 127;
const NOT_RUNNABLE: u8 = 126;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Some((program, rest)) = arguments.command.split_first() else {
        return Err(Failure::usage("there is no command"));
    };
    let profile = Profile::read(&arguments.profile, &arguments.password)?;
    let session = OpenSession::open(&profile, Use::Once(arguments.min_ttl))?;
    let lease = token::good_lease(&session, arguments.min_ttl, false)?;
    let mut command = Command::new(program);
    command.args(rest).env(VARIABLE, lease.token.expose());
    for secret in SECRET_VARIABLES {
        command.env_remove(secret);
    }
    match profile.password {
        // The password may still be there, where no sign-in was needed.
        PasswordFrom::Stdin => {
            command.stdin(Stdio::null());
        }
        PasswordFrom::Descriptor(number) => password::drain_descriptor(number),
        _ => {}
    }
    let failed = |error: &io::Error| {
        output::note(&format!("{}: {error}", program.to_string_lossy()));
        ExitCode::from(match error.kind() {
            ErrorKind::NotFound => MISSING,
            _ => NOT_RUNNABLE,
        })
    };
    #[cfg(unix)]
    return Ok(failed(&std::os::unix::process::CommandExt::exec(&mut command)));
    #[cfg(not(unix))]
    match command.status() {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
        }
        Err(error) => Ok(failed(&error)),
    }
}
