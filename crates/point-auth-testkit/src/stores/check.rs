//! [`Check`]: one check with its name and rule. [`Report`]: what all of them found.

use std::fmt;

use super::bench::Bench;
use super::candidate::Candidate;
use super::violation::{Outcome, Rule, Violation};

/// One check of one rule, in one group.
#[derive(Clone, Copy)]
pub struct Check {
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    pub(super) rule: Rule,
    pub(super) run: fn(&Bench<'_>) -> Outcome,
}

impl Check {
    /// The group it is in; groups can be [left out](Candidate::without).
    #[must_use]
    pub const fn group(&self) -> &'static str {
        self.group
    }

    /// Its name, which the test that runs it has, too.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The rule it is about. It may come upon a violation of another one.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// Holds a store against it.
    ///
    /// # Errors
    /// The [`Violation`] that was found first.
    pub fn run(&self, candidate: &Candidate) -> Result<(), Violation> {
        let bench = Bench::new(candidate)?;
        (self.run)(&bench).map_err(|violation| violation.or_of(self.rule))
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{} ({})", self.group, self.name, self.rule)
    }
}

/// What became of each check. `Display` has a line for each.
#[derive(Debug)]
#[must_use]
pub struct Report {
    lines: Vec<(Check, Found)>,
}

#[derive(Debug)]
enum Found {
    Kept,
    LeftOut,
    Broken(Violation),
}

impl Report {
    pub(super) fn of(candidate: &Candidate, checks: Vec<Check>) -> Self {
        let lines = checks.into_iter().map(|check| {
            let found = if candidate.leaves_out(check.group) {
                Found::LeftOut
            } else {
                check.run(candidate).map_or_else(Found::Broken, |()| Found::Kept)
            };
            (check, found)
        });
        Self { lines: lines.collect() }
    }

    /// The checks that have found something wrong, each with what it was.
    pub fn broken(&self) -> impl Iterator<Item = (&Check, &Violation)> {
        self.lines.iter().filter_map(|(check, found)| match found {
            Found::Broken(violation) => Some((check, violation)),
            Found::Kept | Found::LeftOut => None,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, found) in &self.lines {
            let found = match found {
                Found::Kept => "kept".to_owned(),
                Found::LeftOut => "left out".to_owned(),
                Found::Broken(violation) => format!("BROKEN\n  {violation}"),
            };
            writeln!(f, "{}::{}: {found}", check.group, check.name)?;
        }
        Ok(())
    }
}

/// Runs the check of this name; for [`store_conformance!`](crate::store_conformance!).
///
/// # Panics
/// With the violation, if there is one: that is how a test fails.
#[doc(hidden)]
#[track_caller]
#[expect(clippy::panic, reason = "a test fails by panicking")]
pub fn run_test(candidate: &Candidate, group: &str, name: &str) {
    let mut checks = super::checks().into_iter();
    let Some(check) = checks.find(|check| check.group == group && check.name == name) else {
        panic!("there is no check {group}::{name}");
    };
    if let Err(violation) = check.run(candidate) {
        panic!("{violation}");
    }
}
