//! `point-auth proxy` as a program: its sockets, its signals, its service manager and its memory.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod clients;
mod memory;
mod running;
mod service;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use point_auth_testkit::{Fault, Operation};

use crate::clients::{get, get_unix, head, read};
use crate::running::World;

#[test]
fn a_unix_socket_serves_programs_of_the_same_user() {
    let world = World::new("unix");
    let proxy = world.start(&["--unix", &world.path("run/proxy.sock")]);
    let answer = get_unix(&proxy, &world.path("run/proxy.sock"), "/point-auth-emulator/whoami");
    assert!(answer.contains(" 200 ") && answer.contains("user@example.com"), "{answer}");
    proxy.ends_on_sigterm();
    assert!(!fs::exists(world.path("run/proxy.sock")).unwrap(), "the socket is left behind");
}

#[test]
fn loopback_serves_programs_that_show_the_client_key() {
    let world = World::new("tcp");
    let key = world.file("key", &format!("{}\n", "k".repeat(32)), 0o600);
    let proxy = world.start(&["--listen", "127.0.0.1:0", "--client-key-file", &key]);
    let address = proxy.address();
    let answer = get(&address, "/loans", "");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    let answer = get(&address, "/loans", &format!("Point-Auth-Client-Key: {}\r\n", "k".repeat(32)));
    assert!(answer.ends_with("from the API"), "{answer}");
    proxy.ends_on_sigterm();
}

#[test]
fn what_would_open_the_proxy_to_others_is_refused_as_wrong_usage() {
    let world = World::new("usage");
    let exposed = world.file("exposed", &"k".repeat(32), 0o644);
    let short = world.file("short", "secret", 0o600);
    fs::create_dir(world.path("open")).unwrap();
    let in_open_folder = world.path("open/proxy.sock");
    for (arguments, why) in [
        (vec![], "nothing to listen on"),
        (vec!["--listen", "127.0.0.1:0"], "--no-client-key"),
        (vec!["--listen", "0.0.0.0:0", "--no-client-key"], "loopback"),
        (vec!["--listen", "127.0.0.1:0", "--client-key-file", &exposed], "chmod 600"),
        (vec!["--listen", "127.0.0.1:0", "--client-key-file", &short], "32 to 256"),
        (vec!["--unix", &in_open_folder], "chmod 700"),
        (vec!["--unix", &world.path("run/x.sock"), "--path", "loans"], "begins with a slash"),
    ] {
        let (code, said) = world.run(&arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(why) && !said.contains("secret"), "{arguments:?}: {said}");
    }
    assert_eq!(world.emulator.connections(), 0);
}

#[test]
fn a_wrong_password_is_sent_once_and_said_to_clients_and_operators() {
    let world = World::new("denied");
    world.file("password", "a wrong canary", 0o600);
    let proxy =
        world.start(&["--listen", "127.0.0.1:0", "--no-client-key", "--status", "127.0.0.1:0"]);
    for _ in 0..3 {
        let answer = get(&proxy.address(), "/loans", "");
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
        assert!(answer.contains("\"denied\"") && !answer.contains("canary"), "{answer}");
    }
    let status = proxy.status_address();
    assert!(get(&status, "/readyz", "").starts_with("HTTP/1.1 503 "));
    assert!(get(&status, "/healthz", "").starts_with("HTTP/1.1 200 "));
    let said = proxy.ends_on_sigterm();
    assert!(said.contains("the sign-in was denied") && !said.contains("canary"), "{said}");
    assert_eq!(world.emulator.count(Operation::SignIn), 1);
}

#[test]
fn aliases_are_those_of_the_options() {
    let world = World::new("aliases");
    let arguments =
        ["--listen", "127.0.0.1:0", "--no-client-key", "--serve-alias", "jane", "--alias", "joe"];
    let proxy = world.start(&arguments);
    let who = |more| get(&proxy.address(), "/point-auth-emulator/whoami", more);
    assert!(who("").contains("\"joe\""));
    assert!(who("Point-Auth-User-Alias: jane\r\n").contains("\"jane\""));
    assert!(who("Point-Auth-User-Alias: eve\r\n").starts_with("HTTP/1.1 403 "));
    proxy.ends_on_sigterm();
}

