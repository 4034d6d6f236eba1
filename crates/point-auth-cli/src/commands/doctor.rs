//! `point-auth doctor`: looks for the reason why there is no token.

mod answer;
mod report;
mod route;
mod tls;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;

use self::report::{Finding, Report};
use crate::cli::options::{PasswordOptions, ProfileOptions};
use crate::failure::{Exit, Failure, Result};
use crate::output;
use crate::password::PasswordFrom;
use crate::profile::Profile;
use crate::session::{self, KeptTokens};

/// Look for the reason why there is no token
///
/// Checks one step after the other, with the time that each takes and a fix. No
/// password is sent, except with --sign-in.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Sign in as well, which sends the password once
    #[arg(long)]
    sign_in: bool,
    #[command(flatten)]
    profile: ProfileOptions,
    #[command(flatten)]
    password: PasswordOptions,
}

pub(crate) fn run(arguments: &Arguments, as_json: bool) -> Result<ExitCode> {
    let mut report = Report::new(as_json);
    let done = examine(arguments, &mut report);
    if as_json {
        output::print(&report.to_json())?;
    }
    match done {
        Err(Stop::Output(failure)) => Err(failure),
        Err(Stop::Step) | Ok(()) => Ok(report.exit()),
    }
}

/// Why the examination ends early.
pub(super) enum Stop {
    /// What follows needs the step that failed.
    Step,
    /// The report cannot be written.
    Output(Failure),
}

fn examine(arguments: &Arguments, report: &mut Report) -> Result<(), Stop> {
    let profile = report.step("configuration", || {
        let profile = Profile::read(&arguments.profile, &arguments.password)?;
        profile.username()?;
        let file = profile.file.as_ref();
        let file = file.map_or("no file".to_owned(), |file| file.display().to_string());
        let detail = format!("profile {} ({file}), {}", profile.name, profile.base_url.as_str());
        Ok((Finding::ok(detail), profile))
    })?;
    report.check("password", || password(&profile))?;
    report.check("store", || store(&profile))?;
    let (host, port) = route::origin(profile.base_url.as_str());
    let route = report.step("proxy", || route::find(&profile, host, port))?;
    let (dialed, dialed_port) = route.dialed(host, port);
    let limit = profile.network.connect_timeout.unwrap_or(Duration::from_secs(10));
    let addresses = report.step("DNS", || route::resolve(dialed, dialed_port, limit))?;
    let connected = report.step("TCP", || route::connect(&addresses, limit))?;
    if profile.base_url.as_str().starts_with("https:") {
        report.step("TLS", || {
            let settings = profile.network.tls()?;
            let again = || route::connect(&addresses, limit).map(|(_, stream)| stream);
            let target = tls::Target { host, port, route: &route, limit };
            Ok((tls::examine(&settings, &target, connected, again)?, ()))
        })?;
    }
    let answer = report.step("API", || answer::examine(&profile))?;
    report.check("clock", || Ok(answer.clock(SystemTime::now())))?;
    if arguments.sign_in {
        report.check("sign-in", || {
            let credentials = profile.credential_source()?.read()?;
            let left = session::sign_in(&profile, &credentials)?;
            let left = output::duration(left);
            Ok(Finding::ok(format!("the access token is good for {left}")))
        })?;
    }
    Ok(())
}

/// The place of the password, which is read where that needs neither a program nor a person.
fn password(profile: &Profile) -> Result<Finding> {
    let place = profile.password.describe();
    if profile.password.is_at_hand() {
        profile.credential_source()?.read()?;
        return Ok(Finding::ok(place));
    }
    Ok(match profile.password {
        PasswordFrom::Nowhere | PasswordFrom::Prompt => {
            Finding::warning("no place, so that each sign-in needs a person".to_owned())
                .with_fix("set password.command or password.file in the profile")
        }
        _ => Finding::ok(format!("{place} (not read)")),
    })
}

/// The store: that it opens, which checks its modes, and what is in it.
fn store(profile: &Profile) -> Result<Finding> {
    let place = profile.store.describe();
    let Some(store) = profile.store.open_existing()? else {
        return Ok(Finding::ok(format!("{place}, which is made with the first sign-in")));
    };
    let credentials = match profile.password.is_at_hand() {
        true => profile.credential_source()?.read().ok(),
        false => None,
    };
    let inspection = KeptTokens::of(profile, store)?.inspect(credentials.as_ref())?;
    if inspection.refusal.is_some() {
        let message = format!("{place}: this password was denied, or is held");
        return Err(Failure::new(Exit::Denied, "denied", message)
            .with_hint("correct the password, or run `point-auth reset`"));
    }
    let tokens = if inspection.tokens.is_some() { "with tokens" } else { "without tokens" };
    Ok(match inspection.last_denial {
        Some(denial) => Finding::warning(format!("{place}, {tokens}; a password was {denial}")),
        None => Finding::ok(format!("{place}, {tokens}")),
    })
}
