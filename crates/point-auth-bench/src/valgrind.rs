//! Instructions by callgrind: the program `instructions`, once with few and once with many
//! repetitions.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Returns whether valgrind is installed.
pub fn is_there() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Returns the instructions of one repetition of this case of this table.
///
/// # Errors
/// When valgrind fails, or its output cannot be parsed.
pub fn instructions(program: &Path, table: &str, case: &str) -> io::Result<f64> {
    const FEW: u64 = 200;
    // The background work of the runtime's own threads varies from run to run, and a read is short
    // enough to show it.
    let repetitions = if table == "reading" { 30_000 } else { 1_000 };
    let few = collected(program, table, case, FEW)?;
    let many = collected(program, table, case, FEW + repetitions)?;
    Ok((many as f64 - few as f64) / repetitions as f64)
}

fn collected(program: &Path, table: &str, case: &str, times: u64) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([table, case, &times.to_string()])
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    match collected.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(io::Error::other(format!(
            "callgrind of {table}, {case}: {}\n{said}",
            output.status
        ))),
    }
}
