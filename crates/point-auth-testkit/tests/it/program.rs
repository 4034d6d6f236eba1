//! The emulator as a program.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
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
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = program().args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
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
        }
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_in_good_order() {
    let mut running = Running::start(&[]);
    running.line();
    let process = running.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &process]).status().unwrap().success());
    assert!(running.child.wait().unwrap().success());
}

#[test]
fn with_tls_it_says_where_its_authority_is() {
    let file = std::env::temp_dir().join(format!("point-auth-testkit-{}.pem", std::process::id()));
    let mut running = Running::start(&["--tls", "--ca-file", file.to_str().unwrap()]);
    let url = running.line();
    assert!(url.starts_with("https://127.0.0.1:"));
    assert_eq!(running.line(), file.display().to_string());
    let ca = CertificateDer::from_pem_file(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let mut client = Client::tls(address(&url), trusting(&ca), "127.0.0.1");
    client.post(Operation::SignIn, &sign_in_body("user@example.com", "password"));
    assert_eq!(client.response().status, 200);
}
