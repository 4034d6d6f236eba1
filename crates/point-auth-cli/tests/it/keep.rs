//! `keep`: a file that always holds a good token.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use point_auth_testkit::{Emulator, Fault, Operation};

use crate::support::{Ended, PASSWORD, Running, USER, World};

/// Starts the program, which tells a socket as it would tell systemd when the file is there.
fn start(world: &World, file: &Path) -> Running {
    let socket = world.home.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut program = world.program(&["keep", "--file", file.to_str().unwrap()]);
    program.env("POINT_AUTH_PASSWORD", PASSWORD).env("NOTIFY_SOCKET", &socket);
    let running = Running(program.stderr(Stdio::piped()).spawn().unwrap());
    if cfg!(target_os = "linux") {
        let mut message = [0; 64];
        let length = systemd.recv(&mut message).unwrap();
        assert_eq!(&message[..length], b"READY=1\n");
    } else {
        wait_until(|| file.exists());
    }
    running
}

#[track_caller]
fn wait_until(is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::yield_now();
    }
}

#[test]
fn the_file_is_the_users_alone_and_stays_after_the_signal() {
    let world = World::new();
    let file = world.home.path().join("token");
    let mut running = start(&world, &file);
    let token = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    running.signal("-TERM");
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), token);
    // Others find its token in the store.
    assert_eq!(world.run(&["token"]).succeeds(), token);
    assert_eq!(world.emulator.count(Operation::SignIn), 1);
}

#[test]
fn the_file_is_replaced_as_a_whole_before_the_token_ends() {
    let life = Duration::from_secs(6);
    let emulator = Emulator::builder()
        .user(USER, PASSWORD)
        .with_tls()
        .access_token_life(life)
        .start()
        .unwrap();
    let world = World::with(emulator);
    let file = world.home.path().join("token");
    let _running = start(&world, &file);
    let (first, inode) = (fs::read_to_string(&file).unwrap(), fs::metadata(&file).unwrap().ino());
    wait_until(|| {
        let now = fs::read_to_string(&file).unwrap();
        assert!(now.ends_with('\n') && now.len() > 100, "half a file");
        now != first
    });
    assert_ne!(fs::metadata(&file).unwrap().ino(), inode);
    assert_eq!(world.emulator.count(Operation::SignIn), 1);
    let names: Vec<_> = fs::read_dir(world.home.path()).unwrap().flatten().collect();
    assert!(!names.iter().any(|entry| entry.file_name().to_string_lossy().contains("new")));
}

#[test]
fn it_starts_while_the_server_is_away() {
    let world = World::new();
    world.emulator.push_fault(Fault::respond(503).times(3));
    let file = world.home.path().join("token");
    let _running = start(&world, &file);
    assert!(world.emulator.count(Operation::SignIn) > 3);
}

#[test]
fn a_denied_password_at_the_start_ends_with_4() {
    let world = World::new();
    let file = world.home.path().join("token");
    let arguments = ["keep", "--password-stdin", "--file", file.to_str().unwrap()];
    let ended = world.run_with(&arguments, "wrong");
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stderr.contains("denied"), "{ended:?}");
    assert!(!file.exists());
}

#[test]
fn a_folder_in_the_place_of_the_file_is_an_error() {
    let world = World::new();
    world.sign_in();
    let output = world.program(&["keep", "--file", world.home.path().to_str().unwrap()]).output();
    Ended::of(output.unwrap()).fails(1, "it is a directory");
}
