//! A `redis-server` on a free port of 127.0.0.1, which ends with its value.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write, copy, sink};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use redis::{Connection, FromRedisValue};
use tokio::net::TcpSocket;

const PROGRAM: &str = "redis-server";

/// Where daemons are, which `PATH` may lack.
const DAEMONS: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// A server that is killed when it is dropped.
pub(crate) struct Server {
    child: Option<Child>,
    program: PathBuf,
    arguments: Vec<String>,
    port: Port,
    folder: Folder,
}

impl Server {
    /// Starts one without a password. `None` where there is no `redis-server`.
    pub(crate) fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// Starts one with these arguments beside the usual ones.
    pub(crate) fn with(arguments: &[&str]) -> Option<Self> {
        let mut server = Self::stopped(arguments)?;
        server.run();
        Some(server)
    }

    /// Keeps a port for one, which nothing listens on until [`run`](Self::run).
    pub(crate) fn stopped(arguments: &[&str]) -> Option<Self> {
        let program = find()?;
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Some(Self { child: None, program, arguments, port: Port::free(), folder: Folder::new() })
    }

    /// Adds arguments for the next start.
    pub(crate) fn add(&mut self, arguments: &[&str]) {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
    }

    /// Starts it, and returns when it accepts connections.
    pub(crate) fn run(&mut self) {
        let port = self.addr().port().to_string();
        let mut command = Command::new(&self.program);
        command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"]);
        command.args(&self.arguments).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut log = String::new();
        while !log.contains("Ready to accept connections") {
            let read = said.read_line(&mut log).unwrap();
            assert!(read > 0, "redis-server ended: {log}");
        }
        thread::spawn(move || copy(&mut said, &mut sink()));
        self.child = Some(child);
    }

    /// Kills it. Its port stays its own.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.port.address
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.addr())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sends a command over a connection of its own.
    pub(crate) fn command<T: FromRedisValue>(&self, words: &[&str]) -> T {
        query(&mut connect(&self.url()), words)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn connect(url: &str) -> Connection {
    redis::Client::open(url).unwrap().get_connection().unwrap()
}

pub(crate) fn query<T: FromRedisValue>(connection: &mut Connection, words: &[&str]) -> T {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query(connection).unwrap()
}

/// Past the test runner, which shows what a test prints only if it fails.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "\n{line}");
}

fn find() -> Option<PathBuf> {
    static TOLD: Once = Once::new();
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(DAEMONS.iter().map(PathBuf::from));
    let found = folders.find_map(|folder| Some(folder.join(PROGRAM)).filter(|file| file.is_file()));
    if found.is_none() {
        let required = env::var_os("POINT_AUTH_PEERS").is_some_and(|value| value == "required");
        assert!(!required, "{PROGRAM} is not here, and POINT_AUTH_PEERS is `required`");
        TOLD.call_once(|| tell(&format!("skipped: {PROGRAM} is not here")));
    }
    found
}

/// A port that no other program is given while this lives. The socket does not listen, and has the
/// option that Redis sets too, so that Redis may be bound beside it.
struct Port {
    address: SocketAddr,
    _held: TcpSocket,
}

impl Port {
    fn free() -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseaddr(true).unwrap();
        held.bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)).unwrap();
        Self { address: held.local_addr().unwrap(), _held: held }
    }
}

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("point-auth-redis-{}-{number}", std::process::id());
        let path = env::temp_dir().join(name);
        // Left by another process of this number, long ago.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A second port, for a server that listens on two.
pub(crate) struct SecondPort(Port);

impl SecondPort {
    pub(crate) fn free() -> Self {
        Self(Port::free())
    }

    pub(crate) fn number(&self) -> u16 {
        self.0.address.port()
    }
}

pub(crate) fn write(folder: &Path, name: impl AsRef<OsStr>, text: &str) -> String {
    let path = folder.join(name.as_ref());
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
