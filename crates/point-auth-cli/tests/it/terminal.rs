//! A real terminal: the prompt, and colors.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use point_auth_testkit::Operation;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::LocalModes;

use crate::support::{PASSWORD, USER, World};

/// A program in a terminal of its own.
struct Terminal {
    screen: File,
    child: Child,
    shown: String,
}

impl Terminal {
    fn run(world: &World, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        // The prompt opens the terminal of the session, which has to be this one.
        let mut setsid = Command::new("setsid");
        // A program that waits for what does not come must not wait for ever.
        setsid.args(["--ctty", "--wait", "timeout", "--foreground", "60"]);
        setsid.arg(env!("CARGO_BIN_EXE_point-auth")).args(arguments);
        world.settle_in(&mut setsid);
        setsid
            .envs(variables.iter().copied())
            .stdin(Stdio::from(slave.try_clone().unwrap()))
            .stdout(Stdio::from(slave.try_clone().unwrap()))
            .stderr(Stdio::from(slave));
        let child = setsid.spawn().unwrap();
        // The command holds the other side as well, which keeps it open.
        drop(setsid);
        Self { screen: File::from(master), child, shown: String::new() }
    }

    fn read_until(&mut self, text: &str) {
        let mut bytes = [0; 4096];
        while !self.shown.contains(text) {
            let count = self.screen.read(&mut bytes).unwrap();
            self.shown.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
    }

    fn enter(&mut self, text: &str) {
        self.screen.write_all(format!("{text}\n").as_bytes()).unwrap();
    }

    /// Waits for the end. Returns the exit code and all that was shown.
    fn end(mut self) -> (Option<i32>, String) {
        let mut bytes = [0; 4096];
        // Linux reports the end of the other side as an error.
        while let Ok(count) = self.screen.read(&mut bytes) {
            if count == 0 {
                break;
            }
            self.shown.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        (self.child.wait().unwrap().code(), self.shown)
    }
}

#[test]
fn a_person_is_asked_once_and_without_echo() {
    let world = World::new();
    let mut terminal = Terminal::run(&world, &["login"], &[]);
    terminal.read_until("Password of user@example.com: ");
    let modes = rustix::termios::tcgetattr(&terminal.screen).unwrap().local_modes;
    assert!(!modes.contains(LocalModes::ECHO), "the prompt is there before the echo is off");
    terminal.enter(PASSWORD);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("cAnArY") && shown.contains("signed in"), "{shown}");
    world.run(&["token"]).succeeds();
    assert_eq!(world.emulator.count_for(USER, Operation::SignIn), 1);
}

#[test]
fn a_token_asks_for_the_password_only_without_a_good_one() {
    let world = World::new();
    let mut terminal = Terminal::run(&world, &["token"], &[]);
    terminal.read_until("Password of ");
    terminal.enter(PASSWORD);
    assert_eq!(terminal.end().0, Some(0));
    let (code, shown) = Terminal::run(&world, &["token"], &[]).end();
    assert_eq!(code, Some(0));
    assert!(!shown.contains("Password of"), "{shown}");
}

#[test]
fn an_interrupt_at_the_prompt_leaves_a_terminal_with_echo() {
    let world = World::new();
    let mut terminal = Terminal::run(&world, &["login"], &[]);
    terminal.read_until("Password of ");
    terminal.screen.write_all(b"cAn\x03").unwrap();
    terminal.read_until("interrupted");
    let modes = rustix::termios::tcgetattr(&terminal.screen).unwrap().local_modes;
    assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG));
    assert_eq!(terminal.end().0, Some(1));
    assert_eq!(world.emulator.requests().len(), 0);
}

#[test]
fn an_empty_password_is_not_sent() {
    let world = World::new();
    let mut terminal = Terminal::run(&world, &["login"], &[]);
    terminal.read_until("Password of ");
    terminal.enter("");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(1), "{shown}");
    assert_eq!(world.emulator.requests().len(), 0);
}

#[test]
fn a_report_has_colors_unless_they_are_unwanted() {
    let world = World::new();
    let (_, shown) = Terminal::run(&world, &["status"], &[]).end();
    assert!(shown.contains("\x1b[31m"), "{shown:?}");
    let (_, shown) = Terminal::run(&world, &["status"], &[("NO_COLOR", "1")]).end();
    assert!(!shown.contains('\x1b'), "{shown:?}");
}
