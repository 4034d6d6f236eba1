//! The steps of `cargo xtask ci`, in the order in which they run: what answers at once first, the
//! tests last.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::run::{Failure, Report};
use crate::workspace::Workspace;
use crate::{bench, book, compile, crypto_providers, deny, features, fuzz, public_api, tidy};

pub(crate) struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace) -> Report,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", about: "the code is formatted", run: compile::fmt },
    Step { name: "tidy", about: "the repository keeps its own conventions", run: tidy::check },
    Step {
        name: "docs-book",
        about: "the book builds, and no link or example is broken",
        run: book::check,
    },
    Step {
        name: "deny",
        about: "licences, duplicate versions, banned crates, sources",
        run: deny::check,
    },
    Step {
        name: "msrv",
        about: "builds with the oldest supported Rust, if it is installed",
        run: compile::msrv,
    },
    Step {
        name: "clippy",
        about: "no warning in any target, by default and with all features",
        run: compile::clippy,
    },
    Step {
        name: "features",
        about: "every feature of every published crate alone, and none",
        run: features::check,
    },
    Step {
        name: "crypto-providers",
        about: "a program with plain rustls has one crypto provider",
        run: crypto_providers::check,
    },
    Step { name: "doc", about: "rustdoc without a warning", run: compile::doc },
    Step {
        name: "public-api",
        about: "only known crates show in the public API",
        run: public_api::check,
    },
    Step {
        name: "budget",
        about: "allocations, instructions and crates are what the budget says",
        run: bench::budget,
    },
    Step {
        name: "fuzz-corpora",
        about: "the fuzz targets over their corpora, without a fuzzer",
        run: fuzz::corpora,
    },
    Step {
        name: "test-all-features",
        about: "the tests with all features",
        run: compile::test_all_features,
    },
    Step { name: TEST, about: "the tests, as the README runs them", run: compile::test },
];

/// Runs after the summary, so that the output ends with the test runner's own.
const TEST: &str = "test";

pub(crate) fn usage() -> String {
    let mut text = String::from(
        "cargo xtask ci [--except STEP]… [STEP…]\n\nRuns the named steps, or all of them in this order:\n",
    );
    for step in STEPS {
        text.push_str(&format!("  {:<18} {}\n", step.name, step.about));
    }
    text.push_str(
        "\ncargo xtask bench [SECTION]…\n\nMeasures, and writes the book's page about performance.\n",
    );
    text.push_str("\ncargo xtask budget [--write]\n\nChecks the budget, or writes it anew.\n");
    text.push_str(
        "\ncargo xtask fuzz --seconds N [--record] [TARGET]…\ncargo xtask fuzz --coverage [--record]\n\nRuns the fuzz targets of core for \
         so long each, or tells which lines their corpora reach.\n",
    );
    text.push_str(
        "\ncargo xtask mutants [--record] [--changed] [--jobs N] [FILE]…\n\nChanges core in every small way, and its tests have to notice; \
         this takes hours.\n",
    );
    text.push_str(
        "\ncargo xtask conformance\n\nRuns the suite over every transport, and writes the book's page about it, with what was recorded of \
         the two above.\n",
    );
    text.push_str("\ncargo xtask book --write\n\nPrints the examples anew into the pages.\n");
    text.push_str("\ncargo xtask peers\n\nInstalls the servers and proxies that tests run against (as root, by apt-get).\n");
    text
}

/// The steps that the arguments ask for, in the order of the table.
pub(crate) fn choose(arguments: &[&str]) -> Result<Vec<&'static Step>, String> {
    let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
    let mut arguments = arguments.iter();
    while let Some(&argument) = arguments.next() {
        let (list, name) = match argument {
            "--except" => {
                (&mut unwanted, *arguments.next().ok_or("`--except` needs the name of a step")?)
            }
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

/// Runs every step even when an earlier one failed: one run tells all there is to mend.
pub(crate) fn run(steps: &[&Step]) -> ExitCode {
    let workspace = match Workspace::load() {
        Ok(workspace) => workspace,
        Err(failure) => {
            tell_complaints(&failure);
            return ExitCode::FAILURE;
        }
    };
    let mut results = Vec::new();
    let mut summary_told = false;
    for step in steps {
        if step.name == TEST && !results.is_empty() {
            tell_summary(&results);
            summary_told = true;
        }
        println!("\n==> {}: {}", step.name, step.about);
        let start = Instant::now();
        let report = (step.run)(&workspace);
        match &report {
            Ok(left_out) => left_out.iter().for_each(|line| println!("LEFT OUT: {line}")),
            Err(failure) => tell_complaints(failure),
        }
        results.push((step.name, start.elapsed(), report));
    }
    let failed: Vec<&str> =
        results.iter().filter(|(_, _, report)| report.is_err()).map(|(name, _, _)| *name).collect();
    if !summary_told && results.len() > 1 {
        tell_summary(&results);
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("\nfailed: {}", failed.join(", "));
    ExitCode::FAILURE
}

fn tell_complaints(failure: &Failure) {
    for complaint in &failure.complaints {
        eprintln!("error: {complaint}");
    }
}

fn tell_summary(results: &[(&str, Duration, Report)]) {
    println!("\n==> summary");
    for (name, time, report) in results {
        let verdict = if report.is_ok() { "ok" } else { "FAILED" };
        println!("  {name:<18} {verdict:<6} {:>7.1} s", time.as_secs_f64());
        for line in report.iter().flatten() {
            println!("  {:<18} left out: {line}", "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Vec<&'static str> {
        choose(arguments).unwrap().iter().map(|step| step.name).collect()
    }

    #[test]
    fn no_argument_means_every_step_with_the_tests_last() {
        let all = names(&[]);
        assert_eq!(all.len(), STEPS.len());
        assert_eq!(all.last(), Some(&TEST));
    }

    #[test]
    fn steps_run_in_the_order_of_the_table_whatever_the_order_asked_for() {
        assert_eq!(names(&["clippy", "fmt"]), ["fmt", "clippy"]);
    }

    #[test]
    fn an_exception_is_taken_out() {
        assert!(!names(&["--except", "test"]).contains(&TEST));
        assert_eq!(names(&["--except", "test", "test", "fmt"]), ["fmt"]);
    }

    #[test]
    fn an_unknown_step_is_refused_rather_than_skipped() {
        assert!(choose(&["clipy"]).is_err());
        assert!(choose(&["--except", "tests"]).is_err());
        assert!(choose(&["--except"]).is_err());
    }

    #[test]
    fn the_usage_names_every_step() {
        assert!(STEPS.iter().all(|step| usage().contains(step.name)));
    }
}
