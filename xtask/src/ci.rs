//! The steps of `cargo xtask ci`, in the order in which they run: the quick ones first, the tests
//! last.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::run::{self, Report, cargo};
use crate::workspace::Workspace;
use crate::{bench, book, compile, crypto_providers, features, fuzz, public_api, python, tidy};

pub(crate) struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace) -> Report,
}

const fn step(name: &'static str, run: fn(&Workspace) -> Report, about: &'static str) -> Step {
    Step { name, about, run }
}

const STEPS: &[Step] = &[
    step("fmt", compile::fmt, "the code is formatted"),
    step("tidy", tidy::check, "the repository keeps its own conventions"),
    step("docs-book", book::check, "the book builds, and no link or example is broken"),
    step("deny", compile::deny, "licenses, duplicate versions, banned crates, sources"),
    step("msrv", compile::msrv, "builds with the oldest supported Rust, if it is installed"),
    step("package", compile::package, "every published crate can be packaged"),
    step("clippy", compile::clippy, "no warning in any target, by default and with all features"),
    step("features", features::check, "every feature of every published crate alone, and none"),
    step("crypto-providers", crypto_providers::check, "a user's program has one crypto provider"),
    step("doc", compile::doc, "rustdoc without a warning"),
    step("doc-features", features::doc, "rustdoc without a warning with each feature alone"),
    step("public-api", public_api::check, "only known crates show in the public API"),
    step("budget", bench::budget, "allocations, instructions and crates are within the budget"),
    step("fuzz-corpora", fuzz::corpora, "the fuzz targets over their seeds, without a fuzzer"),
    step("fuzz", fuzz::step, "the fuzz targets for five seconds each"),
    step("python", python::step, "the wheels for Python, with their tests and types"),
    step("test-openssl", compile::test_openssl, "the tests of native-tls and curl"),
    step(TEST, |_| Ok(Vec::new()), "the tests, as the README runs them"),
];

/// Runs after the summary, so that the output ends with the test runner's own.
const TEST: &str = "test";

pub(crate) fn usage() -> String {
    let mut text = String::from(
        "cargo xtask ci [--except STEP]… [STEP…]    the named steps, or all of them\n\
         cargo xtask bench [SECTION]…               measures, and writes the page on performance\n\
         cargo xtask bench python                   measures the wrapper for Python beside its peers\n\
         cargo xtask book --write                   prints the examples anew into the pages\n\
         cargo xtask budget [--write]               checks the budget, or writes it anew\n\
         cargo xtask conformance                    runs the suite over every transport, and writes the page\n\
         cargo xtask dashboard                      draws the dashboard of the book, by a Prometheus\n\
         cargo xtask fuzz --seconds N [TARGET]…     runs the fuzz targets of core for so long each\n\
         cargo xtask peers                          installs the servers and proxies of the tests, as root\n\
         cargo xtask python                         builds the wheels for Python and tests them\n\n",
    );
    for step in STEPS {
        text.push_str(&format!("  {:<17} {}\n", step.name, step.about));
    }
    text
}

/// The steps that the arguments ask for, in the order of the table.
pub(crate) fn choose(arguments: &[&str]) -> Result<Vec<&'static Step>, String> {
    let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
    let mut arguments = arguments.iter();
    while let Some(&argument) = arguments.next() {
        let (list, name) = match argument {
            "--except" => (&mut unwanted, arguments.next().copied().unwrap_or_default()),
            name => (&mut wanted, name),
        };
        if !STEPS.iter().any(|step| step.name == name) {
            return Err(format!("there is no step `{name}`"));
        }
        list.push(name);
    }
    let chosen = |step: &&Step| {
        (wanted.is_empty() || wanted.contains(&step.name)) && !unwanted.contains(&step.name)
    };
    Ok(STEPS.iter().filter(chosen).collect())
}

