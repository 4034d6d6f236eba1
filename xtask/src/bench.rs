//! `cargo xtask bench` and `cargo xtask budget`: builds the programs of the bench workspace and
//! runs them.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::run::{self, Failure, Report, cargo};
use crate::workspace::Workspace;

const BENCH: &str = "crates/point-auth-bench";

/// Measures the named sections, or all but the slow one, and writes the book's page.
pub(crate) fn bench(sections: &[&str]) -> Report {
    let workspace = Workspace::load()?;
    let programs = build(&workspace, &["--features", "peers", "--bins"])?;
    let book = workspace.root.join("docs").join("src");
    run::run(Command::new(programs.join("bench")).args(sections).arg("--book").arg(book))?;
    Ok(Vec::new())
}

/// The step of `cargo xtask ci`: the tests of the bench workspace, which are few, and the budget.
pub(crate) fn budget(workspace: &Workspace) -> Report {
    run_cargo(workspace, &["test", "--quiet", "--lib"])?;
    check(workspace, &[])
}

/// The task of its own: checks, or writes the budget anew.
pub(crate) fn budget_task(arguments: &[&str]) -> Report {
    check(&Workspace::load()?, arguments)
}

fn check(workspace: &Workspace, arguments: &[&str]) -> Report {
    for feature in ["metrics", "tracing"] {
        let programs = build(workspace, &["--bin", "instructions", "--features", feature])?;
        let name = |suffix: &str| programs.join(format!("instructions{suffix}{EXE_SUFFIX}"));
        let (from, to) = (name(""), name(&format!("-{feature}")));
        let failed = |error| Failure::new(format!("{}: {error}", from.display()));
        fs::copy(&from, to).map_err(failed)?;
    }
    let programs = build(workspace, &["--bin", "budget", "--bin", "instructions"])?;
    let said = run::output(Command::new(programs.join("budget")).args(arguments))?;
    Ok(said.lines().filter_map(|line| line.strip_prefix("left out: ")).map(str::to_owned).collect())
}

/// Builds programs, and returns where they are.
fn build(workspace: &Workspace, arguments: &[&str]) -> Result<PathBuf, Failure> {
    run_cargo(workspace, &[&["build"], arguments].concat())?;
    Ok(target(workspace).join("release"))
}

/// In the bench workspace, with a target folder of its own below this one's.
fn run_cargo(workspace: &Workspace, arguments: &[&str]) -> Result<(), Failure> {
    let manifest = workspace.root.join(BENCH).join("Cargo.toml");
    let mut command = cargo(arguments);
    command.args(["--release", "--locked", "--manifest-path"]).arg(manifest);
    run::run(command.env("CARGO_TARGET_DIR", target(workspace)))
}

fn target(workspace: &Workspace) -> PathBuf {
    workspace.target.join("bench")
}
