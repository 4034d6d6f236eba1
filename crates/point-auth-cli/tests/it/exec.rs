//! `exec`: the command's own exit code and signals, and what it sees.

use std::os::unix::process::ExitStatusExt;

use crate::support::{Ended, PASSWORD, World};

#[test]
fn the_command_finds_the_token_and_no_secret_of_the_program() {
    let world = World::new();
    let token = world.run_with(&["token", "--password-stdin"], PASSWORD);
    let output = world
        .program(&["exec", "--", "env"])
        .env("POINT_AUTH_PASSWORD", PASSWORD)
        .env("POINT_AUTH_STORE_KEY", "cAnArY")
        .output()
        .unwrap();
    let ended = Ended::of(output);
    let line = format!("POINT_AUTH_ACCESS_TOKEN={}", token.succeeds());
    assert!(ended.succeeds().contains(&line), "{ended:?}");
}

#[test]
fn the_exit_code_and_the_signal_are_the_commands() {
    let world = World::new();
    world.sign_in();
    assert_eq!(world.run(&["exec", "--", "sh", "-c", "exit 77"]).code, Some(77));
    let output = world.program(&["exec", "--", "sh", "-c", "kill -TERM $$"]).output().unwrap();
    assert_eq!(output.status.signal(), Some(15));
}

#[test]
fn a_command_that_is_missing_ends_as_in_a_shell() {
    let world = World::new();
    world.sign_in();
    world.run(&["exec", "--", "/nowhere/command"]).fails(127, "/nowhere/command");
    let file = world.home.write("text", "", 0o600);
    world.run(&["exec", "--", file.to_str().unwrap()]).fails(126, "ermission denied");
}

#[test]
fn without_a_token_no_command_runs() {
    let world = World::new();
    let file = world.home.path().join("touched");
    world.run(&["exec", "--", "touch", file.to_str().unwrap()]).fails(4, "no password");
    assert!(!file.exists());
}

#[test]
fn arguments_with_dashes_are_the_commands() {
    let world = World::new();
    world.sign_in();
    let ended = world.run(&["exec", "--", "printf", "%s,", "--json", "-h", "a b"]);
    assert_eq!(ended.succeeds(), "--json,-h,a b,");
}
