//! Each exit code, and the same error for a script.

use point_auth_testkit::{ClosedPort, Emulator, Fault, Operation};

use crate::support::{PASSWORD, USER, World};

const TOKEN: &[&str] = &["token", "--password-stdin"];

#[test]
fn a_token_ends_with_0() {
    let world = World::new();
    let ended = world.run_with(TOKEN, PASSWORD);
    assert_eq!(ended.succeeds().lines().count(), 1);
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_server_that_is_not_trusted_ends_with_1_and_gets_no_password() {
    let world = World::new();
    let trusted = Emulator::builder().with_tls().start().unwrap();
    world.home.write("ca.pem", trusted.ca_pem(), 0o644);
    world.run_with(TOKEN, PASSWORD).fails(1, "certificate");
    assert_eq!(world.emulator.count(Operation::SignIn), 0);
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let world = World::new();
    let ended = world.run(&["token", "--nonsense"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.starts_with("error: unexpected argument '--nonsense'"), "{ended:?}");
    let ended = world.run(&["token", "--nonsense", "--json"]);
    assert_eq!(ended.code, Some(2));
    assert_eq!(ended.error()["kind"], "usage");
}

#[test]
fn a_denied_password_ends_with_4_and_is_not_sent_again() {
    let world = World::new();
    for _ in 0..3 {
        world.run_with(TOKEN, "wrong").fails(4, "denied by the server");
    }
    let ended = world.run_with(&["token", "--password-stdin", "--json"], "wrong");
    assert_eq!(ended.code, Some(4));
    let error = ended.error();
    assert_eq!((&error["kind"], &error["exit_code"]), (&"denied".into(), &4.into()));
    assert_eq!(error.get("retry_after"), None);
    assert_eq!(world.emulator.count(Operation::SignIn), 1);
}

#[test]
fn a_reset_lets_a_denied_password_be_sent_once_more() {
    let world = World::new();
    world.run_with(TOKEN, "wrong").fails(4, "denied");
    assert!(world.emulator.change_password(USER, "wrong"));
    world.run_with(TOKEN, "wrong").fails(4, "denied");
    world.run(&["reset"]).succeeds();
    world.run_with(TOKEN, "wrong").succeeds();
    assert_eq!(world.emulator.count(Operation::SignIn), 2);
}

#[test]
fn a_sign_in_without_any_password_ends_with_4() {
    let world = World::new();
    world.run(&["token"]).fails(4, "there is no password");
    let error = world.run(&["token", "--json"]).error();
    assert_eq!(error["kind"], "sign_in_needed");
    assert_eq!(world.emulator.requests().len(), 0);
}

#[test]
fn a_server_that_is_away_ends_with_5() {
    let world = World::new();
    let closed = ClosedPort::reserve().unwrap();
    let url = format!("https://{}", closed.addr());
    world
        .run_with(&["token", "--password-stdin", "--base-url", &url], PASSWORD)
        .fails(5, "refused");
}

#[test]
fn a_server_that_asks_for_patience_ends_with_5_and_says_for_how_long() {
    let world = World::new();
    world.emulator.always(Fault::respond(429).header("retry-after", "120"));
    let ended = world.run_with(&["token", "--password-stdin", "--json"], PASSWORD);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    let error = ended.error();
    assert_eq!(error["kind"], "unexpected");
    assert!(error["retry_after"].as_u64().unwrap() >= 120, "{error}");
}

#[test]
fn a_token_that_cannot_be_printed_ends_with_1() {
    let world = World::new();
    world.sign_in();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    // Other systems than Linux have no such device.
    let Ok(full) = full else { return };
    let output = world.program(&["token"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("standard output"), "{said}");
}
