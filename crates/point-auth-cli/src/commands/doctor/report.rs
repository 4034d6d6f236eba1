//! [`Report`]: the steps of an examination, printed as they end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Stop;
use crate::failure::{Failure, Result, one_line};
use crate::output::{self, Color};

/// What a step has found.
pub(super) struct Finding {
    is_warning: bool,
    detail: String,
    fix: Option<String>,
}

impl Finding {
    pub(super) fn ok(detail: String) -> Self {
        Self { is_warning: false, detail, fix: None }
    }

    pub(super) fn warning(detail: String) -> Self {
        Self { is_warning: true, detail, fix: None }
    }

    pub(super) fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// The steps so far.
pub(super) struct Report {
    as_json: bool,
    steps: Vec<serde_json::Value>,
    /// That of the first step that failed.
    failure: Option<Failure>,
}

impl Report {
    pub(super) const fn new(as_json: bool) -> Self {
        Self { as_json, steps: Vec::new(), failure: None }
    }

    /// Runs a step whose result is needed to go on.
    pub(super) fn step<T>(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> Result<(Finding, T)>,
    ) -> Result<T, Stop> {
        let started = Instant::now();
        let result = step();
        let took = started.elapsed();
        match result {
            Ok((finding, value)) => {
                let (state, color) = match finding.is_warning {
                    false => ("ok", Color::Green),
                    true => ("warning", Color::Yellow),
                };
                let fix = finding.fix.as_deref();
                self.add(name, (state, color), &finding.detail, fix, took)?;
                Ok(value)
            }
            Err(failure) => {
                let state = ("failed", Color::Red);
                self.add(name, state, failure.message(), failure.hint(), took)?;
                self.failure.get_or_insert(failure);
                Err(Stop::Step)
            }
        }
    }

    /// Runs a step that the others do without.
    pub(super) fn check(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> Result<Finding>,
    ) -> Result<(), Stop> {
        match self.step(name, || Ok((step()?, ()))) {
            Err(Stop::Output(failure)) => Err(Stop::Output(failure)),
            Err(Stop::Step) | Ok(()) => Ok(()),
        }
    }

    fn add(
        &mut self,
        name: &'static str,
        (state, color): (&'static str, Color),
        detail: &str,
        fix: Option<&str>,
        took: Duration,
    ) -> Result<(), Stop> {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        if self.as_json {
            self.steps.push(json!({
                "name": name,
                "state": state,
                "detail": detail,
                "fix": fix,
                "milliseconds": millis,
            }));
            return Ok(());
        }
        let shown = output::paint(color, &format!("{state:<7}"));
        let mut lines = format!("{shown} {millis:>6} ms  {name:<13} {}\n", one_line(detail));
        if let Some(fix) = fix {
            lines.push_str(&format!("{:33}fix: {}\n", "", one_line(fix)));
        }
        output::print(&lines).map_err(Stop::Output)
    }

    pub(super) fn to_json(&self) -> String {
        let report = json!({
            "version": 1,
            "ok": self.failure.is_none(),
            "steps": self.steps,
        });
        format!("{report}\n")
    }

    pub(super) fn exit(&self) -> ExitCode {
        self.failure.as_ref().map_or(ExitCode::SUCCESS, |failure| failure.exit().into())
    }
}
