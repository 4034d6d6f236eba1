//! [`Check`]: one check with its name and rule, and the running of it.

use std::io::{self, Write};

use super::bench::Bench;
use super::candidate::Candidate;
use super::violation::{Outcome, Rule, Violation};

/// What goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wire {
    /// HTTP/1.1 over TCP.
    Plain,
    /// HTTP/1.1 over TLS.
    Tls,
    /// HTTP/2 over TLS.
    Http2,
}

/// One check of one rule, in one group.
#[derive(Clone, Copy)]
pub struct Check {
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    pub(super) wire: Wire,
    pub(super) rule: Rule,
    pub(super) run: fn(&Bench<'_>) -> Outcome,
}

impl Check {
    /// The group it is in; groups can be [left out](Candidate::without).
    #[must_use]
    pub const fn group(&self) -> &'static str {
        self.group
    }

    /// Its name, which is that of the test that runs it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The rule it is about. It may come upon a violation of another one.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// Holds a transport against it.
    ///
    /// # Errors
    /// The [`Violation`] that was found first.
    pub fn run(&self, candidate: &Candidate) -> Result<(), Violation> {
        self.run_as(candidate, None)
    }

    /// As [`run`](Self::run); `test` is the path of the test that does so, which some checks run
    /// again in another process.
    pub(super) fn run_as(
        &self,
        candidate: &Candidate,
        test: Option<&str>,
    ) -> Result<(), Violation> {
        let bench = Bench::new(candidate, self.wire, test);
        (self.run)(&bench).map_err(|violation| violation.or_of(self.rule).seen(bench.saw()))
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}::{} ({})", self.group, self.name, self.rule)
    }
}

/// Runs the check of this name; for [`conformance!`](crate::conformance!).
///
/// # Panics
/// With the violation, if there is one: that is how a test fails.
#[doc(hidden)]
#[track_caller]
#[expect(clippy::panic, reason = "a test fails by panicking")]
pub fn run_test(candidate: &Candidate, group: &str, name: &str, module: &str) {
    let Some(check) = find(group, name) else {
        panic!("there is no check {group}::{name}");
    };
    // The test binary's own paths are without the crate's name.
    let module = module.split_once("::").map_or("", |(_, module)| module);
    if let Err(violation) = check.run_as(candidate, Some(&format!("{module}::{name}"))) {
        panic!("{violation}");
    }
}

/// Holds the name of a check that is left out against the suite; for
/// [`conformance!`](crate::conformance!).
///
/// # Panics
/// If the suite has no such check.
#[doc(hidden)]
#[track_caller]
pub fn assert_is_check(group: &str, name: &str) {
    assert!(find(group, name).is_some(), "there is no check {group}::{name} to leave out");
}

/// Prints why a group or a check is left out, also where the test harness keeps what a test prints;
/// for [`conformance!`](crate::conformance!).
///
/// # Panics
/// If there is no reason.
#[doc(hidden)]
#[track_caller]
pub fn print_left_out(module: &str, reason: &str) {
    assert!(reason.len() > 3, "{module} is left out for a reason");
    // In one write, since others print, too. A test does not fail for what it cannot print.
    let line = format!("left out | {module} | {reason}\n");
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

fn find(group: &str, name: &str) -> Option<Check> {
    super::checks().into_iter().find(|check| check.group == group && check.name == name)
}
