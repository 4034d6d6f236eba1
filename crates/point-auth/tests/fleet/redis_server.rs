//! A `redis-server` on a free port of 127.0.0.1, which ends with its value.

use std::io::{BufRead, BufReader, Write, copy, sink};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::{env, fs, thread};

use point_auth_testkit::CertificateAuthority;
use tokio::net::TcpSocket;

use crate::place::Folder;

const PROGRAM: &str = "redis-server";

/// Where daemons are, which `PATH` may lack.
const DAEMONS: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

pub(crate) const PASSWORD: &str = "the password of redis";

/// A server that is killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    /// The port stays this server's own as long as this lives: it does not listen, and has the
    /// option that Redis sets too, so that Redis may be bound beside it.
    _held: TcpSocket,
    _folder: Folder,
    /// The authority to trust, of a server with TLS.
    pub(crate) authority: Option<String>,
}

impl Server {
    /// Starts one without a password. `None` where there is no `redis-server`.
    pub(crate) fn start() -> Option<Self> {
        Some(Self::run(&find()?, Folder::new("redis"), &[], None))
    }

    /// Starts one that speaks TLS alone, and asks for a [`PASSWORD`].
    pub(crate) fn with_tls_and_password() -> Option<Self> {
        let program = find()?;
        let folder = Folder::new("redis");
        let authority = CertificateAuthority::new().unwrap();
        let issued = authority.issue(["localhost"]).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let certificate = write("certificate.pem", issued.certificate_pem());
        let key = write("key.pem", issued.private_key_pem());
        // A file, since arguments are seen by all users of the machine.
        let config = write("redis.conf", &format!("requirepass \"{PASSWORD}\"\n"));
        let tls = [
            &config,
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &certificate,
            "--tls-auth-clients",
            "no",
        ];
        Some(Self::run(&program, folder, &tls, Some(authority.pem().to_owned())))
    }

    fn run(program: &Path, folder: Folder, first: &[&str], authority: Option<String>) -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseaddr(true).unwrap();
        held.bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)).unwrap();
        let address = held.local_addr().unwrap();
        let port = address.port().to_string();
        let mut command = Command::new(program);
        command.args(first).args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        match &authority {
            Some(_) => command.args(["--port", "0", "--tls-port", &port]),
            None => command.args(["--port", &port]),
        };
        command.current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut log = String::new();
        while !log.contains("Ready to accept connections") {
            let read = said.read_line(&mut log).unwrap();
            assert!(read > 0, "redis-server ended: {log}");
        }
        thread::spawn(move || copy(&mut said, &mut sink()));
        Self { child, address, _held: held, _folder: folder, authority }
    }

    pub(crate) fn url(&self) -> String {
        match &self.authority {
            Some(_) => {
                let password = PASSWORD.replace(' ', "%20");
                format!("rediss://:{password}@localhost:{}", self.address.port())
            }
            None => format!("redis://{}", self.address),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _is_killed = self.child.kill();
        let _has_ended = self.child.wait();
    }
}

fn find() -> Option<PathBuf> {
    static TOLD: Once = Once::new();
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(DAEMONS.iter().map(PathBuf::from));
    let found = folders.find_map(|folder| Some(folder.join(PROGRAM)).filter(|file| file.is_file()));
    if found.is_none() {
        let required = env::var_os("POINT_AUTH_PEERS").is_some_and(|value| value == "required");
        assert!(!required, "{PROGRAM} is not here, and POINT_AUTH_PEERS is `required`");
        // Past the test runner, which shows what a test prints only if it fails.
        TOLD.call_once(|| {
            let _ = writeln!(std::io::stderr(), "\nskipped: {PROGRAM} is not here");
        });
    }
    found
}
