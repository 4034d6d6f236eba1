//! Many processes with one store: at once, killed, and on a full disk.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use point_auth_testkit::{Fault, Operation};

use crate::support::{Ended, PASSWORD, Running, World};

#[test]
fn fifty_processes_at_once_sign_in_once() {
    let world = World::new();
    let file = world.home.write("secret", PASSWORD, 0o600);
    let arguments = ["token", "--password-file", file.to_str().unwrap()];
    let running: Vec<_> = (0..50)
        .map(|_| {
            let mut program = world.program(&arguments);
            program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let tokens: Vec<String> = running
        .into_iter()
        .map(|child| Ended::of(child.wait_with_output().unwrap()).succeeds().to_owned())
        .collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(world.emulator.requests().len(), 1);
}

#[test]
fn a_wrong_password_is_sent_once_by_all_processes_together() {
    let world = World::new();
    let file = world.home.write("secret", "wrong", 0o600);
    let arguments = ["token", "--password-file", file.to_str().unwrap()];
    let running: Vec<_> = (0..20)
        .map(|_| {
            let mut program = world.program(&arguments);
            program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in running {
        Ended::of(child.wait_with_output().unwrap()).fails(4, "denied");
    }
    assert_eq!(world.emulator.requests().len(), 1);
}

#[test]
fn a_process_that_is_killed_in_the_middle_holds_up_no_other() {
    let world = World::new();
    let file = world.home.write("secret", PASSWORD, 0o600);
    let arguments = ["token", "--password-file", file.to_str().unwrap()];
    world.emulator.push_fault(Fault::silent());
    let mut killed = Running(world.program(&arguments).spawn().unwrap());
    assert!(world.emulator.wait_for_requests(1, Duration::from_secs(60)));
    killed.0.kill().unwrap();
    killed.0.wait().unwrap();
    let started = Instant::now();
    world.run(&arguments).succeeds();
    // The permit of the other would have lasted for 42 seconds.
    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!(world.emulator.count(Operation::SignIn), 2);
}

/// Runs the program as on a full disk: no file can grow.
fn on_a_full_disk(world: &World, arguments: &str) -> Ended {
    let mut shell = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_point-auth");
    shell.arg("-c").arg(format!("trap '' XFSZ; ulimit -f 0; exec {program} {arguments} | cat"));
    shell.arg("sh");
    world.settle_in(&mut shell);
    shell.env("POINT_AUTH_PASSWORD", PASSWORD);
    Ended::of(shell.output().unwrap())
}

#[test]
fn on_a_full_disk_a_good_token_is_still_printed() {
    let world = World::new();
    world.sign_in();
    let token = world.run(&["token"]).succeeds().to_owned();
    assert_eq!(on_a_full_disk(&world, "token").stdout, token);
}

#[test]
fn on_a_full_disk_no_password_is_sent() {
    let world = World::new();
    let without_store = on_a_full_disk(&world, "token");
    assert!(without_store.stderr.contains("token store"), "{without_store:?}");
    world.sign_in();
    // Another alias has no token, and its sign-in could not be written down.
    let ended = on_a_full_disk(&world, "token --alias jane --wait 5s");
    assert!(ended.stderr.contains("token store"), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert_eq!(world.emulator.requests().len(), 1);
}

#[test]
fn a_store_that_others_can_read_is_refused() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let world = World::new();
    world.sign_in();
    let store = world.home.path().join("state/point-auth");
    set_permissions(&store, Permissions::from_mode(0o755)).unwrap();
    world.run(&["token"]).fails(1, "has the mode 0755");
}
