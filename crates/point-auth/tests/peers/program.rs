//! A program on this machine: found, or reported as missing; started, awaited, and stopped.

use std::collections::HashSet;
use std::env;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::port::Port;
use crate::said::Said;

/// All of them, with the argument that prints the version.
pub(crate) const ALL: &[(&str, &str)] = &[
    ("nginx", "-v"),
    ("haproxy", "-v"),
    ("squid", "-v"),
    ("tinyproxy", "-v"),
    ("openssl", "version"),
];

/// The time for a program to start on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// The folders of daemons, which are often not in `PATH`.
const DAEMONS: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Returns the path of the program. A missing program is reported once, and is a failure if
/// `POINT_AUTH_PEERS` is `required`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let found = look_for(name);
    if found.is_none() {
        missing(name, "is not here");
    }
    found
}

/// Reports why the tests of a program are skipped, or fails.
pub(crate) fn missing(name: &str, why: &str) {
    static REPORTED: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let required = env::var_os("POINT_AUTH_PEERS").is_some_and(|value| value == "required");
    assert!(!required, "{name} {why}, and POINT_AUTH_PEERS is `required`: see `cargo xtask peers`");
    let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    if reported.get_or_insert_default().insert(name.to_owned()) {
        print(&format!("skipped: {name} {why}"));
    }
}

/// Bypasses the test runner, which shows output only on failure.
pub(crate) fn print(line: &str) {
    let _ = writeln!(std::io::stderr(), "\n{line}");
}

/// Returns the name with its version, or that it is missing.
pub(crate) fn describe(name: &str, version_argument: &str) -> String {
    let Some(path) = look_for(name) else { return format!("{name} is NOT HERE") };
    let output = Command::new(path).arg(version_argument).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let version = said
        .split(|c: char| c.is_whitespace() || c == '/')
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    format!("{name} {}", version.unwrap_or("of an unknown version"))
}

fn look_for(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(DAEMONS.iter().map(PathBuf::from));
    folders.find_map(|folder| Some(folder.join(name)).filter(|file| file.is_file()))
}

/// How to detect that a program is ready.
pub(crate) enum Ready {
    /// It accepts connections.
    Accepts,
    /// It prints this text. For one that would treat a trial connection as its client.
    Says(&'static str),
}

/// A program that runs until this is dropped.
pub(crate) struct Running {
    child: Child,
    said: Arc<Said>,
    address: SocketAddr,
    _port: Port,
    folder: Folder,
}

impl Running {
    /// Starts it, and waits until it is ready.
    pub(crate) fn start(mut command: Command, port: Port, folder: Folder, ready: &Ready) -> Self {
        command.current_dir(folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Said::default());
        said.listen(child.stdout.take().unwrap());
        said.listen(child.stderr.take().unwrap());
        let mut running = Self { child, said, address: port.addr(), _port: port, folder };
        running.wait_until_ready(ready);
        running
    }

    fn wait_until_ready(&mut self, ready: &Ready) {
        let end = Instant::now() + LONG;
        loop {
            let is_ready = match ready {
                Ready::Accepts => TcpStream::connect(self.address).is_ok(),
                Ready::Says(word) => self.said.text().contains(word),
            };
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended by itself ({ended:?}): {}", self.said.text());
            if is_ready {
                return;
            }
            assert!(Instant::now() < end, "it is not ready after {LONG:?}: {}", self.said.text());
            self.said.wait_for_more(Duration::from_millis(20));
        }
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.address
    }

    pub(crate) const fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(crate) const fn said(&self) -> &Arc<Said> {
        &self.said
    }

    pub(crate) const fn take_stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// Sends a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait_until_ended(&mut self) {
        let end = Instant::now() + LONG;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "it has not ended: {}", self.said.text());
            self.said.wait_for_more(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A killed program leaves its workers behind, so it is stopped first. The signal fails only
        // if it has ended.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-s", "TERM", &id]).stderr(Stdio::null()).status();
        let end = Instant::now() + LONG;
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < end {
            self.said.wait_for_more(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
