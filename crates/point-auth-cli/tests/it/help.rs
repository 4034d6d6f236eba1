//! The help of each command, held against `help/`, and what is made from it.

use std::fs;
use std::path::Path;

use crate::support::World;

const COMMANDS: &[&str] = &[
    "token",
    "login",
    "logout",
    "reset",
    "status",
    "doctor",
    "exec",
    "keep",
    "proxy",
    "emulate",
    "completions",
    "man",
];

/// Compares with a file, which `POINT_AUTH_CLI_BLESS=1` writes anew.
#[track_caller]
fn is_as_in_file(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/help").join(name);
    if std::env::var_os("POINT_AUTH_CLI_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert_eq!(text, expected, "{name}: POINT_AUTH_CLI_BLESS=1 writes it anew");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{name} has more than 80 columns: {line}");
    }
}

#[test]
fn the_help_of_each_command_is_as_written_and_fits_80_columns() {
    let world = World::new();
    is_as_in_file("point-auth.txt", world.run(&["--help"]).succeeds());
    for command in COMMANDS {
        let long = world.run(&[command, "--help"]);
        is_as_in_file(&format!("{command}.txt"), long.succeeds());
        let short = world.run(&[command, "-h"]);
        assert!(short.succeeds().lines().count() <= long.succeeds().lines().count());
    }
}

#[test]
fn no_command_lacks_here() {
    let help = World::new().run(&["--help"]).succeeds().to_owned();
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let named: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(named.strip_suffix(&["help"]).unwrap(), COMMANDS);
}

#[test]
fn each_shell_gets_completions() {
    let world = World::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.run(&["completions", shell]);
        assert!(script.succeeds().contains("min-ttl"), "{shell}");
    }
    let script = world.home.path().join("completions");
    fs::write(&script, world.run(&["completions", "bash"]).succeeds()).unwrap();
    let checked = std::process::Command::new("bash").arg("-n").arg(script).status();
    assert!(checked.unwrap().success());
}

#[test]
fn each_command_has_a_manual_page() {
    let world = World::new();
    assert!(world.run(&["man"]).succeeds().starts_with(".ie"));
    let directory = world.home.path().join("man");
    world.run(&["man", "--directory", directory.to_str().unwrap()]).succeeds();
    for command in COMMANDS {
        assert!(directory.join(format!("point-auth-{command}.1")).exists(), "{command}");
    }
}
