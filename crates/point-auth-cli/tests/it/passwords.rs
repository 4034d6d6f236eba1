//! Each place of a password: what is taken, and what is refused.

use std::fs::File;
use std::process::Command;

use point_auth_testkit::Operation;

use crate::support::{Ended, PASSWORD, USER, World};

#[test]
fn it_is_read_from_standard_input_without_its_line_end() {
    for input in [PASSWORD.to_owned(), format!("{PASSWORD}\n"), format!("{PASSWORD}\r\n")] {
        World::new().run_with(&["token", "--password-stdin"], &input).succeeds();
    }
}

#[test]
fn an_empty_or_overlong_one_is_refused_and_not_sent() {
    let world = World::new();
    world.run_with(&["token", "--password-stdin"], "\n").fails(1, "the password is empty");
    let long = "x".repeat(5000);
    world.run_with(&["token", "--password-stdin"], &long).fails(1, "longer than 4,096 bytes");
    assert_eq!(world.emulator.requests().len(), 0);
}

#[test]
fn it_is_read_from_a_file_descriptor() {
    let world = World::new();
    let file = world.home.write("secret", &format!("{PASSWORD}\n"), 0o600);
    let mut shell = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_point-auth");
    shell.arg("-c").arg(format!("exec {program} token --password-fd 9 9<{}", file.display()));
    world.settle_in(&mut shell);
    Ended::of(shell.output().unwrap()).succeeds();
    world.run(&["token", "--alias", "jane", "--password-fd", "99"]).fails(1, "--password-fd 99");
}

#[test]
fn it_is_read_from_a_file_that_is_the_users_alone() {
    let world = World::new();
    for mode in [0o644, 0o640, 0o622] {
        let file = world.home.write("secret", PASSWORD, mode);
        let ended = world.run(&["token", "--password-file", file.to_str().unwrap()]);
        ended.fails(2, &format!("has mode {mode:04o}"));
    }
    assert_eq!(world.emulator.requests().len(), 0);
    let file = world.home.write("secret", &format!("{PASSWORD}\n"), 0o400);
    world.run(&["token", "--password-file", file.to_str().unwrap()]).succeeds();
}

#[test]
fn it_is_read_from_a_program_without_a_shell() {
    let world = World::new();
    world.configure(&format!("password.command = [\"printf\", \"%s\\n\", \"{PASSWORD}\"]"));
    world.run(&["token"]).succeeds();
}

#[test]
fn what_a_program_says_of_its_failure_is_shown_and_its_output_is_not() {
    let world = World::new();
    let script = "#!/bin/sh\necho cAnArY\necho the vault is sealed >&2\nexit 3\n";
    let script = world.home.write("vault", script, 0o700);
    world.configure(&format!("password.command = [\"{}\"]", script.display()));
    let ended = world.run(&["token"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("the vault is sealed\n"), "{ended:?}");
    assert!(ended.stderr.contains("exit status: 3"), "{ended:?}");
    world.configure("password.command = [\"/nowhere/vault\"]");
    world.run(&["token"]).fails(1, "there is no such program");
    assert_eq!(world.emulator.requests().len(), 0);
}

#[test]
fn a_program_that_fails_is_run_once() {
    let world = World::new();
    let count = world.home.path().join("count");
    let script = format!("#!/bin/sh\necho run >> {}\nexit 1\n", count.display());
    let script = world.home.write("vault", &script, 0o700);
    world.configure(&format!("password.command = [\"{}\"]", script.display()));
    assert_eq!(world.run(&["token"]).code, Some(1));
    assert_eq!(std::fs::read_to_string(count).unwrap(), "run\n");
}

#[test]
fn it_is_read_from_a_variable_which_goes_before_the_file() {
    let world = World::new();
    world.configure("password.command = [\"false\"]");
    let output = world.program(&["token"]).env("POINT_AUTH_PASSWORD", PASSWORD).output();
    Ended::of(output.unwrap()).succeeds();
    assert_eq!(world.emulator.count_for(USER, Operation::SignIn), 1);
}

#[test]
fn a_program_that_is_asked_for_a_password_sees_no_other_secret() {
    let world = World::new();
    let seen = world.home.path().join("seen");
    let script = format!("#!/bin/sh\nenv > {}\necho wrong\n", seen.display());
    let script = world.home.write("vault", &script, 0o700);
    let command = format!("[\"{}\"]", script.display());
    let output = world
        .program(&["token"])
        .env("POINT_AUTH_PASSWORD_COMMAND", command)
        .env("POINT_AUTH_STORE_KEY", "cAnArY")
        .output();
    Ended::of(output.unwrap()).fails(4, "denied");
    assert!(!std::fs::read_to_string(seen).unwrap().contains("cAnArY"));
}

#[test]
fn two_places_at_once_are_refused() {
    let world = World::new();
    world.configure("password.command = [\"a\"]\npassword.file = \"b\"");
    world.run(&["token"]).fails(2, "are both set");
    let ended = world.run(&["token", "--password-stdin", "--password-fd", "3"]);
    assert_eq!(ended.code, Some(2));
}

#[test]
fn no_place_is_looked_at_while_there_is_a_good_token() {
    let world = World::new();
    world.sign_in();
    let count = world.home.path().join("count");
    world.configure(&format!("password.command = [\"touch\", \"{}\"]", count.display()));
    world.run(&["token"]).succeeds();
    assert!(!count.exists());
    world.run(&["token", "--password-file", "/nowhere"]).succeeds();
    assert_eq!(world.emulator.requests().len(), 1);
}

#[test]
fn a_file_that_ends_up_unread_is_no_password_for_a_command() {
    let world = World::new();
    world.sign_in();
    let file = File::open(world.home.write("secret", PASSWORD, 0o600)).unwrap();
    let mut command = world.program(&["exec", "--password-stdin", "--", "cat"]);
    let ended = Ended::of(command.stdin(file).output().unwrap());
    assert_eq!(ended.succeeds(), "");
}
