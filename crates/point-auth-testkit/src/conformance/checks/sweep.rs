//! The sweep, as checks: a sign-in is cut after every byte, or falls silent.

use std::env;
use std::io::{self, Write};

use crate::conformance::bench::Bench;
use crate::conformance::sweep::{Means, SweepExtent, SweptConnection, sweep_on};
use crate::conformance::violation::{Outcome, Rule};

/// What a cut may break first. Each violation names its own.
pub(in crate::conformance) const RULE: Rule = Rule::Kinds;

pub(in crate::conformance) fn a_cut_after_any_byte_is_an_error_or_a_whole_answer(
    bench: &Bench<'_>,
) -> Outcome {
    run(bench, SweptConnection::New, Means::End)
}

pub(in crate::conformance) fn a_cut_after_any_byte_of_a_kept_connection_is_an_error_or_a_whole_answer(
    bench: &Bench<'_>,
) -> Outcome {
    run(bench, SweptConnection::Kept, Means::End)
}

pub(in crate::conformance) fn silence_in_an_exchange_meets_the_deadline(
    bench: &Bench<'_>,
) -> Outcome {
    run(bench, SweptConnection::New, Means::Silence)
}

pub(in crate::conformance) fn silence_in_an_exchange_on_a_kept_connection_meets_the_deadline(
    bench: &Bench<'_>,
) -> Outcome {
    run(bench, SweptConnection::Kept, Means::Silence)
}

/// Whether to take the time for every byte: `all`.
const EXTENT: &str = "POINT_AUTH_SWEEP";

fn run(bench: &Bench<'_>, connection: SweptConnection, means: Means) -> Outcome {
    let is_all = env::var_os(EXTENT).is_some_and(|extent| extent == "all");
    let extent = if is_all { SweepExtent::EveryByte } else { SweepExtent::Most };
    let report = sweep_on(bench, connection, extent, means)?;
    if let Some(test) = bench.test() {
        // Past the harness, which shows what a test prints only when it fails; and in one write,
        // since others print, too.
        let package = env::var("CARGO_PKG_NAME").unwrap_or_default();
        let row = format!("sweep | {package} {test} {report}\n");
        // Counts that cannot be told have been held against the contract all the same.
        let _ = io::stdout().lock().write_all(row.as_bytes());
    }
    Ok(())
}
