//! `instructions TABLE CASE TIMES`: repeats one case, for callgrind to count.

use std::env;
use std::process::ExitCode;

use point_auth_bench::measure::Case;
use point_auth_bench::{core, exchange, reading};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [table, case, times] = arguments.as_slice() else { return usage() };
    let cases = match table.as_str() {
        "reading" => reading::cases(),
        "exchange" => exchange::cases(),
        #[cfg(feature = "peers")]
        "fleet" => point_auth_bench::fleet::readers(),
        name => core::tables().into_iter().find(|(table, _)| *table == name).unwrap_or_default().1,
    };
    let case = cases.iter().find(|one: &&Case| one.name == *case);
    let (Some(case), Ok(times)) = (case, times.parse()) else { return usage() };
    case.repeat(times);
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: instructions TABLE CASE TIMES");
    ExitCode::from(2)
}
