//! The budget: reproducible figures, compared with a file so that no regression goes unnoticed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::{env, io};

use serde::Deserialize;

use crate::exchange;

/// How far instructions may be off.
const TOLERANCE: f64 = 0.05;

/// The file, or measured figures to compare with it. Each kind is a map by the names of its
/// figures.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The compiler of the instruction counts. Counts of another compiler are not compared.
    pub rustc: String,
    /// Heap blocks per repetition. Exact.
    pub allocations: BTreeMap<String, f64>,
    /// Heap bytes. Within 2 %: a few depend on the allocator and on tokio.
    pub bytes: BTreeMap<String, f64>,
    /// Crates in addition to those of the program by hand. Exact.
    pub crates: BTreeMap<String, f64>,
    /// Instructions per repetition. Within 5 %.
    #[serde(default)]
    pub instructions: BTreeMap<String, f64>,
}

impl Budget {
    /// Returns a complaint for each figure that is off, in either direction. An improvement must be
    /// recorded too, or it can be lost unnoticed.
    pub fn complaints(&self, measured: &Self) -> Vec<String> {
        let mut complaints = Vec::new();
        let same_compiler = self.rustc == measured.rustc && !measured.instructions.is_empty();
        let no_instructions = BTreeMap::new();
        let instructions = if same_compiler { &self.instructions } else { &no_instructions };
        let measured_instructions =
            if same_compiler { &measured.instructions } else { &no_instructions };
        for (kind, tolerance, budget, measured) in [
            ("allocations", 0.0, &self.allocations, &measured.allocations),
            ("bytes", 0.02, &self.bytes, &measured.bytes),
            ("crates", 0.0, &self.crates, &measured.crates),
            ("instructions", TOLERANCE, instructions, measured_instructions),
        ] {
            let names: BTreeSet<&String> = budget.keys().chain(measured.keys()).collect();
            for name in names {
                match (budget.get(name), measured.get(name)) {
                    (Some(&budget), Some(&measured)) => {
                        if (measured - budget).abs() > budget * tolerance + 0.01 {
                            let verdict = if measured > budget { "over" } else { "below" };
                            complaints.push(format!(
                                "{kind}, {name}: {measured:.1} is {verdict} the budget of {budget:.1}"
                            ));
                        }
                    }
                    (None, _) => complaints.push(format!("{kind}, {name}: has no budget")),
                    (_, None) => complaints.push(format!("{kind}, {name}: was not measured")),
                }
            }
        }
        complaints
    }

    /// Returns a complaint for each feature that costs more than it may while nothing listens: 3 %
    /// of an exchange, and nothing that can be told when a token is read.
    pub fn dear_telemetry(&self) -> Vec<String> {
        let more = |(name, &with): (&String, &f64)| {
            let (without, _) = name.split_once(", with ")?;
            let without = *self.instructions.get(without)?;
            let most = match name.starts_with("exchange") {
                true => without * exchange::MOST_MORE,
                // Two builds of the same code differ by so much, by what the compiler inlines.
                false => without * TOLERANCE,
            };
            let is_dear = with > without + most;
            is_dear.then(|| {
                format!("instructions, {name}: {with:.1} are too many beside {without:.1}")
            })
        };
        self.instructions.iter().filter_map(more).collect()
    }

    /// Returns the content of the file.
    pub fn to_toml(&self) -> String {
        let mut text = format!(
            "# What must not get worse unseen. `cargo xtask budget` checks it, `cargo xtask budget --write` writes it anew.\n\n\
             # The compiler that made the instructions: those of another are not compared.\n\
             rustc = \"{}\"\n",
            self.rustc
        );
        for (kind, about, figures) in [
            (
                "allocations",
                "Blocks of the heap each time, those that are moved counted again.",
                &self.allocations,
            ),
            ("bytes", "Bytes of the heap, within 2 %.", &self.bytes),
            ("crates", "Crates beyond those of the same program by hand.", &self.crates),
            (
                "instructions",
                "Instructions each time by callgrind, within 5 %.",
                &self.instructions,
            ),
        ] {
            text += &format!("\n# {about}\n[{kind}]\n");
            for (name, value) in figures {
                text += &format!("\"{name}\" = {}\n", (value * 10.0).round() / 10.0);
            }
        }
        text
    }
}

/// Returns the crates, with versions, that a package of this workspace is built from for a client.
///
/// # Errors
/// When cargo fails.
pub fn crates(workspace: &Path, package: &str, client: &str) -> io::Result<BTreeSet<String>> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "tree", "--quiet", "--locked", "--edges", "normal", "--prefix", "none", "--format",
            "{p}",
        ])
        .args(["--package", package, "--features", client])
        .current_dir(workspace)
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let name_and_version = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    Ok(lines.lines().filter(|line| !line.is_empty()).map(name_and_version).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(rustc: &str, allocations: f64, instructions: f64) -> Budget {
        let of = |value| BTreeMap::from([("build".to_owned(), value)]);
        Budget {
            rustc: rustc.to_owned(),
            allocations: of(allocations),
            instructions: of(instructions),
            ..Budget::default()
        }
    }

    #[test]
    fn a_figure_that_is_off_in_either_direction_is_found() {
        let file = budget("1.95", 4.0, 1000.0);
        assert_eq!(file.complaints(&budget("1.95", 4.0, 1049.0)), [""; 0]);
        assert_eq!(file.complaints(&budget("1.95", 5.0, 1000.0)).len(), 1);
        assert_eq!(file.complaints(&budget("1.95", 3.0, 1000.0)).len(), 1);
        assert_eq!(file.complaints(&budget("1.95", 4.0, 1051.0)).len(), 1);
        assert_eq!(file.complaints(&budget("1.95", 4.0, 949.0)).len(), 1);
    }

    #[test]
    fn the_instructions_of_another_compiler_are_not_compared() {
        assert_eq!(budget("1.95", 4.0, 1000.0).complaints(&budget("1.96", 4.0, 2000.0)), [""; 0]);
    }

    #[test]
    fn a_figure_without_a_budget_and_a_budget_without_a_figure_are_found() {
        let mut other = budget("1.95", 4.0, 1000.0);
        other.allocations = BTreeMap::from([("read".to_owned(), 4.0)]);
        assert_eq!(budget("1.95", 4.0, 1000.0).complaints(&other).len(), 2);
    }

    #[test]
    fn a_feature_that_costs_too_much_is_found() {
        let of = |name: &str, without: f64, with: f64| Budget {
            instructions: BTreeMap::from([
                (format!("{name}, point-auth"), without),
                (format!("{name}, point-auth, with tracing"), with),
            ]),
            ..Budget::default()
        };
        assert_eq!(of("exchange", 1000.0, 1030.0).dear_telemetry(), [""; 0]);
        assert_eq!(of("exchange", 1000.0, 1031.0).dear_telemetry().len(), 1);
        assert_eq!(of("reading", 280.0, 293.0).dear_telemetry(), [""; 0]);
        assert_eq!(of("reading", 280.0, 295.0).dear_telemetry().len(), 1);
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let file = budget("rustc 1.95.0 (abc)", 4.0, 1000.5);
        assert_eq!(toml::from_str::<Budget>(&file.to_toml()).unwrap(), file);
    }
}
