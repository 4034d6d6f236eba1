//! `emulate`: the emulator as a program.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{ChildStdout, Stdio};

use crate::support::{Ended, Running, World};

struct Emulating {
    running: Running,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Emulating {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut program = world.program(&["emulate"]);
        program.args(arguments).env("TMPDIR", world.home.path());
        let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { running: Running(child), lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn stop(mut self, signal: &str) {
        self.running.signal(signal);
        assert_eq!(self.running.0.wait().unwrap().code(), Some(0));
    }
}

/// Asks for a token of another emulator than the world's.
fn token(world: &World, url: &str, ca: Option<&str>, input: &str) -> Ended {
    let ca = ca.map_or_else(|| world.home.path().join("ca.pem"), |ca| Path::new(ca).into());
    let ca = ca.to_str().unwrap();
    let arguments = ["token", "--password-stdin", "--base-url", url, "--tls-ca-file", ca];
    world.run_with(&arguments, input)
}

#[test]
fn it_serves_the_users_that_it_was_told_until_a_signal() {
    let world = World::new();
    for signal in ["-INT", "-TERM"] {
        let mut emulating = Emulating::start(
            &world,
            &["--user", "user@example.com:a:b", "--user", "bob:c", "--path-prefix", "/gw"],
        );
        let url = emulating.line();
        assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/gw"), "{url}");
        token(&world, &url, None, "a:b").succeeds();
        emulating.stop(signal);
        world.run(&["logout", "--base-url", &url]).succeeds();
    }
}

#[test]
fn with_tls_it_says_where_the_certificate_is_and_removes_it_in_the_end() {
    let world = World::new();
    let mut emulating = Emulating::start(&world, &["--tls"]);
    let (url, ca) = (emulating.line(), emulating.line());
    token(&world, &url, Some(&ca), "password").succeeds();
    assert!(ca.starts_with(world.home.path().to_str().unwrap()), "{ca}");
    emulating.stop("-TERM");
    assert!(!Path::new(&ca).exists());
}

#[test]
fn a_certificate_replaces_a_link_and_not_what_it_leads_to() {
    let world = World::new();
    let precious = world.home.write("precious", "as before", 0o600);
    let link = world.home.path().join("link.pem");
    std::os::unix::fs::symlink(&precious, &link).unwrap();
    let mut emulating = Emulating::start(&world, &["--tls", "--ca-file", link.to_str().unwrap()]);
    let url = emulating.line();
    assert_eq!(emulating.line(), link.to_str().unwrap());
    token(&world, &url, link.to_str(), "password").succeeds();
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "as before");
}

#[test]
fn faults_come_in_their_order_or_for_good() {
    let world = World::new();
    let mut emulating = Emulating::start(&world, &["--fault", "400", "--fault", "429:90*"]);
    let url = emulating.line();
    let first = token(&world, &url, None, "password");
    assert_eq!(first.code, Some(1), "{first:?}");
    let alias = ["token", "--password-stdin", "--base-url", &url, "--alias", "b", "--json"];
    let second = world.run_with(&alias, "password");
    assert_eq!(second.code, Some(5), "{second:?}");
    assert!(second.error()["retry_after"].as_u64().unwrap() >= 90, "{second:?}");
}

#[test]
fn what_it_does_not_understand_ends_with_2_and_no_secret() {
    let world = World::new();
    for (arguments, message) in [
        (&["--user", "cAnArY"][..], "--user wants NAME:PASSWORD"),
        (&["--user", ":cAnArY"], "--user wants NAME:PASSWORD"),
        (&["--port", "70000"], "70000"),
        (&["--ca-file", "x.pem"], "--tls"),
        (&["--fault", "99"], "it is no fault"),
        (&["--fault", "slow:x"], "slow:x"),
    ] {
        let output = world.program(&["emulate"]).args(arguments).output().unwrap();
        let ended = Ended::of(output);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(message), "{ended:?}");
    }
}
