//! The proxy under a service manager: sockets that it was given, and what it reports.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::Command;

use crate::clients::{get, head, read};
use crate::running::{LONG, Program, World};

#[test]
fn systemd_hears_of_the_start_and_of_the_end() {
    let world = World::new("notify");
    let socket = world.path("notify");
    let heard = UnixDatagram::bind(&socket).unwrap();
    heard.set_read_timeout(Some(LONG)).unwrap();
    let next = || {
        let mut buffer = [0; 256];
        let count = heard.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    };
    let mut command = world.command(&["proxy", "--unix", &world.path("run/proxy.sock")]);
    command.env("NOTIFY_SOCKET", &socket);
    let proxy = Program::start(command);
    assert_eq!(next().trim(), "READY=1");
    // It is ready indeed.
    UnixStream::connect(world.path("run/proxy.sock")).unwrap();
    proxy.signal("TERM");
    assert_eq!(next().trim(), "STOPPING=1");
    assert_eq!(proxy.ended().0, Some(0));
}

/// Starts the proxy by the program of systemd that activates it, if that is here.
fn activated(world: &World, listen: &str, arguments: &[&str]) -> Option<Program> {
    let program = "systemd-socket-activate";
    if Command::new(program).arg("--version").output().is_err() {
        eprintln!("skipped: {program} is not here");
        return None;
    }
    let mut command = Command::new(program);
    command.args(["-l", listen, "-E", &format!("POINT_AUTH_CONFIG={}", world.path("config.toml"))]);
    command.arg(env!("CARGO_BIN_EXE_point-auth")).arg("proxy").args(arguments);
    let program = Program::start(command);
    program.wait_until_it_says("Listening on");
    Some(program)
}

#[test]
fn it_takes_a_unix_socket_of_systemd() {
    let world = World::new("activated-unix");
    let socket = world.path("proxy.sock");
    let Some(proxy) = activated(&world, &socket, &[]) else { return };
    // The first connection starts it.
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.write_all(head("/loans", "").as_bytes()).unwrap();
    let answer = read(&mut stream);
    assert!(answer.ends_with("from the API"), "{answer}: {}", proxy.said());
    proxy.ends_on_sigterm();
    // It is systemd's.
    assert!(std::fs::metadata(&socket).unwrap().permissions().mode() > 0);
}

#[test]
fn it_takes_a_tcp_socket_of_systemd_with_its_rules() {
    let world = World::new("activated-tcp");
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = reserved.local_addr().unwrap().to_string();
    drop(reserved);
    let key = world.file("key", &"k".repeat(32), 0o600);
    let Some(proxy) = activated(&world, &address, &["--client-key-file", &key]) else { return };
    let answer = get(&address, "/loans", "");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}: {}", proxy.said());
    let answer = get(&address, "/loans", &format!("Point-Auth-Client-Key: {}\r\n", "k".repeat(32)));
    assert!(answer.ends_with("from the API"), "{answer}");
    proxy.ends_on_sigterm();
}
