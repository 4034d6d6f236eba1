//! `point-auth keep`: keeps a token fresh in a file, for programs that read one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use clap::Args;
use point_auth::session::Lease;

use super::token::Format;
use crate::cli::options::{PasswordOptions, ProfileOptions};
use crate::failure::{Exit, Failure, Result};
use crate::private_file;
use crate::profile::Profile;
use crate::session::{Event, OpenSession, Use};
use crate::{output, signals};

/// Keep a fresh token in a file until a signal
///
/// The file is for its owner alone (mode 0600), and is replaced as a whole before
/// the token expires. The program tells systemd when the file is there. It ends
/// with SIGTERM or SIGINT, and leaves the file.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// What to write
    #[arg(long, short, value_enum, default_value_t = Format::Token)]
    format: Format,
    #[command(flatten)]
    profile: ProfileOptions,
    #[command(flatten)]
    password: PasswordOptions,
}

/// How long the first attempt waits after a failure that is temporary, at least.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// What the main thread hears of.
enum Message {
    /// The first token is there, or there is no way to one.
    First(Result<Lease>),
    Session(Event),
    Stop,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let profile = Profile::read(&arguments.profile, &arguments.password)?;
    let (tell, messages) = mpsc::channel();
    let stop = tell.clone();
    signals::on_stop(move || {
        let _is_heard = stop.send(Message::Stop);
    })?;
    let events = tell.clone();
    let session = OpenSession::open(&profile, Use::Lasting)?.telling(move |event| {
        let _is_heard = events.send(Message::Session(event));
    });
    let session = Arc::new(session);
    let keeping = Arc::clone(&session);
    thread::spawn(move || {
        let first = first_lease(&keeping);
        let is_there = first.is_ok();
        let _is_heard = tell.send(Message::First(first));
        if is_there {
            keeping.session.clone().keep_fresh();
        }
    });
    let mut file = TokenFile { arguments, written: None };
    for message in messages {
        match message {
            Message::Stop => break,
            Message::First(first) => {
                file.write(&first?, &session)?;
                tell_systemd();
            }
            Message::Session(Event::Problem(problem)) => output::note(&problem),
            Message::Session(Event::Changed) if file.written.is_some() => {
                if let Some(lease) = session.session.current_lease() {
                    file.write(&lease, &session)?;
                }
            }
            Message::Session(Event::Changed) => {}
        }
    }
    session.finish();
    Ok(ExitCode::SUCCESS)
}

/// Waits for the first token through everything that passes by itself.
fn first_lease(session: &OpenSession) -> Result<Lease> {
    loop {
        match session.lease() {
            Err(failure) if failure.exit() == Exit::Temporary => {
                output::note(&failure.to_string());
                thread::sleep(failure.retry_after().unwrap_or_default().max(SHORTEST_WAIT));
            }
            result => return result,
        }
    }
}

struct TokenFile<'a> {
    arguments: &'a Arguments,
    written: Option<point_auth::AccessToken>,
}

impl TokenFile<'_> {
    fn write(&mut self, lease: &Lease, session: &OpenSession) -> Result<()> {
        if self.written.as_ref().is_some_and(|old| old.expose() == lease.token.expose()) {
            return Ok(());
        }
        let path: &Path = &self.arguments.file;
        let text = self.arguments.format.write(lease, session.session.user_alias().as_deref());
        private_file::replace(path, text.as_bytes(), true)
            .map_err(|error| Failure::io(format!("could not write {}", path.display()), &error))?;
        self.written = Some(lease.token.clone());
        Ok(())
    }
}

/// Tells systemd that the file is there, if it wants to know.
fn tell_systemd() {
    #[cfg(target_os = "linux")]
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        output::note(&format!("systemd could not be told: {error}"));
    }
}