/// A step that ran, how long it took, and what it said.
type Ran = (&'static str, Duration, Report);

/// Runs every step even when an earlier one failed: one run tells all there is to mend.
pub(crate) fn run(steps: &[&Step]) -> ExitCode {
    let workspace = match Workspace::load() {
        Ok(workspace) => workspace,
        Err(failure) => return run::exit_code(Err(failure)),
    };
    let mut ran: Vec<Ran> = Vec::new();
    let mut last_lines = None;
    for step in steps {
        let start = Instant::now();
        let report = if step.name == TEST {
            print!("{}", summary(&ran));
            // The README's command; the option only makes it go on behind a failure.
            let test = &mut cargo(["test", "--workspace", "--no-fail-fast"]);
            let (result, last) = run::run_to_the_end(test);
            last_lines = Some(last);
            result.map(|()| Vec::new())
        } else {
            println!("\n==> {}: {}", step.name, step.about);
            (step.run)(&workspace)
        };
        for line in complaints(&report) {
            eprintln!("error: {line}");
        }
        ran.push((step.name, start.elapsed(), report));
    }
    if ran.iter().all(|(_, _, report)| report.is_ok()) {
        if last_lines.is_none() {
            print!("{}", summary(&ran));
        }
        return ExitCode::SUCCESS;
    }
    print!("{}", summary(&ran));
    // What failed may be far above, so it is told again; and yet the tests' own lines are last.
    for line in last_lines.into_iter().flatten() {
        println!("{line}");
    }
    ExitCode::FAILURE
}

fn complaints(report: &Report) -> &[String] {
    report.as_ref().err().map_or(&[], |failure| &failure.complaints)
}

fn summary(ran: &[Ran]) -> String {
    /// A complaint may hold a whole log.
    const LINES: usize = 40;
    let mut text = String::from("\n==> summary\n");
    for (name, time, report) in ran {
        let verdict = if report.is_ok() { "ok" } else { "FAILED" };
        text.push_str(&format!("  {name:<17} {verdict:<6} {:>7.1} s\n", time.as_secs_f64()));
        for line in report.iter().flatten() {
            text.push_str(&format!("  {:<17} left out: {line}\n", ""));
        }
    }
    for (name, _, report) in ran.iter().filter(|(_, _, report)| report.is_err()) {
        text.push_str(&format!("\n==> {name} failed\n"));
        for line in complaints(report).iter().flat_map(|said| said.lines()).take(LINES) {
            text.push_str(&format!("{line}\n"));
        }
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Failure;

    fn names(arguments: &[&str]) -> Vec<&'static str> {
        choose(arguments).unwrap().iter().map(|step| step.name).collect()
    }

    #[test]
    fn steps_run_in_the_order_of_the_table_with_the_tests_last() {
        assert_eq!(names(&[]).len(), STEPS.len());
        assert_eq!(names(&[]).last(), Some(&TEST));
        assert_eq!(names(&["clippy", "fmt"]), ["fmt", "clippy"]);
        assert_eq!(names(&["--except", "test", "test", "fmt"]), ["fmt"]);
    }

    #[test]
    fn an_unknown_step_is_refused_rather_than_skipped() {
        for wrong in [["clipy"].as_slice(), &["--except", "tests"], &["--except"]] {
            assert!(choose(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_summary_ends_with_what_failed_and_its_first_complaints() {
        let failed =
            Failure { complaints: vec!["`cargo x`: exit status: 1".into(), "error: y".into()] };
        let ran = [
            ("fmt", Duration::from_secs(1), Err(failed)),
            ("tidy", Duration::from_secs(2), Ok(vec!["mdbook".to_owned()])),
        ];
        let expected = "\n==> summary\n  fmt               FAILED     1.0 s\n  tidy              ok         2.0 s\n\
                        \u{20}                   left out: mdbook\n\n==> fmt failed\n\
                        `cargo x`: exit status: 1\nerror: y\n\n";
        assert_eq!(summary(&ran), expected);
    }
}
