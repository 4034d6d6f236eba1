//! `cargo xtask fuzz`: runs the fuzz targets of core for a while each, or tells which lines their
//! corpora reach. And the step that runs them over their corpora without a fuzzer, for which Rust
//! is enough.

pub(crate) mod coverage;
pub(crate) mod statistics;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::statistics::Statistics;
use crate::figures::{Figures, Stamp};
use crate::run::{self, Failure, Report, cargo};
use crate::workspace::Workspace;

const FUZZ: &str = "crates/point-auth-core/fuzz";
/// Where what is recorded goes.
pub(crate) const FIGURES: &str = "fuzz";

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
    let result = Task::of(arguments).and_then(|task| match task {
        Task::Coverage { record } => coverage::coverage(record),
        Task::Fuzz { seconds, record, wanted } => fuzz_all(seconds, record, wanted),
    });
    run::exit_code(result)
}

#[derive(Debug, PartialEq, Eq)]
enum Task<'a> {
    /// The targets that are wanted, all of them if there are none.
    Fuzz {
        seconds: u64,
        record: bool,
        wanted: &'a [&'a str],
    },
    Coverage {
        record: bool,
    },
}

impl<'a> Task<'a> {
    fn of(arguments: &'a [&'a str]) -> Result<Self, Failure> {
        let refused = || {
            Failure::new(
                "`cargo xtask fuzz` needs `--seconds N`, for how long each target is to run, or `--coverage`",
            )
        };
        let (task, behind) = match arguments {
            ["--coverage", behind @ ..] => (None, behind),
            ["--seconds", seconds, behind @ ..] => {
                // For libFuzzer 0 is for ever.
                let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0);
                (Some(seconds.ok_or_else(refused)?), behind)
            }
            _ => return Err(refused()),
        };
        let (record, wanted) = match behind {
            ["--record", wanted @ ..] => (true, wanted),
            wanted => (false, wanted),
        };
        match task {
            Some(seconds) => Ok(Self::Fuzz { seconds, record, wanted }),
            None if wanted.is_empty() => Ok(Self::Coverage { record }),
            None => Err(Failure::new("`--coverage` is of all targets")),
        }
    }
}

fn fuzz_all(seconds: u64, record: bool, wanted: &[&str]) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    can_fuzz()?;
    let targets = targets(&workspace)?;
    let chosen = chosen(&targets, wanted)?;
    let stamp = Stamp::now(&workspace.root);
    let mut recorded = Figures::read(&workspace.root, FIGURES)?;
    recorded.keep(statistics::SECTION, |name| targets.iter().any(|target| target == name));
    let mut shown = Figures::default();
    let mut complaints = Vec::new();
    for name in chosen {
        let mut statistics = Statistics::default();
        // One that fails is no reason to leave the others out.
        if let Err(failure) = fuzz_one(&workspace, &name, seconds, &mut statistics) {
            complaints.extend(failure.complaints);
            // It did not come to fuzzing.
            if statistics.crashes == 0 {
                continue;
            }
        }
        for figures in [&mut recorded, &mut shown] {
            figures.record(statistics::SECTION, &name, &statistics.figures(), &stamp);
        }
    }
    println!("\n{}", statistics::table(&shown));
    if record {
        recorded.write()?;
    }
    run::verdict(complaints).map(drop)
}

fn chosen(targets: &[String], wanted: &[&str]) -> Result<Vec<String>, Failure> {
    if let Some(unknown) = wanted.iter().find(|name| !targets.iter().any(|target| target == *name))
    {
        return Err(Failure::new(format!(
            "there is no fuzz target `{unknown}`, but {}",
            targets.join(", ")
        )));
    }
    let is_wanted = |name: &&String| wanted.is_empty() || wanted.contains(&name.as_str());
    Ok(targets.iter().filter(is_wanted).cloned().collect())
}

fn can_fuzz() -> Result<(), Failure> {
    let mut complaints = Vec::new();
    if run::output(&mut cargo(["fuzz", "--version"])).is_err() {
        complaints.push(
            "cargo-fuzz is not installed; `cargo install cargo-fuzz --locked` does that".to_owned(),
        );
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
fn fuzz_one(
    workspace: &Workspace,
    name: &str,
    seconds: u64,
    statistics: &mut Statistics,
) -> Result<(), Failure> {
    let folder = workspace.root.join(FUZZ);
    let found = target(&workspace.target).join("corpus").join(name);
    fs::create_dir_all(&found)
        .map_err(|error| Failure::new(format!("{}: {error}", found.display())))?;
    // No crate of ours has unsafe code for a sanitizer to look at, and without one twice as much is
    // tried.
    let mut command = cargo(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir"]);
    command.arg(&folder).arg("--target-dir").arg(target(&workspace.target)).arg(name);
    command.arg(found).arg(folder.join("corpus").join(name)).arg("--");
    command.arg(format!("-max_total_time={seconds}"));
    command.args(["-max_len=4096", "-timeout=10", "-print_final_stats=1"]);
    let dictionary = folder.join("dictionaries").join(format!("{name}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    run::watched(&mut command, |line| {
        statistics.read(line);
        !statistics::is_chatter(line)
    })
}

fn target(target: &Path) -> PathBuf {
    target.join("fuzz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_has_to_be_said_and_is_not_for_ever() {
        let fuzz = |record, wanted| Task::Fuzz { seconds: 10, record, wanted };
        assert_eq!(Task::of(&["--seconds", "10"]).unwrap(), fuzz(false, &[]));
        assert_eq!(Task::of(&["--seconds", "10", "answers"]).unwrap(), fuzz(false, &["answers"]));
        let recorded = ["--seconds", "10", "--record", "answers"];
        assert_eq!(Task::of(&recorded).unwrap(), fuzz(true, &["answers"]));
        assert_eq!(Task::of(&["--coverage", "--record"]).unwrap(), Task::Coverage { record: true });
        for wrong in [
            [].as_slice(),
            &["--seconds"],
            &["--seconds", "0"],
            &["--seconds", "-1"],
            &["answers"],
            &["--coverage", "answers"],
        ] {
            assert!(Task::of(wrong).is_err(), "{wrong:?}");
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
