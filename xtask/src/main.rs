//! Automation of this repository. `cargo xtask ci` checks all that has to hold before a change
//! lands, and `cargo xtask ci STEP…` only the named steps. `cargo xtask` alone lists all there is.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod bench;
mod book;
mod ci;
mod compile;
mod conformance;
mod crypto_providers;
mod dashboard;
mod features;
mod fuzz;
mod peers;
mod public_api;
mod python;
mod run;
mod tidy;
mod workspace;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    if public_api::stands_in_for_rustdoc() {
        return public_api::run_rustdoc();
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run::exit_code(match arguments.as_slice() {
        [] | ["help" | "-h" | "--help"] => {
            print!("{}", ci::usage());
            Ok(Vec::new())
        }
        ["ci", wanted @ ..] => match ci::choose(wanted) {
            Ok(steps) => return ci::run(&steps),
            Err(complaint) => return refuse(&complaint),
        },
        ["bench", "python"] => python::bench(),
        ["bench", sections @ ..] => bench::bench(sections),
        ["book", "--write"] => book::write(),
        ["budget", arguments @ ..] => bench::budget_task(arguments),
        ["conformance"] => conformance::conformance(),
        ["dashboard"] => dashboard::draw(),
        ["fuzz", "--seconds", seconds, targets @ ..] => fuzz::fuzz(seconds, targets),
        ["peers"] => peers::peers(),
        ["python"] => python::python(),
        other => return refuse(&format!("there is no task `{}`", other.join(" "))),
    })
}

fn refuse(complaint: &str) -> ExitCode {
    eprintln!("error: {complaint}\n\n{}", ci::usage());
    ExitCode::from(2)
}
