//! `token`: its forms, its life, and when the server is asked.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use point_auth_testkit::{Emulator, Operation};

use crate::support::{PASSWORD, USER, World};

#[test]
fn it_is_printed_in_each_form() {
    let world = World::new();
    world.sign_in();
    let token = world.run(&["token"]).succeeds().trim_end().to_owned();
    let header = world.run(&["token", "--format", "header"]);
    assert_eq!(header.succeeds(), format!("Authorization: Bearer {token}\n"));
    let powershell = world.run(&["token", "--format", "powershell"]);
    assert_eq!(powershell.succeeds(), format!("$env:POINT_AUTH_ACCESS_TOKEN = '{token}'\n"));
    let shell = world.run(&["token", "--format", "env"]);
    let script = format!("{}printenv POINT_AUTH_ACCESS_TOKEN", shell.succeeds());
    let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{token}\n"));
}

#[test]
fn its_json_tells_the_end_and_never_the_refresh_token() {
    let world = World::new();
    let arguments = &["token", "--password-stdin", "--format", "json", "--alias", "jane"];
    let ended = world.run_with(arguments, PASSWORD);
    let json: serde_json::Value = serde_json::from_str(ended.succeeds()).unwrap();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    let expected =
        ["access_token", "expires_at", "expires_on", "token_type", "user_alias", "version"];
    assert_eq!(keys, expected);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let expires_on = json["expires_on"].as_u64().unwrap();
    assert!((now + 3000..=now + 3600).contains(&expires_on), "{json}");
    assert_eq!((&json["version"], &json["user_alias"]), (&1.into(), &"jane".into()));
    let expires_at = json["expires_at"].as_str().unwrap();
    assert!(expires_at.starts_with("20") && expires_at.ends_with('Z'), "{json}");
}

#[test]
fn one_from_the_store_needs_no_server_and_no_certificate() {
    let world = World::new();
    world.sign_in();
    let first = world.run(&["token"]);
    std::fs::remove_file(world.home.path().join("ca.pem")).unwrap();
    let requests = world.emulator.requests().len();
    let second = world.run(&["token"]);
    assert_eq!(first.succeeds(), second.succeeds());
    assert_eq!((requests, world.emulator.requests().len()), (1, 1));
}

#[test]
fn each_alias_has_a_token_of_its_own() {
    let world = World::new();
    let of = |alias: &str| {
        let ended = world.run_with(&["token", "--password-stdin", "--alias", alias], PASSWORD);
        ended.succeeds().to_owned()
    };
    assert_ne!(of("jane"), of("john"));
    assert_eq!(of("jane"), of("jane"));
    assert_eq!(world.emulator.count_for(USER, Operation::SignIn), 2);
}

#[test]
fn a_life_that_no_token_has_is_refused_without_a_storm() {
    let world = World::new();
    world.sign_in();
    for _ in 0..3 {
        world.run(&["token", "--min-ttl", "3h"]).fails(1, "less than --min-ttl 3h");
    }
    assert_eq!(world.emulator.requests().len(), 1);
    world.run(&["token", "--min-ttl", "30m"]).succeeds();
}

#[test]
fn one_that_ends_too_soon_is_refreshed_for_the_next_program_as_well() {
    // A life within the window in which callers wait for a refresh, which is a quarter of it.
    let emulator = Emulator::builder()
        .user(USER, PASSWORD)
        .with_tls()
        .access_token_life(Duration::from_secs(8))
        .start()
        .unwrap();
    let world = World::with(emulator);
    let arguments = &["token", "--password-stdin", "--min-ttl", "0s"];
    let first = world.run_with(arguments, PASSWORD).succeeds().to_owned();
    // Time passes with programs that ask; no program signs in again.
    let mut last = first.clone();
    let started = std::time::Instant::now();
    while last == first && started.elapsed() < Duration::from_secs(60) {
        last = world.run(&["token", "--min-ttl", "0s"]).succeeds().to_owned();
    }
    assert_ne!(last, first);
    assert_eq!(world.run(&["token", "--min-ttl", "0s"]).succeeds(), last);
    assert_eq!(world.emulator.count(Operation::SignIn), 1);
    assert_eq!(world.emulator.count(Operation::Refresh), 1);
}
