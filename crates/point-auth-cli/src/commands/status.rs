//! `point-auth status`: what is known of the tokens, without sending anything.

mod report;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use point_auth::Credentials;
use point_auth::session::{Now, Policy, SessionMachine, Snapshot};
use point_auth::token_store::{Inspection, Refusal};

use self::report::Report;
use crate::cli::options::{PasswordOptions, ProfileOptions};
use crate::failure::{Exit, Failure, Result};
use crate::output;
use crate::password::PasswordFrom;
use crate::profile::Profile;
use crate::session::KeptTokens;

/// Show what is known of the tokens, and send nothing
///
/// Shows the profile, the token store, how long the tokens are good, and denials
/// and holds. Exits with 4 if there is no way to a token without a person, and
/// with 5 if there is none for a while.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    profile: ProfileOptions,
}

/// Whether there is a way to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// There is a good token, or a refresh or a sign-in may bring one.
    Open,
    /// Not for this time.
    Later(Duration),
    /// A person has to do something.
    Closed,
}

pub(crate) fn run(arguments: &Arguments, as_json: bool) -> Result<ExitCode> {
    let profile = Profile::read(&arguments.profile, &PasswordOptions::default())?;
    let username = profile.username()?;
    // A password that is at hand says exactly what a sign-in would meet.
    let password = match profile.password.is_at_hand() {
        true => Some(profile.credential_source()?.read()),
        false => None,
    };
    let credentials = password.as_ref().and_then(|read| read.as_ref().ok());
    let inspection = match profile.store.open_existing()? {
        Some(store) => Some(KeptTokens::of(&profile, store)?.inspect(credentials)?),
        None => None,
    };
    let tokens = snapshot(&profile, username, inspection.as_ref());
    let problem = password.and_then(|read: Result<Credentials>| read.err());
    let way = way(&profile, inspection.as_ref(), &tokens, problem.as_ref());
    let report = Report {
        profile: &profile,
        username,
        inspection: inspection.as_ref(),
        tokens: &tokens,
        problem: problem.as_ref(),
        way,
    };
    output::print(&if as_json { report.to_json() } else { report.to_text() })?;
    Ok(match way {
        Way::Open => ExitCode::SUCCESS,
        Way::Later(_) => Exit::Temporary.into(),
        Way::Closed => Exit::Denied.into(),
    })
}

/// What a session would make of the tokens in the store.
fn snapshot(profile: &Profile, username: &str, inspection: Option<&Inspection>) -> Snapshot {
    let base_url = profile.base_url.clone();
    let mut session = SessionMachine::on_demand(base_url, Policy::default(), 0)
        .with_owner(Some(username), profile.user_alias.as_deref());
    // Any time will do, since nothing has happened before.
    let now = Now::new(Duration::from_secs(60 * 60), SystemTime::now());
    if let Some(tokens) = inspection.and_then(|inspection| inspection.tokens.clone()) {
        // They are of this owner, by the name of their value.
        let _is_restored = session.restore(tokens, now);
    }
    session.snapshot(now)
}

fn way(
    profile: &Profile,
    inspection: Option<&Inspection>,
    tokens: &Snapshot,
    problem: Option<&Failure>,
) -> Way {
    if tokens.token_left.is_some() || tokens.has_refresh_token {
        return Way::Open;
    }
    let refusal = inspection.and_then(|inspection| inspection.refusal.as_ref());
    match (refusal, &profile.password) {
        (Some(&(Refusal::Held(Some(left)) | Refusal::TooManyUnknown(left))), _) => Way::Later(left),
        (Some(_), _) | (_, PasswordFrom::Nowhere | PasswordFrom::Prompt) => Way::Closed,
        _ if problem.is_some() => Way::Closed,
        _ => Way::Open,
    }
}
