//! `cargo xtask peers`: the programs that the tests hold the adapters against, where there are
//! packages of them.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::run::{self, Failure};

/// A program, and the Debian package that it comes in.
const PEERS: &[(&str, &str)] = &[
    ("nginx", "nginx"),
    ("squid", "squid"),
    ("tinyproxy", "tinyproxy-bin"),
    ("haproxy", "haproxy"),
    ("openssl", "openssl"),
    ("redis-server", "redis-server"),
];

/// Where daemons are, which is not on everybody's `PATH`.
const DAEMONS: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Asked by Debian's packages before they start a service. Ours are started by the tests alone, on
/// loopback.
const POLICY: &str = "/usr/sbin/policy-rc.d";

pub(crate) fn peers() -> ExitCode {
    let missing = missing(is_here);
    if missing.is_empty() {
        println!(
            "all here: {}",
            PEERS.iter().map(|(program, _)| *program).collect::<Vec<_>>().join(", ")
        );
        return ExitCode::SUCCESS;
    }
    if let Err(failure) = install(&packages(&missing)) {
        for complaint in &failure.complaints {
            eprintln!("error: {complaint}");
        }
    }
    let missing = self::missing(is_here);
    for program in &missing {
        eprintln!(
            "MISSING: {program}; the tests that need it are skipped, or fail where POINT_AUTH_PEERS=required"
        );
    }
    if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn install(packages: &[&str]) -> Result<(), Failure> {
    if !run::succeeds("apt-get", &["--version"]) {
        return Err(Failure::new(format!(
            "there is no apt-get; install by hand: {}",
            packages.join(" ")
        )));
    }
    if !run::succeeds("sh", &["-c", "test \"$(id -u)\" = 0"]) {
        return Err(Failure::new(format!(
            "only root can install; sudo apt-get install --no-install-recommends {}",
            packages.join(" ")
        )));
    }
    let _policy = NoServices::start()?;
    let apt = |arguments: &[&str]| {
        run::run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "-qq"])?;
    apt(&[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat())
}

fn missing(is_here: impl Fn(&str) -> bool) -> Vec<&'static str> {
    PEERS.iter().map(|(program, _)| *program).filter(|program| !is_here(program)).collect()
}

fn packages(programs: &[&str]) -> Vec<&'static str> {
    PEERS
        .iter()
        .filter(|(program, _)| programs.contains(program))
        .map(|(_, package)| *package)
        .collect()
}

fn is_here(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(DAEMONS.iter().map(Into::into));
    folders.any(|folder| folder.join(program).is_file())
}

/// While it lives, packages that are installed start no service. What says so already is left as it
/// is.
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn start() -> Result<Self, Failure> {
        let file = OpenOptions::new().write(true).create_new(true).open(POLICY);
        match file.and_then(|mut file| file.write_all(b"#!/bin/sh\nexit 101\n")) {
            Ok(()) => {
                let policy = Self { ours: true };
                run::run(Command::new("chmod").args(["755", POLICY]))?;
                Ok(policy)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Self { ours: false }),
            // Somewhere that has no such folder has no such services.
            Err(_) if !Path::new("/usr/sbin").is_dir() => Ok(Self { ours: false }),
            Err(error) => Err(Failure::new(format!("{POLICY}: {error}"))),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_installed_by_the_name_of_its_package() {
        let missing = missing(|program| program != "tinyproxy" && program != "squid");
        assert_eq!(missing, ["squid", "tinyproxy"]);
        assert_eq!(packages(&missing), ["squid", "tinyproxy-bin"]);
    }

    #[test]
    fn a_program_is_looked_for_where_daemons_are_too() {
        assert_eq!(is_here("sh"), cfg!(unix));
        assert!(!is_here("no-such-program-anywhere"));
    }
}
