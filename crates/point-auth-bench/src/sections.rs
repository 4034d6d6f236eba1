//! The sections of the page, with their measurements and tables.

mod fleet;
mod loopback;
mod stampede;
mod weight;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, error, io};

use crate::figures::{Chart, Table, number, times};
use crate::measure::{Case, nanoseconds, nanoseconds_of_two_threads};
use crate::{core, reading, valgrind};

type Failure = Box<dyn error::Error>;

/// One section.
pub struct Section {
    /// The name on the command line.
    pub name: &'static str,
    /// Whether it takes many minutes, and so runs only if it is named.
    pub only_if_named: bool,
    /// Measures it. The argument is the folder of this workspace.
    pub measure: fn(&Path) -> Result<Vec<Table>, Failure>,
}

/// All sections, in the order of the page.
pub const ALL: [Section; 6] = [
    Section { name: "core", only_if_named: false, measure: core_tables },
    Section { name: "reading", only_if_named: false, measure: reading_tables },
    Section { name: "stampede", only_if_named: false, measure: stampede::tables },
    Section { name: "fleet", only_if_named: false, measure: fleet::tables },
    Section { name: "loopback", only_if_named: false, measure: loopback::tables },
    Section { name: "weight", only_if_named: true, measure: weight::tables },
];

/// Returns the program next to this one.
fn beside(name: &str) -> io::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(format!("{name}{}", env::consts::EXE_SUFFIX)))
}

/// Returns the output of the counting program: allocations and bytes, by name.
fn counted(arguments: &[&str]) -> Result<BTreeMap<String, [f64; 2]>, Failure> {
    let output = Command::new(beside("counting")?).args(arguments).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Returns a dash without valgrind.
fn instructions(table: &str, case: &Case) -> Result<String, Failure> {
    match valgrind::is_there() {
        true => Ok(number(valgrind::instructions(&beside("instructions")?, table, &case.name)?)),
        false => Ok("–".to_owned()),
    }
}

fn core_tables(_: &Path) -> Result<Vec<Table>, Failure> {
    let counts = counted(&["core"])?;
    let mut tables = Vec::new();
    for (name, cases) in core::tables() {
        let times_taken = nanoseconds(&cases);
        let title = match name {
            "build" => "Building the request of a sign-in",
            "both" => "Both: building the request and reading a 200",
            "read a 200" => "Reading a 200",
            _ => "Reading a 403",
        };
        let mut table =
            Table::new(title, &["", "ns", "× by hand", "allocations", "bytes", "instructions"]);
        for (case, &ns) in cases.iter().zip(&times_taken) {
            let [allocations, bytes] = counts[&format!("{name}, {}", case.name)];
            table.push([
                case.name.clone(),
                number(ns),
                times(ns, times_taken[0]),
                number(allocations),
                number(bytes),
                instructions(name, case)?,
            ]);
        }
        if name == "both" {
            table.chart = Some(Chart {
                file: "core".to_owned(),
                title: "Building a request and reading its answer, nanoseconds".to_owned(),
                bars: bars(&cases, &times_taken),
            });
        }
        tables.push(table);
    }
    Ok(tables)
}

fn bars(cases: &[Case], values: &[f64]) -> Vec<(String, f64)> {
    cases.iter().zip(values).map(|(case, &value)| (case.name.clone(), value)).collect()
}

fn reading_tables(_: &Path) -> Result<Vec<Table>, Failure> {
    let counts = counted(&["reading"])?;
    let cases = reading::cases();
    let (alone, together) = (nanoseconds(&cases), nanoseconds_of_two_threads(&cases));
    let head = [
        "",
        "one thread, ns",
        "× ArcSwap",
        "two threads, ns",
        "× ArcSwap",
        "allocations",
        "instructions",
    ];
    let mut table = Table::new("Reading a token that is good", &head);
    for (position, case) in cases.iter().enumerate() {
        let [allocations, _] = counts[&format!("reading, {}", case.name)];
        table.push([
            case.name.clone(),
            number(alone[position]),
            times(alone[position], alone[0]),
            number(together[position]),
            times(together[position], together[0]),
            number(allocations),
            instructions("reading", case)?,
        ]);
    }
    table.chart = Some(Chart {
        file: "reading".to_owned(),
        title: "Reading a token that is good, nanoseconds, one thread".to_owned(),
        bars: bars(&cases, &alone),
    });
    Ok(vec![table])
}
