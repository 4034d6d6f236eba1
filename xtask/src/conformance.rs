//! `cargo xtask conformance`: runs the suite over every transport of this repository and the search
//! for secrets, and writes what came of them into the book, with the figures that were recorded of
//! what takes longer.

mod canaries;
mod page;
mod suite;
mod summary;
mod sweeps;
mod tables;

use std::fs;
use std::process::ExitCode;

use self::canaries::Canaries;
use self::suite::{Check, Passed};
use self::sweeps::Sweeps;
use crate::figures::Figures;
use crate::fuzz::{self, coverage, statistics};
use crate::mutants::{self, outcomes};
use crate::run::{self, Failure};
use crate::workspace::Workspace;

/// The packages whose tests run the suite.
const PACKAGES: &[&str] =
    &["point-auth-reqwest", "point-auth-hyper", "point-auth-ureq", "point-auth-examples"];

const LIST: &str = "crates/point-auth-testkit/src/conformance/list.rs";
const PAGE: &str = "docs/src/conformance.md";

/// All that the page shows.
#[derive(Debug)]
struct Report {
    checks: Vec<Check>,
    passed: Passed,
    sweeps: Sweeps,
    canaries: Canaries,
    fuzz: Figures,
    mutants: Figures,
}

pub(crate) fn conformance() -> ExitCode {
    run::exit_code(write_page())
}

fn write_page() -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    let path = |path: &str| workspace.root.join(path);
    let read = |name: &str| {
        fs::read_to_string(path(name)).map_err(|error| Failure::new(format!("{name}: {error}")))
    };
    // Before what takes minutes.
    let mut page = read(PAGE)?;
    let report = Report::make(&workspace, suite::checks_of(&read(LIST)?))?;
    for (name, text) in report.texts(&workspace) {
        println!("\n{text}");
        page = page::replaced(&page, name, &text)
            .ok_or_else(|| Failure::new(format!("{PAGE}: it has no place for `{name}`")))?;
    }
    fs::write(path(PAGE), page).map_err(|error| Failure::new(format!("{PAGE}: {error}")))
}

impl Report {
    fn make(workspace: &Workspace, checks: Vec<Check>) -> Result<Self, Failure> {
        let fuzz = Figures::read(&workspace.root, fuzz::FIGURES)?;
        let mutants = Figures::read(&workspace.root, mutants::FIGURES)?;
        let (mut passed, mut sweeps) = (Passed::default(), Sweeps::default());
        for package in PACKAGES {
            let mut arguments = vec!["--package", package, "--test", "it"];
            if workspace.can_build_native_tls {
                arguments.push("--all-features");
            }
            arguments.extend(["--", "conformance"]);
            let output = test(&arguments)?;
            suite::all_can_be_read(&output)
                .map_err(|failure| Failure::new(format!("{package}: {failure}")))?;
            passed.read(package, &output, &checks);
            sweeps.read(package, &output);
        }
        let canaries = Canaries::read(&test(&canaries::TEST)?);
        if canaries.failures() == 0 || sweeps.cuts() == 0 {
            return Err(Failure::new(
                "the tests said nothing of secrets or of cuts that can be read",
            ));
        }
        Ok(Self { checks, passed, sweeps, canaries, fuzz, mutants })
    }

    /// What belongs where the page has a place of that name.
    fn texts(&self, workspace: &Workspace) -> [(&'static str, String); 9] {
        let is_as_recorded = |file: &str, source: &str| {
            mutants::source_of(&workspace.root, file).is_ok_and(|now| now == source)
        };
        [
            ("summary", summary::table(self)),
            ("rules", tables::rules(&self.checks, &self.passed)),
            ("faults", tables::faults(&self.checks, &self.passed)),
            ("certificates", tables::certificates(&self.checks, &self.passed)),
            ("cuts", self.sweeps.table()),
            ("canaries", self.canaries.table()),
            ("fuzz", statistics::table(&self.fuzz)),
            ("lines", coverage::table(&self.fuzz)),
            ("mutants", outcomes::table(&self.mutants, is_as_recorded)),
        ]
    }
}

fn test(arguments: &[&str]) -> Result<String, Failure> {
    println!("$ cargo test {}", arguments.join(" "));
    let output = run::output(run::cargo(["test"]).args(arguments))?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}
