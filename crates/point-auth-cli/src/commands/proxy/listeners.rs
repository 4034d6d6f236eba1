//! The sockets of the proxy: of its options, or of systemd.

use std::path::Path;

use point_auth_proxy::{ClientKey, ListenError, Listener};

use super::Arguments;
use crate::failure::{Exit, Failure, Result, chain};

/// Opens the sockets that the options name, or takes those of systemd.
pub(super) fn open(arguments: &Arguments) -> Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for path in &arguments.unix {
        listeners.push(unix(path, arguments)?);
    }
    for address in &arguments.listen {
        let listener = match key(arguments)? {
            Some(key) => Listener::tcp(*address, key),
            None => Listener::tcp_without_client_key(*address),
        };
        listeners.push(listener.map_err(|error| failed(&format!("--listen {address}"), &error))?);
    }
    if listeners.is_empty() {
        listeners = of_systemd(arguments)?;
    }
    if listeners.is_empty() {
        let hint = "give --unix PATH, or --listen ADDRESS with --client-key-file FILE";
        return Err(Failure::usage("there is nothing to listen on").with_hint(hint));
    }
    Ok(listeners)
}

/// The client key, or `None` if it was waived by name.
fn key(arguments: &Arguments) -> Result<Option<ClientKey>> {
    if arguments.no_client_key {
        return Ok(None);
    }
    let Some(path) = &arguments.client_key_file else {
        let hint = "give --client-key-file FILE, or --no-client-key if every program and user of \
                    this machine may use the proxy";
        return Err(Failure::usage("a TCP socket needs a client key").with_hint(hint));
    };
    let key = ClientKey::from_file(path);
    key.map(Some).map_err(|error| Failure::new(Exit::Usage, "client_key", chain(&error)))
}

fn failed(what: &str, error: &ListenError) -> Failure {
    let exit = match error {
        ListenError::NotLoopback(_) | ListenError::Folder { .. } => Exit::Usage,
        _ => Exit::Other,
    };
    Failure::new(exit, "listen", format!("{what}: {}", chain(error)))
}

#[cfg(unix)]
fn unix(path: &Path, arguments: &Arguments) -> Result<Listener> {
    let listener = Listener::unix(path);
    let listener = listener.map_err(|error| failed(&format!("--unix {}", path.display()), &error));
    listener.map(|listener| with_users(listener, arguments))
}

#[cfg(not(unix))]
fn unix(_: &Path, _: &Arguments) -> Result<Listener> {
    Err(Failure::usage("--unix needs Unix"))
}

#[cfg(unix)]
fn with_users(listener: Listener, arguments: &Arguments) -> Listener {
    arguments.allow_user.iter().fold(listener, |listener, user| listener.with_user(*user))
}

/// Takes the sockets that systemd, or another program with its protocol, has opened.
#[cfg(unix)]
fn of_systemd(arguments: &Arguments) -> Result<Vec<Listener>> {
    let mut given = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..given.len() {
        // A socket of the wrong kind stays in its place.
        let listener = if let Ok(Some(socket)) = given.take_unix_listener(index) {
            Listener::from_unix(socket).map(|listener| with_users(listener, arguments))
        } else if let Ok(Some(socket)) = given.take_tcp_listener(index) {
            Listener::from_tcp(socket, key(arguments)?)
        } else {
            let message = "a socket of systemd is neither a Unix nor a TCP socket that listens";
            return Err(Failure::usage(message));
        };
        listeners.push(listener.map_err(|error| failed("a socket of systemd", &error))?);
    }
    Ok(listeners)
}

#[cfg(not(unix))]
fn of_systemd(_: &Arguments) -> Result<Vec<Listener>> {
    Ok(Vec::new())
}

/// Lets this process open as many files as it may. Each request takes up to two sockets.
pub(super) fn allow_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
        // Without it, fewer connections are served at one time.
        let _is_raised = setrlimit(Resource::Nofile, raised);
    }
}
