//! `cargo xtask conformance`: runs the suite over every transport of this repository, and writes what came of it into the book.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::ExitCode;

use crate::run::{self, Failure};
use crate::workspace::Workspace;

/// The packages whose tests run the suite, with what they are in the table.
const PACKAGES: &[&str] =
    &["point-auth-reqwest", "point-auth-hyper", "point-auth-ureq", "point-auth-examples"];

/// The groups of the suite, which stand before the name of a check in the name of its test.
const GROUPS: &[&str] = &[
    "plain",
    "tls",
    "http2",
    "truncation",
    "mutual_tls",
    "proxy",
    "environment",
    "keep_alive",
    "idle",
    "cancellation",
];

/// The subjects of the checks, by the names that the suite's own list has for them, and what the contract calls them.
const SUBJECTS: &[(&str, &str)] = &[
    ("exchange", "an exchange as such"),
    ("redirects", "1. no redirects"),
    ("once", "2. once"),
    ("size", "3. bounded"),
    ("deadline", "4. in time"),
    ("statuses", "5. every status is a response"),
    ("kinds", "6. failures have a kind"),
    ("certificates", "6. certificates"),
    ("sweep", "6. cut after every byte"),
    ("leaks", "7. no leaks"),
    ("proxies", "8. proxies alike"),
    ("environment", "8. proxies of the environment"),
    ("idle", "9. no stale connections"),
];

const LIST: &str = "crates/point-auth-testkit/src/conformance/list.rs";
const PAGE: &str = "docs/src/conformance.md";
/// What the page says between these is written here.
const BEGIN: &str = "<!-- begin: cargo xtask conformance -->\n";
const END: &str = "<!-- end -->\n";

pub(crate) fn conformance() -> ExitCode {
    match write_page() {
        Ok(tables) => {
            println!("\n{tables}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            for complaint in &failure.complaints {
                eprintln!("error: {complaint}");
            }
            ExitCode::FAILURE
        }
    }
}

fn write_page() -> Result<String, Failure> {
    let workspace = Workspace::load()?;
    let read = |path: &str| {
        fs::read_to_string(workspace.root.join(path))
            .map_err(|error| Failure::new(format!("{path}: {error}")))
    };
    let subjects = subjects_of(&read(LIST)?);
    let mut results = Results::default();
    for package in PACKAGES {
        let mut arguments = vec!["test", "--package", package, "--test", "it"];
        if workspace.can_build_native_tls {
            arguments.push("--all-features");
        }
        arguments.extend(["--", "conformance"]);
        println!("$ cargo {}", arguments.join(" "));
        let output = run::output(&mut run::cargo(&arguments))?;
        results.read(package, &String::from_utf8_lossy(&output), &subjects);
    }
    let tables = results.tables();
    let page = read(PAGE)?;
    let page = replaced(&page, &tables)
        .ok_or_else(|| Failure::new(format!("{PAGE}: it has no place for the tables")))?;
    fs::write(workspace.root.join(PAGE), page).map_err(|error| Failure::new(format!("{PAGE}: {error}")))?;
    Ok(tables)
}

fn replaced(page: &str, tables: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

/// Which subject each check is of: `subject { check, check }` in the suite's list.
fn subjects_of(list: &str) -> BTreeMap<String, &'static str> {
    let mut found = BTreeMap::new();
    for (subject, _) in SUBJECTS {
        let opening = format!(" {subject} {{");
        for (position, _) in list.match_indices(&opening) {
            let rest = list.get(position + opening.len()..).unwrap_or_default();
            let checks = rest.split_once('}').map_or("", |(checks, _)| checks);
            let is_name =
                |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            found.extend(
                checks.split(',').map(str::trim).filter(is_name).map(|name| (name.to_owned(), *subject)),
            );
        }
    }
    found
}

#[derive(Debug, Default)]
struct Results {
    /// By transport, how many checks of each subject passed.
    passed: BTreeMap<String, BTreeMap<&'static str, usize>>,
    /// The rows of the sweeps.
    sweeps: Vec<String>,
}

impl Results {
    fn read(&mut self, package: &str, output: &str, subjects: &BTreeMap<String, &'static str>) {
        for line in output.lines() {
            if let Some((_, sweep)) = line.split_once("sweep | ") {
                self.sweeps.extend(sweep_row(package, sweep));
            }
            let Some(name) = line.split_once("test ").and_then(|(_, rest)| rest.strip_suffix(" ... ok"))
            else {
                continue;
            };
            if let Some((transport, check)) = transport_and_check(package, name)
                && let Some(subject) = subjects.get(check)
            {
                let transport = self.passed.entry(transport).or_default();
                *transport.entry(subject).or_default() += 1;
            }
        }
        self.sweeps.sort();
    }

