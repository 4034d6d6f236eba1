//! `budget [--write]`: measures the reproducible figures, and compares them with `budget.toml` or
//! rewrites it. A line that begins with `left out: ` names a figure that cannot be measured here.

use std::alloc::System;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use point_auth_bench::budget::{Budget, crates};
use point_auth_bench::measure::{Case, heap};
use point_auth_bench::ours::Ours;
use point_auth_bench::stampede::{Contestant, bytes_of_a_bare_task};
use point_auth_bench::{core, exchange, reading, valgrind};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    match run(env::args().nth(1).as_deref() == Some("--write")) {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            for complaint in complaints {
                eprintln!("error: {complaint}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(write: bool) -> Result<Vec<String>, Box<dyn Error>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = workspace.join("budget.toml");
    let measured = measure(workspace)?;
    if write {
        if measured.instructions.is_empty() {
            return Err("without valgrind the instructions would be lost".into());
        }
        fs::write(&file, measured.to_toml())?;
        return Ok(measured.dear_telemetry());
    }
    let budget: Budget = toml::from_str(&fs::read_to_string(file)?)?;
    if !measured.instructions.is_empty() && budget.rustc != measured.rustc {
        println!("left out: instructions, since the budget was made by {}", budget.rustc);
    }
    let mut complaints = budget.complaints(&measured);
    complaints.extend(measured.dear_telemetry());
    Ok(complaints)
}

fn measure(workspace: &Path) -> Result<Budget, Box<dyn Error>> {
    let rustc = Command::new("rustc").arg("--version").output()?;
    let mut budget = Budget {
        rustc: String::from_utf8_lossy(&rustc.stdout).trim().to_owned(),
        ..Budget::default()
    };
    let has_valgrind = valgrind::is_there();
    if !has_valgrind {
        println!("left out: instructions, since valgrind is not installed");
    }
    let instructions = program("")?;
    for (table, cases) in tables() {
        for case in cases.iter().filter(|case| case.name.starts_with("point-auth")) {
            let name = format!("{table}, {}", case.name);
            budget.allocations.insert(name.clone(), heap(case, ALLOCATOR).allocations);
            if has_valgrind {
                let count = valgrind::instructions(&instructions, table, &case.name)?;
                budget.instructions.insert(name.clone(), count);
                if ["exchange", "reading"].contains(&table) {
                    for feature in exchange::TELEMETRY {
                        let program = program(&format!("-{feature}"))?;
                        let count = valgrind::instructions(&program, table, &case.name)?;
                        budget.instructions.insert(format!("{name}, with {feature}"), count);
                    }
                }
            }
        }
    }
    // The bare tasks first: timers of the others are freed by their own thread at an unknown time.
    let bare = bytes_of_a_bare_task(10_000, ALLOCATOR);
    let waiting = (Contestant::of::<Ours>().bytes_of_a_caller)(10_000, ALLOCATOR);
    budget.bytes =
        BTreeMap::from([("waiting for a token, beyond a bare task".to_owned(), waiting - bare)]);
    for client in ["hyper", "reqwest", "ureq"] {
        let by_hand = crates(workspace, "weight-by-hand", client)?;
        let with_point_auth = crates(workspace, "weight-with-point-auth", client)?;
        let more = with_point_auth.len() as f64 - by_hand.len() as f64;
        budget.crates.insert(client.to_owned(), more);
    }
    Ok(budget)
}

fn tables() -> Vec<(&'static str, Vec<Case>)> {
    let mut tables = core::tables();
    tables.push(("reading", reading::cases()));
    tables.push(("exchange", exchange::cases()));
    tables
}

/// Returns the program `instructions` next to this one, built with the features of this suffix.
fn program(suffix: &str) -> Result<PathBuf, Box<dyn Error>> {
    let name = format!("instructions{suffix}{}", env::consts::EXE_SUFFIX);
    Ok(env::current_exe()?.with_file_name(name))
}