#[test]
fn a_request_in_progress_is_finished_after_sigterm() {
    let world = World::new("drain");
    let socket = world.path("run/proxy.sock");
    let proxy = world.start(&["--unix", &socket]);
    assert!(get_unix(&proxy, &socket, "/loans").contains("from the API"));
    // The body is still under way when the signal comes.
    let mut stream = UnixStream::connect(&socket).unwrap();
    let begin = "POST /loans HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf";
    stream.write_all(begin.as_bytes()).unwrap();
    let other = get_unix(&proxy, &socket, "/loans");
    assert!(other.contains("from the API"));
    proxy.signal("TERM");
    proxy.wait_until_it_says("stopping");
    stream.write_all(b"half").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let sent = world.emulator.requests();
    assert!(sent.iter().any(|one| one.body().as_ref() == b"halfhalf"));
    assert_eq!(proxy.ended().0, Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let world = World::new("second-signal");
    world.emulator.always_for(Operation::Other, Fault::silent());
    let socket = world.path("run/proxy.sock");
    let proxy = world.start(&["--unix", &socket]);
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.write_all(head("/loans", "").as_bytes()).unwrap();
    assert!(world.emulator.wait_for_requests(2, running::LONG));
    proxy.signal("INT");
    proxy.wait_until_it_says("stopping");
    proxy.signal("INT");
    assert_eq!(proxy.ended().0, Some(1));
    assert_eq!(read(&mut stream), "");
}

#[test]
fn proxies_of_one_user_share_the_tokens_with_all_other_commands() {
    let world = World::new("shared");
    for name in ["one", "two"] {
        let socket = world.path(&format!("run/{name}.sock"));
        let proxy = world.start(&["--unix", &socket]);
        assert!(get_unix(&proxy, &socket, "/point-auth-emulator/whoami").contains(" 200 "));
        proxy.ends_on_sigterm();
    }
    let printed = world.command(&["token"]).output().unwrap();
    assert!(printed.status.success());
    assert_eq!(world.emulator.count(Operation::SignIn), 1);
}

/// A server that ends with the test.
struct Redis(std::process::Child);

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn proxies_of_many_machines_share_the_tokens_in_redis() {
    let world = World::new("redis");
    let socket = world.path("redis.sock");
    let mut server = Command::new("redis-server");
    server.args(["--port", "0", "--save", "", "--unixsocket", &socket]).stdout(Stdio::piped());
    let Ok(mut server) = server.spawn() else {
        eprintln!("skipped: there is no redis-server here");
        return;
    };
    let said = BufReader::new(server.stdout.take().unwrap());
    let _server = Redis(server);
    let is_ready = |line: &String| line.to_ascii_lowercase().contains("ready to accept");
    assert!(said.lines().map_while(Result::ok).any(|line| is_ready(&line)));
    let key = world.file("key", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", 0o600);
    let config = fs::read_to_string(world.path("config.toml")).unwrap();
    let store = format!("store.redis_url = 'unix://{socket}'\nstore.key_file = '{key}'\n");
    let lines = config.lines().filter(|line| !line.starts_with("store."));
    let config: String = lines.map(|line| format!("{line}\n")).chain([store]).collect();
    world.file("config.toml", &config, 0o600);
    for name in ["one", "two"] {
        let socket = world.path(&format!("run/{name}.sock"));
        let proxy = world.start(&["--unix", &socket]);
        assert!(get_unix(&proxy, &socket, "/point-auth-emulator/whoami").contains(" 200 "));
        proxy.ends_on_sigterm();
    }
    assert_eq!(world.emulator.count(Operation::SignIn), 1);
}

#[test]
fn no_secret_is_on_the_command_line_or_in_what_it_says() {
    let world = World::new("secrets");
    let socket = world.path("run/proxy.sock");
    let proxy = world.start(&["--unix", &socket]);
    assert!(get_unix(&proxy, &socket, "/loans").contains("from the API"));
    let line = fs::read_to_string(format!("/proc/{}/cmdline", proxy.id())).unwrap_or_default();
    let said = proxy.ends_on_sigterm();
    let token = world.emulator.requests();
    let token = token.iter().find_map(|one| one.header("authorization")).unwrap().to_owned();
    for secret in [running::PASSWORD, token.trim_start_matches("Bearer ")] {
        assert!(!line.contains(secret) && !said.contains(secret));
    }
}
