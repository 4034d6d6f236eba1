//! `point-auth token`: prints a good access token.

mod format;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use point_auth::session::{Lease, Policy};

pub(crate) use self::format::{Format, VARIABLE, epoch, rfc3339};
use crate::cli::options::{PasswordOptions, ProfileOptions};
use crate::failure::{Exit, Failure, Result};
use crate::output;
use crate::profile::Profile;
use crate::session::{OpenSession, Use};

/// Print a good access token
///
/// The token comes from the token store. Only if there is none that is good for
/// long enough, the program refreshes it or signs in, once for all programs that
/// share the store.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What to print
    #[arg(long, short, value_enum, default_value_t = Format::Token)]
    format: Format,
    /// How long the token has to be good for at least
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    min_ttl: Duration,
    /// Get a new token, as after a 401 of the API
    #[arg(long)]
    renew: bool,
    #[command(flatten)]
    profile: ProfileOptions,
    #[command(flatten)]
    password: PasswordOptions,
}

impl Arguments {
    pub(crate) fn prints_json(&self) -> bool {
        self.format == Format::Json
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let profile = Profile::read(&arguments.profile, &arguments.password)?;
    let session = OpenSession::open(&profile, Use::Once(arguments.min_ttl))?;
    let lease = good_lease(&session, arguments.min_ttl, arguments.renew)?;
    output::print(&arguments.format.write(&lease, session.session.user_alias().as_deref()))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns a token that is good for at least `least`.
pub(crate) fn good_lease(session: &OpenSession, least: Duration, renew: bool) -> Result<Lease> {
    let mut lease = session.lease()?;
    let left =
        |lease: &Lease| lease.expires_at.duration_since(SystemTime::now()).unwrap_or_default();
    let age = || session.session.snapshot().token_age.unwrap_or_default();
    // A token that has just come is as good as the next one. So no run of this program makes the
    // next one sign in again and again.
    let is_old = age() >= Policy::YOUNG_TOKEN;
    if is_old && (renew || left(&lease) < least) {
        session.session.invalidate(&lease.token);
        lease = session.lease()?;
    }
    match left(&lease) {
        left if left < least => Err(Failure::new(
            Exit::Other,
            "short_lived_token",
            format!(
                "the API's tokens are good for {} at most, which is less than --min-ttl {}",
                output::duration(left),
                output::duration(least),
            ),
        )),
        _ => Ok(lease),
    }
}
