//! `counting core|reading|fleet|stampede` and `counting loopback BASE_URL [CA]`: the heap use of
//! each row, as a JSON object. It is a separate program, so that its allocator does not slow down
//! the timed code.

use std::alloc::System;
use std::collections::BTreeMap;
use std::env;
use std::process::ExitCode;

use point_auth_bench::measure::{Case, heap};
use point_auth_bench::stampede::{bytes_of_a_bare_task, contestants};
use point_auth_bench::{core, fleet, loopback, reading};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Counts = BTreeMap<String, [f64; 2]>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut counts = Counts::new();
    match arguments.as_slice() {
        ["core"] => {
            for (table, cases) in core::tables() {
                count(&mut counts, table, &cases);
            }
        }
        ["reading"] => count(&mut counts, "reading", &reading::cases()),
        ["fleet"] => count(&mut counts, "fleet", &fleet::readers()),
        ["stampede"] => {
            // The bare tasks first: timers of the others are freed by their own thread.
            counts.insert("bare".to_owned(), [0.0, bytes_of_a_bare_task(10_000, ALLOCATOR)]);
            for contestant in contestants() {
                let bytes = (contestant.bytes_of_a_caller)(10_000, ALLOCATOR);
                counts.insert(contestant.name.to_owned(), [0.0, bytes]);
            }
            for callers in [100, 1_000, 100_000] {
                let bytes = (contestants()[0].bytes_of_a_caller)(callers, ALLOCATOR);
                counts.insert(callers.to_string(), [0.0, bytes]);
            }
        }
        ["loopback", base_url, authority @ ..] => {
            let authority = authority.first().map(|pem| (*pem).to_owned());
            let target = loopback::Target { base_url: (*base_url).to_owned(), authority };
            for pair in loopback::pairs(&target) {
                let (by_hand, ours) = pair.heap(&target, ALLOCATOR);
                counts.insert(
                    format!("{}, by hand", pair.name),
                    [by_hand.allocations, by_hand.bytes],
                );
                counts.insert(format!("{}, ours", pair.name), [ours.allocations, ours.bytes]);
            }
        }
        _ => {
            eprintln!(
                "usage: counting core|reading|fleet|stampede, or counting loopback BASE_URL [CA]"
            );
            return ExitCode::from(2);
        }
    }
    println!("{}", serde_json::to_string(&counts).unwrap());
    ExitCode::SUCCESS
}

fn count(counts: &mut Counts, table: &str, cases: &[Case]) {
    for case in cases {
        let heap = heap(case, ALLOCATOR);
        counts.insert(format!("{table}, {}", case.name), [heap.allocations, heap.bytes]);
    }
}
