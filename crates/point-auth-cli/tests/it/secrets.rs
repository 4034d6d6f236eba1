//! No password and no token where it does not belong.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use point_auth_testkit::Fault;

use crate::support::{Ended, PASSWORD, Running, World};

/// Whether a file below this directory has the text.
fn is_in(directory: &Path, text: &str) -> bool {
    fs::read_dir(directory).unwrap().flatten().any(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => is_in(&path, text),
            false => String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(text),
        }
    })
}

#[test]
fn the_store_holds_no_password_and_no_token_in_the_clear() {
    let world = World::new();
    let token = world.run_with(&["token", "--password-stdin"], PASSWORD).succeeds().to_owned();
    world.run_with(&["login", "--password-stdin"], "wrong-cAnArY").fails(4, "denied");
    assert!(!is_in(world.home.path(), "cAnArY"));
    assert!(!is_in(world.home.path(), token.trim_end()));
}

#[cfg(target_os = "linux")]
#[test]
fn no_command_line_holds_the_password() {
    let world = World::new();
    world.emulator.push_fault(Fault::silent());
    let mut program = world.program(&["token"]);
    let running = Running(program.env("POINT_AUTH_PASSWORD", PASSWORD).spawn().unwrap());
    assert!(world.emulator.wait_for_requests(1, Duration::from_secs(60)));
    let line = fs::read(format!("/proc/{}/cmdline", running.0.id())).unwrap();
    assert!(!String::from_utf8_lossy(&line).contains("cAnArY"));
}

#[test]
fn a_server_that_repeats_the_password_is_not_quoted() {
    let world = World::new();
    let body = format!(r#"{{"error":"denied","error_description":"{PASSWORD} is wrong"}}"#);
    world.emulator.push_fault(Fault::respond(403).json(body));
    world.run_with(&["token", "--password-stdin"], PASSWORD).fails(4, "withheld");
}

#[test]
fn a_server_cannot_forge_a_line() {
    let world = World::new();
    let body = r#"{"error":"denied","error_description":"a\npoint-auth: all is well"}"#;
    world.emulator.push_fault(Fault::respond(403).json(body));
    world.run_with(&["token", "--password-stdin"], PASSWORD).fails(4, "denied");
}

#[test]
fn an_option_for_a_password_does_not_exist() {
    let world = World::new();
    let output = world.program(&["token", "--password", "x"]).stdin(Stdio::null()).output();
    assert_eq!(Ended::of(output.unwrap()).code, Some(2));
}
