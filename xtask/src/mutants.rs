//! `cargo xtask mutants`: changes core in every small way that cargo-mutants knows, and its tests
//! have to notice each. What cannot be noticed is left out in `.cargo/mutants.toml`, or stands in
//! [`UNNOTICED`], each with the reason.

pub(crate) mod outcomes;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use self::outcomes::Mutant;
use crate::figures::{Figures, Stamp};
use crate::run::{self, Failure, cargo};
use crate::workspace::Workspace;

/// What is changed, and what has to notice.
const PACKAGE: &str = "point-auth-core";
const SOURCES: &str = "crates/point-auth-core/src/**";
const TESTS: [&str; 4] = ["--test", "it", "--test", "session"];

/// Where what is recorded goes.
pub(crate) const FIGURES: &str = "mutants";

/// Deleted fields that no test can tell from the original: cargo-mutants 27.1 cannot leave a field
/// out by its name.
const UNNOTICED: &[(&str, &str)] = &[
    (
        "delete field hopeless from struct Self expression in Answer::hopeless",
        "out of reach: a request of ours can be built for every base URL that is valid",
    ),
    (
        "delete field sign_in from struct Answer expression in Session::renewed",
        "beside `hopeless` it makes no difference whether a sign-in was answered or there was none, as neither may have counted",
    ),
    (
        "delete field paused_until from struct Suspect expression in Login::denied",
        "beside a denial nobody looks at the pause after lost sign-ins",
    ),
];

pub(crate) fn mutants(arguments: &[&str]) -> ExitCode {
    run::exit_code(Task::of(arguments).and_then(|task| task.run()))
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Task<'a> {
    record: bool,
    /// Only files that are not as they were recorded.
    changed: bool,
    jobs: Option<&'a str>,
    /// All of them if there are none.
    files: Vec<&'a str>,
}

impl<'a> Task<'a> {
    fn of(arguments: &[&'a str]) -> Result<Self, Failure> {
        let mut task = Self::default();
        let mut arguments = arguments.iter();
        while let Some(&argument) = arguments.next() {
            match argument {
                "--record" => task.record = true,
                "--changed" => task.changed = true,
                "--jobs" => {
                    let jobs = arguments
                        .next()
                        .filter(|jobs| jobs.parse::<u8>().is_ok_and(|jobs| jobs > 0));
                    task.jobs = Some(jobs.ok_or_else(|| Failure::new("`--jobs` needs a number"))?);
                }
                option if option.starts_with('-') => {
                    return Err(Failure::new(format!("there is no option `{option}`")));
                }
                file => task.files.push(file),
            }
        }
        Ok(task)
    }

    fn run(&self) -> Result<(), Failure> {
        let workspace = Workspace::load()?;
        if run::output(&mut cargo(["mutants", "--version"])).is_err() {
            let how =
                "cargo-mutants is not installed; `cargo install cargo-mutants --locked` does that";
            return Err(Failure::new(how));
        }
        let all = listed(&workspace, true)?;
        let mut files = BTreeMap::new();
        for mutant in &all {
            files.entry(mutant.file.as_str()).or_insert(source_of(&workspace.root, &mutant.file)?);
        }
        let mut recorded = Figures::read(&workspace.root, FIGURES)?;
        let chosen = self.chosen(&files, &recorded)?;
        if chosen.is_empty() {
            println!("no file of core is other than it was recorded");
            return Ok(());
        }
        let stamp = Stamp::now(&workspace.root);
        let tried = listed(&workspace, false)?;
        let outcomes = self.try_all(&workspace, &chosen)?;
        let counted = outcomes::count(&chosen, &all, &tried, &outcomes, UNNOTICED);
        let mut shown = Figures::default();
        recorded.keep(outcomes::SECTION, |file| files.contains_key(file));
        for (file, counts) in &counted.files {
            let source = files.get(file).map_or("", String::as_str);
            for figures in [&mut recorded, &mut shown] {
                figures.record(outcomes::SECTION, file, &counts.figures(source), &stamp);
            }
        }
        println!("\n{}", outcomes::table(&shown, |_, _| true));
        if self.record {
            recorded.write()?;
        }
        run::verdict(counted.complaints).map(drop)
    }

    fn chosen<'f>(
        &self,
        files: &BTreeMap<&'f str, String>,
        recorded: &Figures,
    ) -> Result<Vec<&'f str>, Failure> {
        if let Some(unknown) = self.files.iter().find(|file| !files.contains_key(*file)) {
            return Err(Failure::new(format!(
                "`{unknown}` is no file of core in which there is a mutant"
            )));
        }
        let is_recorded = |file: &str, source: &str| {
            recorded
                .rows(outcomes::SECTION)
                .any(|(name, row)| name == file && row.text("source") == source)
        };
        let is_chosen = |(file, source): &(&&str, &String)| {
            let is_named = self.files.is_empty() || self.files.contains(*file);
            is_named && !(self.changed && is_recorded(file, source))
        };
        Ok(files.iter().filter(is_chosen).map(|(file, _)| *file).collect())
    }

    /// Runs cargo-mutants, and answers what it wrote down.
    fn try_all(
        &self,
        workspace: &Workspace,
        files: &[&str],
    ) -> Result<Vec<(Mutant, String)>, Failure> {
        let mut command = cargo([
            "mutants",
            "--package",
            PACKAGE,
            "--no-shuffle",
            "--colors",
            "never",
            "--output",
        ]);
        command.arg(&workspace.target);
        // On a machine that does other things, too, slow tests are no tests that hang.
        command.args(["--minimum-test-timeout", "60"]);
        command.args(files.iter().flat_map(|file| ["--file", file]));
        if let Some(jobs) = self.jobs {
            command.args(["--jobs", jobs]);
        }
        command.arg("--").args(TESTS).current_dir(&workspace.root);
        let written = workspace.target.join("mutants.out").join("outcomes.json");
        // Those of a run before are none of this one.
        let _ = std::fs::remove_file(&written);
        // It fails, too, when mutants were missed or ran out of time, which is for us to judge.
        let failure = run::run(&mut command).err();
        let text = std::fs::read(&written).map_err(|error| {
            failure.unwrap_or_else(|| Failure::new(format!("{}: {error}", written.display())))
        })?;
        outcomes::read(&text)
    }
}

