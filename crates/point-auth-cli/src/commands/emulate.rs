//! `point-auth emulate`: an emulator of the API, for people and for CI.

mod faults;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::Args;
use point_auth_testkit::{Emulator, Operation};

use self::faults::FaultOption;
use crate::failure::{Exit, Failure, Result, chain};
use crate::private_file;
use crate::{output, signals};

/// Serve an emulator of the API on 127.0.0.1, until a signal
///
/// Prints its base URL, and with --tls the file with the certificate to trust.
/// The users and passwords are made up: others on the machine can read a command
/// line.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Port to listen on, 0 for a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// Speak TLS, with a certificate of a throw-away authority
    #[arg(long)]
    tls: bool,
    /// Where to write the authority's certificate [default: a temporary file]
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca_file: Option<PathBuf>,
    /// User that may sign in, with any alias [default: user@example.com:password]
    #[arg(long = "user", value_name = "NAME:PASSWORD")]
    users: Vec<String>,
    /// How long an access token lives
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    access_token_life: Duration,
    /// Path to serve the API below, for instance /gateway
    #[arg(long, value_name = "PATH", default_value = "")]
    path_prefix: String,
    /// Path that answers a good access token alone, and says whose it is
    #[arg(long = "protect", value_name = "PATH")]
    protected: Vec<String>,
    /// Let the next request fail, or with `*` at the end every one: a status
    /// such as 503 or 429:30 (with Retry-After), slow:2s, silent, reset, close
    /// or html. The first one is for the first request, and so on.
    #[arg(long = "fault", value_name = "FAULT", value_parser = FaultOption::parse)]
    faults: Vec<FaultOption>,
    /// Let refreshes fail alone, in the same way
    #[arg(long = "refresh-fault", value_name = "FAULT", value_parser = FaultOption::parse)]
    refresh_faults: Vec<FaultOption>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut builder = Emulator::builder()
        .port(arguments.port)
        .path_prefix(arguments.path_prefix.as_str())
        .access_token_life(arguments.access_token_life)
        .record_requests(false);
    if arguments.users.is_empty() {
        builder = builder.user("user@example.com", "password");
    }
    for user in &arguments.users {
        let parts =
            user.split_once(':').filter(|(name, word)| !name.is_empty() && !word.is_empty());
        // Without a part of it, which may be a password.
        let (name, password) = parts
            .ok_or_else(|| Failure::usage("--user wants NAME:PASSWORD, neither of them empty"))?;
        builder = builder.user(name, password);
    }
    for path in &arguments.protected {
        builder = builder.protected_route(path);
    }
    if arguments.tls {
        builder = builder.with_tls();
    }
    // Before the emulator has any thread.
    let (tell, stop) = mpsc::channel();
    signals::on_stop(move || {
        let _is_heard = tell.send(());
    })?;
    let emulator =
        builder.start().map_err(|error| Failure::new(Exit::Other, "emulator", chain(&error)))?;
    for fault in &arguments.faults {
        fault.apply(&emulator, None);
    }
    for fault in &arguments.refresh_faults {
        fault.apply(&emulator, Some(Operation::Refresh));
    }
    let mut announcement = format!("{}\n", emulator.base_url());
    let certificate = match arguments.tls {
        true => Some(CertificateFile::write(arguments.ca_file.as_ref(), emulator.ca_pem())?),
        false => None,
    };
    if let Some(file) = &certificate {
        announcement.push_str(&format!("{}\n", file.path.display()));
    }
    output::print(&announcement)?;
    let _is_told = stop.recv();
    Ok(ExitCode::SUCCESS)
}

/// The authority's certificate in a file.
struct CertificateFile {
    path: PathBuf,
    is_temporary: bool,
}

impl CertificateFile {
    /// Writes the certificate to `path`, or to a file that is removed in the end.
    fn write(path: Option<&PathBuf>, pem: &str) -> Result<Self> {
        let is_temporary = path.is_none();
        let path = path.cloned().unwrap_or_else(|| {
            // Others may write to that directory, so that the name is one they cannot foretell.
            let random = RandomState::new().hash_one(());
            let name = format!("point-auth-emulator-{random:016x}.pem");
            std::env::temp_dir().join(name)
        });
        private_file::replace(&path, pem.as_bytes(), is_temporary)
            .map_err(|error| Failure::io(format!("could not write {}", path.display()), &error))?;
        Ok(Self { path, is_temporary })
    }
}

impl Drop for CertificateFile {
    fn drop(&mut self) {
        if self.is_temporary {
            // Its certificate is worth nothing any more, so that a file which stays does no harm.
            let _is_removed = std::fs::remove_file(&self.path);
        }
    }
}
