//! `cargo xtask conformance`: runs the suite over every transport of this repository, and writes
//! into the book how many checks passed, by rule and transport.

use std::collections::BTreeMap;
use std::fs;

use crate::run::{self, Failure, Report, cargo};
use crate::workspace::Workspace;

/// The packages whose tests run the suite.
const PACKAGES: &[&str] =
    &["point-auth-reqwest", "point-auth-hyper", "point-auth-ureq", "point-auth-examples"];

const LIST: &str = "crates/point-auth-testkit/src/conformance/list.rs";
const PAGE: &str = "docs/src/conformance.md";
const BEGIN: &str = "<!-- begin: cargo xtask conformance -->\n";
const END: &str = "<!-- end -->\n";

/// The groups of the suite, which stand before the name of a check in the name of its test.
const GROUPS: &[&str] = &[
    "plain",
    "tls",
    "http2",
    "large_request",
    "truncation",
    "mutual_tls",
    "proxy",
    "environment",
    "keep_alive",
    "idle",
    "cancellation",
];

/// The subjects in the suite's own list, and what the contract calls them.
const SUBJECTS: &[(&str, &str)] = &[
    ("exchange", "an exchange as such"),
    ("redirects", "1. no redirects"),
    ("once", "2. once"),
    ("size", "3. bounded"),
    ("deadline", "4. in time"),
    ("statuses", "5. every status is a response"),
    ("kinds", "6. failures have a kind"),
    ("certificates", "6. certificates"),
    ("sweep", "6. cut after every byte, or silent"),
    ("leaks", "7. no leaks"),
    ("proxies", "8. proxies alike"),
    ("environment", "8. proxies of the environment"),
    ("idle", "9. no stale connections"),
];

/// The rule of each check, by its name.
type Rules<'a> = BTreeMap<&'a str, &'static str>;
/// How many checks passed, by transport and rule.
type Passed = BTreeMap<String, BTreeMap<&'static str, u64>>;

pub(crate) fn conformance() -> Report {
    let workspace = Workspace::load()?;
    let path = |name: &str| workspace.root.join(name);
    let failed = |name: &str, why: String| Failure::new(format!("{name}: {why}"));
    let read = |name: &str| {
        fs::read_to_string(path(name)).map_err(|error| failed(name, error.to_string()))
    };
    let (list, page) = (read(LIST)?, read(PAGE)?);
    let rules = rules_of(&list);
    let mut passed = Passed::new();
    for package in PACKAGES {
        let mut test = cargo(["test", "--package", package, "--test", "it"]);
        test.args(if workspace.has_openssl { &["--all-features"][..] } else { &[] })
            .args(["--", "conformance"]);
        println!("$ cargo test --package {package} --test it -- conformance");
        count(&mut passed, package, &run::output(&mut test)?, &rules)
            .map_err(|why| failed(package, why))?;
    }
    let table = table(&passed);
    println!("\n{table}");
    let written = with_table(&page, &table)
        .ok_or_else(|| failed(PAGE, "it has no place for the table".to_owned()))?;
    fs::write(path(PAGE), written).map_err(|error| failed(PAGE, error.to_string()))?;
    Ok(workspace.left_out())
}

/// The checks of the suite's own list, `subject { check, check }`.
fn rules_of(list: &str) -> Rules<'_> {
    let mut rules = Rules::new();
    for (subject, rule) in SUBJECTS {
        for opened in list.split(&format!(" {subject} {{")).skip(1) {
            let checks = opened.split('}').next().unwrap_or_default().split(',').map(str::trim);
            rules.extend(checks.filter(|name| is_name(name)).map(|name| (name, *rule)));
        }
    }
    rules
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Counts the checks that a package's tests said have passed.
fn count(passed: &mut Passed, package: &str, said: &str, rules: &Rules<'_>) -> Result<(), String> {
    let tests = |line: &str| {
        line.strip_prefix("test result: ok. ")?.split(' ').next()?.parse::<usize>().ok()
    };
    let tests: usize = said.lines().filter_map(tests).sum();
    let mut read = 0;
    for line in said.lines() {
        let name = line.split_once("test ").and_then(|(_, test)| test.strip_suffix(" ... ok"));
        let Some(name) = name else { continue };
        read += 1;
        if let Some((transport, check)) = transport_and_check(package, name)
            && let Some(rule) = rules.get(check)
        {
            *passed.entry(transport).or_default().entry(rule).or_default() += 1;
        }
    }
    // What tests print beside the harness may get into a line of others.
    if tests == read && read > 0 {
        Ok(())
    } else {
        Err(format!("of {tests} tests {read} can be read"))
    }
}

