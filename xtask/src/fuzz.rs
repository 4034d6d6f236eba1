//! `cargo xtask fuzz`: runs the fuzz targets of core for a while each, by cargo-fuzz. And the step
//! that runs them over their seeds without a fuzzer, for which Rust is enough.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::run::{self, Failure, Report, cargo, verdict};
use crate::workspace::Workspace;

const FUZZ: &str = "crates/point-auth-core/fuzz";
/// How long each target runs in CI.
const SECONDS: u64 = 5;

/// A workspace of its own is checked on its own.
pub(crate) fn corpora(workspace: &Workspace) -> Report {
    run::run(here(workspace, "fmt").arg("--check"))?;
    let deny_warnings = ["--locked", "--all-targets", "--", "-D", "warnings"];
    run::run(here(workspace, "clippy").args(deny_warnings))?;
    run::run(here(workspace, "test").arg("--locked"))?;
    Ok(Vec::new())
}

fn here(workspace: &Workspace, command: &str) -> Command {
    let mut command = cargo([command, "--manifest-path"]);
    command.arg(workspace.root.join(FUZZ).join("Cargo.toml"));
    command.env("CARGO_TARGET_DIR", target(workspace));
    command
}

pub(crate) fn step(workspace: &Workspace) -> Report {
    fuzz_all(workspace, SECONDS, &[])
}

pub(crate) fn fuzz(seconds: &str, wanted: &[&str]) -> Report {
    // For libFuzzer 0 is for ever.
    let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0);
    let seconds = seconds.ok_or_else(|| Failure::new("`--seconds` needs a number above 0"))?;
    fuzz_all(&Workspace::load()?, seconds, wanted)
}

fn fuzz_all(workspace: &Workspace, seconds: u64, wanted: &[&str]) -> Report {
    if !run::succeeds("c++", &["--version"]) {
        return Ok(vec!["no C++ compiler for libFuzzer (Debian: g++)".into()]);
    }
    if !run::has_tool("fuzz", "0.13.2")? {
        return Ok(vec!["no cargo-fuzz (`cargo install --locked cargo-fuzz`)".into()]);
    }
    let folder = workspace.root.join(FUZZ);
    let listed = run::output(cargo(["fuzz", "list", "--fuzz-dir"]).arg(&folder))?;
    let mut complaints = Vec::new();
    if let Some(unknown) = wanted.iter().find(|name| !listed.lines().any(|line| line == **name)) {
        complaints.push(format!("there is no fuzz target `{unknown}`"));
    }
    let seeds = target(workspace).join("seeds");
    run::run(here(workspace, "run").args(["--locked", "--example", "seed", "--"]).arg(&seeds))?;
    // One that fails is no reason to leave the others out.
    for name in listed.lines().filter(|name| wanted.is_empty() || wanted.contains(name)) {
        let fuzzed = fuzz_one(workspace, name, seconds);
        complaints.extend(fuzzed.err().into_iter().flat_map(|failure| failure.complaints));
    }
    verdict(complaints)
}

/// What it finds goes below the target folder, so that what is committed changes only by intent.
fn fuzz_one(workspace: &Workspace, name: &str, seconds: u64) -> Result<(), Failure> {
    let folder = workspace.root.join(FUZZ);
    let found = target(workspace).join("corpus").join(name);
    let seeds = target(workspace).join("seeds").join(name);
    let regressions = folder.join("regressions").join(name);
    for folder in [&found, &regressions] {
        fs::create_dir_all(folder)
            .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    }
    // No crate of ours has unsafe code for a sanitizer to look at, and without one twice as much is
    // tried.
    let mut command = cargo(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir"]);
    command.arg(&folder).arg("--target-dir").arg(target(workspace)).arg(name);
    command.args([found, seeds, regressions]);
    command.arg("--").arg(format!("-max_total_time={seconds}"));
    command.args(["-max_len=4096", "-timeout=10", "-print_final_stats=1", "-verbosity=0"]);
    let dictionary = folder.join("dictionaries").join(format!("{name}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    run::run(&mut command)
}

fn target(workspace: &Workspace) -> PathBuf {
    workspace.target.join("fuzz")
}
