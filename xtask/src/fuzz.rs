//! `cargo xtask fuzz`: runs the fuzz targets of core for a while each. And the step that runs them over their corpora without a
//! fuzzer, for which Rust is enough.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::run::{self, Failure, Report, cargo};
use crate::workspace::Workspace;

const FUZZ: &str = "crates/point-auth-core/fuzz";

/// The step of `cargo xtask ci`: a workspace of its own is checked on its own.
pub(crate) fn corpora(workspace: &Workspace) -> Report {
    let manifest = workspace.root.join(FUZZ).join("Cargo.toml");
    let here = |command: &str| {
        let mut command = cargo([command, "--manifest-path"]);
        command.arg(&manifest).env("CARGO_TARGET_DIR", target(&workspace.target));
        command
    };
    run::run(here("fmt").arg("--check"))?;
    run::run(here("clippy").args(["--locked", "--all-targets", "--", "-D", "warnings"]))?;
    run::run(here("test").arg("--locked"))?;
    Ok(Vec::new())
}

/// The task of its own.
pub(crate) fn fuzz(arguments: &[&str]) -> ExitCode {
    let result = seconds(arguments).and_then(|(seconds, wanted)| {
        let workspace = Workspace::load()?;
        can_fuzz()?;
        let mut complaints = Vec::new();
        for name in chosen(&targets(&workspace)?, wanted)? {
            // One that fails is no reason to leave the others out.
            if let Err(failure) = fuzz_one(&workspace, &name, seconds) {
                complaints.extend(failure.complaints);
            }
        }
        run::verdict(complaints)
    });
    let Err(failure) = result else { return ExitCode::SUCCESS };
    for complaint in &failure.complaints {
        eprintln!("error: {complaint}");
    }
    ExitCode::FAILURE
}

/// `--seconds N`, and the names of targets behind it, all of them if there are none.
fn seconds<'a>(arguments: &'a [&'a str]) -> Result<(u64, &'a [&'a str]), Failure> {
    let refused =
        || Failure::new("`cargo xtask fuzz` needs `--seconds N`, for how long each target is to run");
    let ["--seconds", seconds, wanted @ ..] = arguments else { return Err(refused()) };
    // For libFuzzer 0 is for ever.
    let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0);
    Ok((seconds.ok_or_else(refused)?, wanted))
}

fn chosen(targets: &[String], wanted: &[&str]) -> Result<Vec<String>, Failure> {
    if let Some(unknown) = wanted.iter().find(|name| !targets.iter().any(|target| target == *name)) {
        return Err(Failure::new(format!("there is no fuzz target `{unknown}`, but {}", targets.join(", "))));
    }
    let is_wanted = |name: &&String| wanted.is_empty() || wanted.contains(&name.as_str());
    Ok(targets.iter().filter(is_wanted).cloned().collect())
}

fn can_fuzz() -> Result<(), Failure> {
    let mut complaints = Vec::new();
    if run::output(&mut cargo(["fuzz", "--version"])).is_err() {
        complaints
            .push("cargo-fuzz is not installed; `cargo install cargo-fuzz --locked` does that".to_owned());
    }
    // libFuzzer is compiled where it is used.
    let named = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if !run::succeeds(&named, &["--version"]) {
        complaints.push(format!("`{named}`, a C++ compiler, is not there (Debian: g++)"));
    }
    run::verdict(complaints).map(drop)
}

fn targets(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let listed = run::output(cargo(["fuzz", "list", "--fuzz-dir"]).arg(workspace.root.join(FUZZ)))?;
    Ok(String::from_utf8_lossy(&listed).lines().map(str::to_owned).collect())
}

/// What it finds goes below the target folder, so that what is committed changes only by intent.
fn fuzz_one(workspace: &Workspace, name: &str, seconds: u64) -> Result<(), Failure> {
    let folder = workspace.root.join(FUZZ);
    let found = target(&workspace.target).join("corpus").join(name);
    fs::create_dir_all(&found).map_err(|error| Failure::new(format!("{}: {error}", found.display())))?;
    // No crate of ours has unsafe code for a sanitizer to look at, and without one twice as much is tried.
    let mut command = cargo(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir"]);
    command.arg(&folder).arg("--target-dir").arg(target(&workspace.target)).arg(name);
    command.arg(found).arg(folder.join("corpus").join(name)).arg("--");
    command.arg(format!("-max_total_time={seconds}"));
    command.args(["-max_len=4096", "-timeout=10", "-print_final_stats=1"]);
    let dictionary = folder.join("dictionaries").join(format!("{name}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    run::run(&mut command)
}

fn target(target: &Path) -> PathBuf {
    target.join("fuzz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_has_to_be_said_and_is_not_for_ever() {
        assert_eq!(seconds(&["--seconds", "10"]).unwrap(), (10, [].as_slice()));
        assert_eq!(seconds(&["--seconds", "10", "answers"]).unwrap(), (10, ["answers"].as_slice()));
        for wrong in [[].as_slice(), &["--seconds"], &["--seconds", "0"], &["--seconds", "-1"], &["answers"]]
        {
            assert!(seconds(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn all_targets_are_run_or_those_that_are_named_and_an_unknown_one_is_refused() {
        let targets = ["answers".to_owned(), "sessions".to_owned()];
        assert_eq!(chosen(&targets, &[]).unwrap(), targets);
        assert_eq!(chosen(&targets, &["sessions"]).unwrap(), ["sessions"]);
        assert!(chosen(&targets, &["answer"]).is_err());
    }
}