/// The mutants that there are, or without those that `.cargo/mutants.toml` leaves out.
fn listed(workspace: &Workspace, all: bool) -> Result<Vec<Mutant>, Failure> {
    let mut command =
        cargo(["mutants", "--list", "--json", "--package", PACKAGE, "--file", SOURCES]);
    if all {
        command.arg("--no-config");
    }
    outcomes::read_list(&run::output(command.current_dir(&workspace.root))?)
}

/// What tells one state of a file from another: git's name for it.
pub(crate) fn source_of(root: &Path, file: &str) -> Result<String, Failure> {
    let output =
        run::output(Command::new("git").arg("-C").arg(root).args(["hash-object", "--", file]))?;
    Ok(String::from_utf8_lossy(&output).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_and_files_come_in_any_order_and_nonsense_is_refused() {
        let task = Task::of(&["--record", "a.rs", "--jobs", "2", "--changed", "b.rs"]).unwrap();
        assert_eq!(
            task,
            Task { record: true, changed: true, jobs: Some("2"), files: vec!["a.rs", "b.rs"] }
        );
        for wrong in
            [["--jobs", "0"], ["--jobs", "many"], ["--recorded", "a.rs"], ["a.rs", "--jobs"]]
        {
            assert!(Task::of(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn all_files_are_chosen_or_the_named_or_those_that_changed() {
        let files = BTreeMap::from([
            ("a.rs", "1".to_owned()),
            ("b.rs", "2".to_owned()),
            ("c.rs", "3".to_owned()),
        ]);
        let mut recorded = Figures::default();
        recorded.record(outcomes::SECTION, "a.rs", &[("source", json!("1"))], &Stamp::default());
        recorded.record(outcomes::SECTION, "b.rs", &[("source", json!("3"))], &Stamp::default());
        let chosen = |arguments: &[&str]| Task::of(arguments).unwrap().chosen(&files, &recorded);
        assert_eq!(chosen(&[]).unwrap(), ["a.rs", "b.rs", "c.rs"]);
        assert_eq!(chosen(&["b.rs"]).unwrap(), ["b.rs"]);
        assert_eq!(chosen(&["--changed"]).unwrap(), ["b.rs", "c.rs"]);
        assert!(chosen(&["d.rs"]).is_err());
    }
}