/// Which transport a test is about, and its check: `conformance::with_rustls::tls::check`.
fn transport_and_check<'a>(package: &str, test: &'a str) -> Option<(String, &'a str)> {
    let (path, check) = test.rsplit_once("::")?;
    let (variant, group) = path.rsplit_once("::")?;
    let adapter = package.trim_start_matches("point-auth-");
    let variant = variant.split("::").filter(|word| *word != "conformance");
    let words = std::iter::once(adapter).filter(|adapter| *adapter != "examples").chain(variant);
    let transport = words.collect::<Vec<_>>().join(", ").replace('_', " ");
    GROUPS.contains(&group).then_some((transport, check))
}

/// A dash stands for checks that were left out.
fn table(passed: &Passed) -> String {
    let transports: Vec<&str> = passed.keys().map(String::as_str).collect();
    let mut table = format!(
        "| rule | {} |\n|---|{}\n",
        transports.join(" | "),
        "--:|".repeat(transports.len())
    );
    let mut row = |name: &str, counts: Vec<u64>, marks: &str| {
        table.push_str(&format!("| {marks}{name}{marks} |"));
        for count in counts {
            let count = if count == 0 { "–".to_owned() } else { count.to_string() };
            table.push_str(&format!(" {marks}{count}{marks} |"));
        }
        table.push('\n');
    };
    for (_, rule) in SUBJECTS {
        row(rule, passed.values().map(|rules| rules.get(rule).copied().unwrap_or(0)).collect(), "");
    }
    row("all", passed.values().map(|rules| rules.values().sum()).collect(), "**");
    let all: u64 = passed.values().flat_map(|rules| rules.values()).sum();
    format!("{all} checks passed, over {} transports.\n\n{table}", transports.len())
}

fn with_table(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = " redirects { a_redirect }\n  once {\n  sent_once,\n  no_more,\n }\n once { sent_once }\n \
                         idle { $($own)* }";

    #[test]
    fn every_subject_of_the_suite_has_checks() {
        let suite =
            [("a_redirect", "1. no redirects"), ("no_more", "2. once"), ("sent_once", "2. once")];
        assert_eq!(rules_of(SUITE), Rules::from(suite));
        let list = include_str!("../../crates/point-auth-testkit/src/conformance/list.rs");
        let rules = rules_of(list);
        for (subject, rule) in SUBJECTS {
            assert!(rules.values().any(|of_check| of_check == rule), "{subject}");
        }
    }

    #[test]
    fn checks_that_passed_are_counted_by_transport_and_rule() {
        let said = "test conformance::with_rustls::tls::sent_once ... ok\n\
                    test conformance::with_rustls::plain::no_more ... ok\n\
                    test conformance::with_rustls::plain::a_redirect ... FAILED\n\
                    test conformance::on_the_moon::plain::left_out ... ok\n\
                    test device::conformance::with_plain_sockets::plain::no_more ... ok\n\
                    test other::plain ... ok\ntest result: ok. 5 passed; 0 failed\n";
        let mut passed = Passed::new();
        count(&mut passed, "point-auth-examples", said, &rules_of(SUITE)).unwrap();
        let table = table(&passed);
        let expected = "3 checks passed, over 2 transports.\n\n| rule | device, with plain sockets | with rustls |\n";
        assert!(table.starts_with(expected), "{table}");
        assert!(table.contains("\n| 2. once | 1 | 2 |\n| 3. bounded | – | – |\n"), "{table}");
        assert!(table.ends_with("| **all** | **1** | **2** |\n"), "{table}");
        let hyper = transport_and_check("point-auth-hyper", "conformance::with_rustls::tls::a");
        assert_eq!(hyper, Some(("hyper, with rustls".to_owned(), "a")));
    }

    #[test]
    fn a_test_whose_line_another_one_wrote_into_is_missed() {
        let said = "test a::b ... sweep | 1 |\nok\ntest a::c ... ok\ntest result: ok. 2 passed;\n";
        assert!(count(&mut Passed::new(), "point-auth-ureq", said, &Rules::new()).is_err());
        assert!(count(&mut Passed::new(), "point-auth-ureq", "", &Rules::new()).is_err());
    }

    #[test]
    fn the_table_goes_where_the_page_has_a_place_for_it() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        assert_eq!(
            with_table(&page, "new\n").unwrap(),
            format!("before\n{BEGIN}\nnew\n\n{END}after\n")
        );
        assert_eq!(with_table("no place\n", "new\n"), None);
    }
}
