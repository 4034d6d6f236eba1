//! `cargo xtask peers`: installs the programs that the tests hold the adapters against, as root and
//! by apt-get.

use std::env;
use std::fs;
use std::process::Command;

use crate::run::{self, Failure, Report, verdict};

/// A program, and the Debian package that it comes in.
const PEERS: &[(&str, &str)] = &[
    ("nginx", "nginx"),
    ("squid", "squid"),
    ("tinyproxy", "tinyproxy-bin"),
    ("haproxy", "haproxy"),
    ("openssl", "openssl"),
    ("redis-server", "redis-server"),
];

/// Debian's packages ask it before they start a service. The tests alone start ours, on loopback.
const POLICY: &str = "/usr/sbin/policy-rc.d";

pub(crate) fn peers() -> Report {
    let missing = missing();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let is_ours = fs::metadata(POLICY).is_err();
    if is_ours {
        let failed = |error| Failure::new(format!("{POLICY}: {error}; only root can install"));
        fs::write(POLICY, "#!/bin/sh\nexit 101\n").map_err(failed)?;
    }
    let packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    let installed = install(&packages, is_ours);
    if is_ours {
        let _ = fs::remove_file(POLICY);
    }
    installed?;
    let complaint = |(program, _): &(&str, &str)| format!("{program} is still missing");
    verdict(self::missing().iter().map(complaint).collect())
}

fn install(packages: &[&str], is_ours: bool) -> Result<(), Failure> {
    if is_ours {
        run::run(Command::new("chmod").args(["755", POLICY]))?;
    }
    run::run(Command::new("apt-get").args(["update", "-qq"]))?;
    let install = &mut Command::new("apt-get");
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages);
    run::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Daemons are in folders that are not on every `PATH`.
fn missing() -> Vec<(&'static str, &'static str)> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(Into::into))
        .collect();
    let is_here = |program: &str| folders.iter().any(|folder| folder.join(program).is_file());
    PEERS.iter().copied().filter(|(program, _)| !is_here(program)).collect()
}