    fn tables(&self) -> String {
        let mut tables = String::from("| rule |");
        self.passed.keys().for_each(|transport| write!(tables, " {transport} |").unwrap_or_default());
        tables.push_str("\n|---|");
        tables.push_str(&"--:|".repeat(self.passed.len()));
        for (subject, rule) in SUBJECTS {
            write!(tables, "\n| {rule} |").unwrap_or_default();
            for passed in self.passed.values() {
                match passed.get(subject) {
                    Some(count) => write!(tables, " {count} |").unwrap_or_default(),
                    None => tables.push_str(" – |"),
                }
            }
        }
        tables.push_str("\n| **all** |");
        for passed in self.passed.values() {
            write!(tables, " **{}** |", passed.values().sum::<usize>()).unwrap_or_default();
        }
        tables.push_str(
            "\n\n| transport | wire | connection | bytes there | back | cuts | whole answers | Connect | Protocol | Timeout | of these \
             not sent | sign-ins afterwards | of these stale |\n|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        self.sweeps.iter().for_each(|row| writeln!(tables, "{row}").unwrap_or_default());
        tables
    }
}

/// Which transport a test is about, and the name of the check: `conformance::with_rustls::tls::check`.
fn transport_and_check<'a>(package: &str, test: &'a str) -> Option<(String, &'a str)> {
    let (path, check) = test.rsplit_once("::")?;
    let (variant, group) = path.rsplit_once("::")?;
    let package = package.strip_prefix("point-auth-").unwrap_or(package);
    let words = variant.split("::").filter(|word| *word != "conformance");
    let words: Vec<&str> = match package {
        "examples" => words.collect(),
        _ => std::iter::once(package).chain(words).collect(),
    };
    GROUPS.contains(&group).then(|| (words.join(", ").replace('_', " "), check))
}

/// A row without what differs from machine to machine, which are the last two columns.
fn sweep_row(package: &str, sweep: &str) -> Option<String> {
    let (test, figures) = sweep.split_once(" | ")?;
    let test = test.rsplit(' ').next()?;
    let (transport, _) = transport_and_check(package, test)?;
    let figures: Vec<&str> = figures.trim().trim_matches('|').split('|').map(str::trim).collect();
    let kept = figures.get(..figures.len().checked_sub(2)?)?;
    // A transport that keeps no connection has none to cut.
    (kept.get(4) != Some(&"0")).then(|| format!("| {transport} | {} |", kept.join(" | ")))
}

#[cfg(test)]
mod tests {
    use super::{Results, replaced, subjects_of};

    const LIST: &str = "redirects { a_redirect_is_handed_back }\n  once {\n  it_is_sent_once,\n  and_no_more,\n }\n idle { $($own)* }";

    #[test]
    fn checks_are_counted_by_transport_and_by_subject() {
        let subjects = subjects_of(&format!(" {LIST}"));
        assert_eq!(subjects.len(), 3);
        let output = "test conformance::with_rustls::tls::it_is_sent_once ... ok\n\
                      test conformance::with_rustls::plain::and_no_more ... ok\n\
                      test conformance::with_rustls::plain::a_redirect_is_handed_back ... FAILED\n\
                      test other::plain ... ok\n";
        let mut results = Results::default();
        results.read("point-auth-hyper", output, &subjects);
        let tables = results.tables();
        assert!(tables.contains("| rule | hyper, with rustls |"), "{tables}");
        assert!(tables.contains("| 2. once | 2 |") && tables.contains("| 1. no redirects | – |"), "{tables}");
        assert!(tables.contains("| **all** | **2** |"), "{tables}");
    }

    #[test]
    fn a_sweep_is_a_row_without_its_times() {
        let mut results = Results::default();
        let row = "| HTTP/1.1 | new | 368 | 1405 | 3550 | 2 | 0 | 3548 | 0 | 0 | 900 | 0 | 9 ms | 3.5 s |";
        let line = format!(
            "...sweep | point-auth-examples device::conformance::with_plain_sockets::plain::a_cut {row}\n"
        );
        results.read("point-auth-examples", &line, &subjects_of(LIST));
        let expected = "| device, with plain sockets | HTTP/1.1 | new | 368 | 1405 | 3550 | 2 | 0 | 3548 | 0 | 0 | 900 | 0 |";
        assert_eq!(results.sweeps, [expected]);
    }

    #[test]
    fn the_tables_are_put_where_the_page_wants_them() {
        let page = "before\n<!-- begin: cargo xtask conformance -->\nold\n<!-- end -->\nafter\n";
        let replaced = replaced(page, "new").unwrap();
        assert!(replaced.contains("\nnew\n") && !replaced.contains("old") && replaced.ends_with("after\n"));
    }
}
