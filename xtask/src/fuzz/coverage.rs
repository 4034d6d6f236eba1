//! Which lines of core the corpora reach: the test that runs the targets over them, built to count,
//! and `cov`, which reads what it has counted (of the package `llvm_profparser`; Rust's own reader
//! is a component that not every installation has).

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::figures::{Figures, Stamp};
use crate::markdown::{Table, bold};
use crate::run::{self, Failure, cargo};
use crate::workspace::Workspace;

/// The section of the recorded figures.
pub(crate) const SECTION: &str = "lines";

const CORE: &str = "crates/point-auth-core/";
const TEST: &str = "corpus";

/// By file, from core's folder.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lines {
    reached: u64,
    all: u64,
}

/// Builds, runs and reads, and records what came of it if that is wanted.
pub(crate) fn coverage(record: bool) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    if !run::succeeds("cov", &["show", "--help"]) {
        let what = "`cov` is not installed; `cargo install llvm_profparser --locked` does that";
        return Err(Failure::new(what));
    }
    let target = workspace.target.join("fuzz-coverage");
    let profile = target.join("corpus.profraw");
    let manifest = workspace.root.join(super::FUZZ).join("Cargo.toml");
    let mut build =
        cargo(["test", "--locked", "--test", TEST, "--no-run", "--message-format", "json"]);
    build.arg("--manifest-path").arg(manifest).env("CARGO_TARGET_DIR", &target);
    // Functions that nobody calls are to be counted, too.
    build.env("RUSTFLAGS", "-Cinstrument-coverage -Clink-dead-code");
    // What cargo builds and runs on the way is no part of it.
    build.env("LLVM_PROFILE_FILE", target.join("build.profraw"));
    let program = program_of(&String::from_utf8_lossy(&run::output(&mut build)?))
        .ok_or_else(|| Failure::new("cargo names no program of the test"))?;
    run::run(Command::new(&program).env("LLVM_PROFILE_FILE", &profile))?;
    let shown = run::output(
        Command::new("cov")
            .args(["show", "--instr-profile"])
            .arg(&profile)
            .arg("--object")
            .arg(program),
    )?;
    fs::remove_file(&profile)
        .map_err(|error| Failure::new(format!("{}: {error}", profile.display())))?;
    let core = workspace.root.join(CORE);
    let lines =
        lines_of(&String::from_utf8_lossy(&shown), &format!("{}/", core.join("src").display()));
    if lines.is_empty() {
        return Err(Failure::new("`cov` shows no file of core"));
    }
    let mut figures = Figures::read(&workspace.root, super::FIGURES)?;
    let stamp = Stamp::now(&workspace.root);
    figures.keep(SECTION, |_| false);
    for (file, lines) in &lines {
        let row = [("reached", json!(lines.reached)), ("lines", json!(lines.all))];
        figures.record(SECTION, file, &row, &stamp);
    }
    println!("\n{}", table(&figures));
    if record { figures.write() } else { Ok(()) }
}

/// The test's program, out of what cargo says as JSON.
fn program_of(messages: &str) -> Option<String> {
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = artifacts.filter_map(|artifact| {
        let is_test = artifact.get("target")?.get("name")? == TEST;
        is_test.then(|| artifact.get("executable")?.as_str().map(str::to_owned))?
    });
    programs.next()
}

/// The lines of code by file: behind a file's path, `number| times|code` for each line, and no
/// times if it is none.
fn lines_of(shown: &str, folder: &str) -> BTreeMap<String, Lines> {
    let mut files: BTreeMap<String, Lines> = BTreeMap::new();
    let mut file = None;
    for line in shown.lines() {
        let mut fields = line.splitn(3, '|');
        let number = fields.next().unwrap_or_default().trim();
        if number.is_empty() || number.bytes().any(|byte| !byte.is_ascii_digit()) {
            // A path, or the empty line behind a file.
            if !line.is_empty() {
                file = line.strip_prefix(folder).map(|path| path.replace('\\', "/"));
            }
            continue;
        }
        let times = fields.next().and_then(|times| times.trim().parse::<u64>().ok());
        if let (Some(file), Some(times)) = (&file, times) {
            let lines = files.entry(file.clone()).or_default();
            lines.all += 1;
            lines.reached += u64::from(times > 0);
        }
    }
    files
}

/// The recorded figures, as a table.
pub(crate) fn table(figures: &Figures) -> String {
    let mut table = Table::new(&["file of core", "recorded", "lines", "reached", "%"], 2);
    for (file, row) in figures.rows(SECTION) {
        let (of_file, lines) = (row.number("reached"), row.number("lines"));
        let cells = [format!("`{file}`"), row.recorded(), lines.to_string(), of_file.to_string()];
        table.row(&[cells.as_slice(), &[percent(of_file, lines)]].concat());
    }
    let (reached, all) = totals(figures);
    let sums = [bold(&all.to_string()), bold(&reached.to_string()), bold(&percent(reached, all))];
    table.row(&[[bold("all"), String::new()].as_slice(), &sums].concat());
    table.text().to_owned()
}

/// How many lines are reached, and how many there are.
pub(crate) fn totals(figures: &Figures) -> (u64, u64) {
    let sum = |key| figures.rows(SECTION).map(|(_, row)| row.number(key)).sum();
    (sum("reached"), sum("lines"))
}

/// Rounded down, so that 100 means all.
fn percent(part: u64, all: u64) -> String {
    (part * 100).checked_div(all).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_by_file_of_core_and_lines_without_code_are_none() {
        let shown = "/elsewhere/http/src/lib.rs\n    1|      5|fn a() {}\n\n\
                     /work/core/src/a/b.rs\n    1|       |//! a|b\n    2|      1|fn a(b: u8) -> u8 {\n    3|      0|    b | 1\n\
                     \n/work/core/src/c.rs\n    1|     17|fn c() {}\n";
        let lines = lines_of(shown, "/work/core/src/");
        let expected =
            [("a/b.rs", Lines { reached: 1, all: 2 }), ("c.rs", Lines { reached: 1, all: 1 })];
        assert_eq!(lines, expected.map(|(file, lines)| (file.to_owned(), lines)).into());
    }

    #[test]
    fn the_program_is_the_tests_own() {
        let messages = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"answers\"},\"executable\":\"/a\"}\nno JSON\n\
                        {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"corpus\"},\"executable\":\"/b\"}\n\
                        {\"reason\":\"build-finished\"}\n";
        assert_eq!(program_of(messages).as_deref(), Some("/b"));
        assert_eq!(program_of("{}"), None);
    }

    #[test]
    fn the_table_has_the_sums() {
        let mut figures = Figures::default();
        for (file, reached) in [("a.rs", 1), ("b.rs", 4)] {
            let row = [("reached", json!(reached)), ("lines", json!(4))];
            figures.record(SECTION, file, &row, &Stamp::default());
        }
        let table = table(&figures);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        let expected = [
            "| `a.rs` | ,  | 4 | 1 | 25 |",
            "| `b.rs` | ,  | 4 | 4 | 100 |",
            "| **all** |  | **8** | **5** | **62** |",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn nearly_all_is_not_all() {
        assert_eq!(
            [(999, 1000), (5, 5), (0, 0)].map(|(part, all)| percent(part, all)),
            ["99", "100", "0"]
        );
    }
}
