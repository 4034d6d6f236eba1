//! A program on this machine: found, or said not to be there; started, waited for, and stopped.

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

/// All of them, and how each is asked for its version.
pub(crate) const ALL: &[(&str, &str)] = &[
    ("nginx", "-v"),
    ("haproxy", "-v"),
    ("squid", "-v"),
    ("tinyproxy", "-v"),
    ("openssl", "version"),
];

/// For a program to start, on a machine that is busy.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Where daemons are, which is not on everybody's `PATH`.
const DAEMONS: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Where the program is. If it is not, that is said once, and where `POINT_AUTH_PEERS` is
/// `required` it is a failure.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let found = look_for(name);
    if found.is_none() {
        missing(name, "is not here");
    }
    found
}

/// Says why the tests of a program are skipped, or fails.
pub(crate) fn missing(name: &str, why: &str) {
    static TOLD: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let required = env::var_os("POINT_AUTH_PEERS").is_some_and(|value| value == "required");
    assert!(!required, "{name} {why}, and POINT_AUTH_PEERS is `required`: see `cargo xtask peers`");
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.get_or_insert_default().insert(name.to_owned()) {
        tell(&format!("skipped: {name} {why}"));
    }
}

/// Past the test runner, which shows what a test prints only if it fails.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "\n{line}");
}

/// The name with its version, or that it is not here.
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

/// How to tell that a program can be connected to.
pub(crate) enum Ready {
    /// It accepts connections.
    Accepts,
    /// It says so. For one that would take a trial connection for its client.
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

    /// Sends it a signal, by its name without `SIG`.
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
        // One that is killed leaves its workers behind, so it is asked first; the signal fails only
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
