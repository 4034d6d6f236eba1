//! Which checks the suite has, and which of them passed, by transport.

use std::collections::BTreeMap;

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

/// The subjects of the checks, by the names that the suite's own list has for them, and what the
/// contract calls them.
pub(crate) const SUBJECTS: &[(&str, &str)] = &[
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

/// A check of the suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) subject: &'static str,
}

/// The checks in the suite's own list, `subject { check, check }`, each once, by subject.
pub(crate) fn checks_of(list: &str) -> Vec<Check> {
    let mut found: Vec<Check> = Vec::new();
    for (subject, _) in SUBJECTS {
        let opening = format!(" {subject} {{");
        for (position, _) in list.match_indices(&opening) {
            let rest = list.get(position + opening.len()..).unwrap_or_default();
            let checks = rest.split_once('}').map_or("", |(checks, _)| checks);
            for name in checks.split(',').map(str::trim).filter(|name| is_name(name)) {
                let check = Check { name: name.to_owned(), subject };
                if !found.contains(&check) {
                    found.push(check);
                }
            }
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// By transport, how often each check passed: once for every wire that it is for.
#[derive(Debug, Default)]
pub(crate) struct Passed(BTreeMap<String, BTreeMap<String, u64>>);

impl Passed {
    /// Takes what the tests of a package printed.
    pub(crate) fn read(&mut self, package: &str, output: &str, checks: &[Check]) {
        for line in output.lines() {
            if let Some((transport, check)) =
                name_of_passed(line).and_then(|name| transport_and_check(package, name))
                && checks.iter().any(|known| known.name == check)
            {
                *self.0.entry(transport).or_default().entry(check.to_owned()).or_default() += 1;
            }
        }
    }

    pub(crate) fn transports(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How often these checks passed, by transport.
    pub(crate) fn counts(&self, checks: &[&Check]) -> Vec<u64> {
        let count = |passed: &BTreeMap<String, u64>| {
            checks.iter().filter_map(|check| passed.get(&check.name)).sum()
        };
        self.0.values().map(count).collect()
    }
}

/// Which transport a test is about, and the name of the check:
/// `conformance::with_rustls::tls::check`.
pub(crate) fn transport_and_check<'a>(package: &str, test: &'a str) -> Option<(String, &'a str)> {
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

/// The name of the test that this line says has passed.
fn name_of_passed(line: &str) -> Option<&str> {
    line.split_once("test ")?.1.strip_suffix(" ... ok")
}

/// Whether each test that passed has a line to itself: what tests print beside the harness may get
/// into those of others.
pub(crate) fn all_can_be_read(output: &str) -> Result<(), String> {
    let passed =
        output.lines().filter_map(|line| line.strip_prefix("test result: ok. ")?.split(' ').next());
    let passed: usize = passed.filter_map(|count| count.parse::<usize>().ok()).sum();
    let read = output.lines().filter(|line| name_of_passed(line).is_some()).count();
    if passed == read && passed > 0 {
        Ok(())
    } else {
        Err(format!("of {passed} tests {read} can be read"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const LIST: &str = " redirects { a_redirect_is_handed_back }\n  once {\n  it_is_sent_once,\n  and_no_more,\n }\n \
                        once { it_is_sent_once }\n idle { $($own)* }";

    /// The list that the suite has now.
    pub(crate) fn the_real_checks() -> Vec<Check> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        checks_of(&std::fs::read_to_string(root.join(super::super::LIST)).unwrap())
    }

    /// What passed, for tables.
    pub(crate) fn passed(checks: &[Check], tests: &[&str]) -> Passed {
        let mut passed = Passed::default();
        let output: String = tests
            .iter()
            .map(|test| format!("test conformance::with_rustls::{test} ... ok\n"))
            .collect();
        passed.read("point-auth-hyper", &output, checks);
        passed
    }

    #[test]
    fn a_test_whose_line_another_one_wrote_into_is_missed() {
        let result = "test result: ok. 2 passed; 0 failed; 0 ignored\n";
        let read = |lines: &str| all_can_be_read(&format!("{lines}{result}"));
        assert!(read("test a::b ... ok\ntest a::c ... ok\n").is_ok());
        assert!(read("test a::b ... sweep | x | 1 |\nok\ntest a::c ... ok\n").is_err());
        assert!(all_can_be_read("").is_err());
    }

    #[test]
    fn every_check_of_the_list_is_found_once() {
        let names: Vec<_> = checks_of(LIST)
            .into_iter()
            .map(|check| format!("{} {}", check.subject, check.name))
            .collect();
        assert_eq!(
            names,
            ["redirects a_redirect_is_handed_back", "once it_is_sent_once", "once and_no_more"]
        );
        let subjects =
            |subject| the_real_checks().iter().filter(|check| check.subject == subject).count();
        for (subject, _) in SUBJECTS {
            assert!(subjects(*subject) > 0, "{subject}");
        }
    }

    #[test]
    fn checks_that_passed_are_counted_by_transport() {
        let checks = checks_of(LIST);
        let output = "test conformance::with_rustls::tls::it_is_sent_once ... ok\n\
                      test conformance::with_rustls::plain::it_is_sent_once ... ok\n\
                      test conformance::with_rustls::plain::and_no_more ... ok\n\
                      test conformance::with_rustls::plain::a_redirect_is_handed_back ... FAILED\n\
                      test conformance::brought::plain::and_no_more ... ok\n\
                      test conformance::on_the_moon::plain::is_left_out ... ok\n\
                      test other::plain ... ok\n";
        let mut passed = Passed::default();
        passed.read("point-auth-hyper", output, &checks);
        assert_eq!(
            passed.transports().collect::<Vec<_>>(),
            ["hyper, brought", "hyper, with rustls"]
        );
        assert_eq!(passed.counts(&checks.iter().collect::<Vec<_>>()), [1, 3]);
    }

    #[test]
    fn an_example_is_a_transport_of_its_own_name() {
        let found = transport_and_check(
            "point-auth-examples",
            "device::conformance::with_plain_sockets::plain::a",
        );
        assert_eq!(found, Some(("device, with plain sockets".to_owned(), "a")));
        assert_eq!(
            transport_and_check("point-auth-ureq", "conformance::with_rustls::plan::a"),
            None
        );
    }
}
