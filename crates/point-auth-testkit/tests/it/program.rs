//! The emulator as a program.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use point_auth_testkit::Operation;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::client::{Client, sign_in_body, trusting};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_point-auth-emulator"))
}

fn output(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

struct Running {
    child: Child,
    lines: io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::spawn(program().args(arguments))
    }

    fn spawn(program: &mut Command) -> Self {
        let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    #[cfg(unix)]
    fn interrupt(&mut self) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &process]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(url: &str) -> SocketAddr {
    url.split('/').nth(2).unwrap().parse().unwrap()
}

#[test]
fn help_names_every_option() {
    let output = output(&["--help"]);
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--help",
        "--version",
        "--port",
        "--tls",
        "--user",
        "--access-token-life",
        "--ca-file",
        "--path-prefix",
        "--protect",
    ] {
        assert!(help.contains(option), "{option}");
    }
    assert!(output.stderr.is_empty());
}

#[test]
fn the_version_is_the_crates() {
    let output = output(&["--version"]);
    let expected = format!("point-auth-emulator {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[test]
fn bad_arguments_end_with_2_and_a_message() {
    for (arguments, message) in [
        (&["--nonsense"][..], "invalid option '--nonsense'"),
        (&["--port"], "missing argument for option '--port'"),
        (&["--port", "70000"], "cannot parse argument"),
        (&["--user", "hunter2"], "--user wants NAME:PASSWORD"),
        (&["--user", ":hunter2"], "--user wants NAME:PASSWORD"),
        (&["--ca-file", "x.pem"], "--ca-file makes sense only with --tls"),
        (&["extra"], "unexpected argument"),
    ] {
        let output = output(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr.contains(message), "{stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_port_that_is_taken_ends_with_1() {
    let mut first = Running::start(&[]);
    let port = address(&first.line()).port().to_string();
    let output = output(&["--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("could not listen on 127.0.0.1"));
}

#[test]
fn it_serves_the_users_it_was_told() {
    let mut running = Running::start(&[
        "--user",
        "ann:a:b",
        "--user",
        "bob:c",
        "--access-token-life",
        "60",
        "--path-prefix",
        "/gw",
        "--protect",
        "/policies",
    ]);
    let url = running.line();
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/gw"), "{url}");
    let mut client = Client::tcp(address(&url));
    for (name, password, status) in [("ann", "a:b", 200), ("bob", "c", 200), ("bob", "d", 403)] {
        let path = format!("/gw{}", Operation::SignIn.path());
        client.send(
            "POST",
            &path,
            "content-type: application/json\r\n",
            &sign_in_body(name, password),
        );
        let answer = client.response();
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer.json()["expires_in"], 60);
            let token = answer.text("access_token");
            client.send("GET", "/gw/policies", &format!("authorization: Bearer {token}\r\n"), b"");
            assert_eq!(client.response().text("username"), name);
        }
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_in_good_order() {
    let mut running = Running::start(&[]);
    running.line();
    running.interrupt();
}

/// A folder of its own, which is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("point-auth-testkit-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<OsString> {
        fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[track_caller]
fn signs_in_trusting(url: &str, file: &Path) {
    let ca = CertificateDer::from_pem_file(file).unwrap();
    let mut client = Client::tls(address(url), trusting(&ca), "127.0.0.1");
    client.post(Operation::SignIn, &sign_in_body("user@example.com", "password"));
    assert_eq!(client.response().status, 200);
}

#[test]
fn with_tls_it_says_where_its_authority_is() {
    let folder = Folder::new("new");
    let file = folder.file("ca.pem");
    let mut running = Running::start(&["--tls", "--ca-file", file.to_str().unwrap()]);
    let url = running.line();
    assert!(url.starts_with("https://127.0.0.1:"));
    assert_eq!(running.line(), file.display().to_string());
    assert_eq!(folder.names(), ["ca.pem"]);
    signs_in_trusting(&url, &file);
}

#[test]
fn a_file_that_is_there_is_replaced_and_not_written_to() {
    let folder = Folder::new("replaced");
    let (file, other_name) = (folder.file("ca.pem"), folder.file("other name"));
    fs::write(&file, "what was there").unwrap();
    fs::hard_link(&file, &other_name).unwrap();
    let mut running = Running::start(&["--tls", "--ca-file", file.to_str().unwrap()]);
    let url = running.line();
    running.line();
    signs_in_trusting(&url, &file);
    assert_eq!(fs::read_to_string(&other_name).unwrap(), "what was there");
    assert_eq!(folder.names().len(), 2);
}

/// What a program says that does not start to serve.
#[track_caller]
fn refusal(arguments: &[&str]) -> String {
    let mut running = Running::spawn(program().args(arguments).stderr(Stdio::piped()));
    // A program that serves would not end.
    assert!(running.lines.next().is_none(), "it serves");
    assert_eq!(running.child.wait().unwrap().code(), Some(1));
    io::read_to_string(running.child.stderr.take().unwrap()).unwrap()
}

#[track_caller]
fn is_not_written_to(file: &Path, why: &str) {
    let message = format!("point-auth-emulator: could not write {}: {why}\n", file.display());
    assert_eq!(refusal(&["--tls", "--ca-file", file.to_str().unwrap()]), message);
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed_wherever_it_leads() {
    let folder = Folder::new("links");
    fs::write(folder.file("target"), "what was there").unwrap();
    fs::create_dir(folder.file("folder")).unwrap();
    for target in ["target", "folder", "nothing"] {
        let link = folder.file("link");
        std::os::unix::fs::symlink(folder.file(target), &link).unwrap();
        is_not_written_to(&link, "it is a symbolic link");
        assert!(link.is_symlink());
        fs::remove_file(link).unwrap();
    }
    assert_eq!(fs::read_to_string(folder.file("target")).unwrap(), "what was there");
    assert!(!folder.file("nothing").exists());
    assert_eq!(folder.names().len(), 2);
}

#[test]
fn what_is_no_file_is_not_written_to() {
    let folder = Folder::new("folder");
    is_not_written_to(&folder.0, "it is not a regular file");
}

#[cfg(unix)]
#[test]
fn without_a_name_the_file_is_new_and_private_and_goes_with_an_interrupt() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new("temporary");
    let mut start = program();
    start.arg("--tls").env("TMPDIR", &folder.0);
    let mut two = [Running::spawn(&mut start), Running::spawn(&mut start)];
    for running in &mut two {
        let url = running.line();
        let file = PathBuf::from(running.line());
        assert_eq!(file.parent(), Some(folder.0.as_path()));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        signs_in_trusting(&url, &file);
    }
    assert_eq!(folder.names().len(), 2);
    for running in &mut two {
        running.interrupt();
    }
    assert!(folder.names().is_empty());
}

#[test]
fn an_absurd_life_is_one_that_does_not_end() {
    let mut running = Running::start(&["--access-token-life", &u64::MAX.to_string()]);
    let mut client = Client::tcp(address(&running.line()));
    client.post(Operation::SignIn, &sign_in_body("user@example.com", "password"));
    let answer = client.response();
    assert_eq!(answer.json()["expires_in"], u64::MAX);
    assert_eq!(client.who_am_i(&answer.text("access_token")).status, 200);
}

#[test]
fn a_prefix_that_clients_read_differently_is_refused() {
    for prefix in ["gateway", "/a//b", "/..", "/a?b"] {
        let message = "point-auth-emulator: the path prefix is not an absolute URL path";
        assert!(refusal(&["--path-prefix", prefix]).starts_with(message), "{prefix}");
    }
}
