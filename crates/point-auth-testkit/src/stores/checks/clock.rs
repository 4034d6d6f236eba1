//! Rule 3: times are of one clock, which is the store's.

use std::thread;
use std::time::{Duration, Instant};

use super::super::bench::Bench;
use super::super::violation::{Outcome, Rule, ensure};

pub(in super::super) const RULE: Rule = Rule::Clock;

/// Clocks may show whole seconds.
const A_SECOND: Duration = Duration::from_secs(1);

pub(in super::super) fn every_handle_has_the_time_of_the_others(bench: &Bench<'_>) -> Outcome {
    let handles = [bench.open()?, bench.open()?, bench.open()?];
    let name = bench.name(&bench.open()?, "jane");
    let started = Instant::now();
    let mut times = Vec::new();
    for store in &handles {
        times.push(store.load(&name)?.now);
        times.push(store.swap(&name, Some(b"not there"), b"value")?.now);
    }
    let took = started.elapsed();
    let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
    let apart = last.unwrap_or_default().saturating_sub(first.unwrap_or_default());
    let most = took.saturating_add(A_SECOND);
    ensure!(apart <= most, "within {took:?}, three handles have times that are {apart:?} apart");
    Ok(())
}

pub(in super::super) fn time_does_not_go_back(bench: &Bench<'_>) -> Outcome {
    let handles = [bench.open()?, bench.open()?];
    let name = bench.name(&bench.open()?, "jane");
    let mut last = Duration::ZERO;
    let mut value: Option<Vec<u8>> = None;
    for round in 0..50 {
        for store in &handles {
            let next = format!("round {round}").into_bytes();
            for now in [
                store.load(&name)?.now,
                store.swap(&name, value.as_deref(), &next)?.now,
                store.swap(&name, Some(b"not there"), b"value")?.now,
            ] {
                ensure!(now >= last, "the time went back from {last:?} to {now:?}");
                last = now;
            }
            value = Some(next);
        }
    }
    Ok(())
}

pub(in super::super) fn time_passes_as_fast_as_here(bench: &Bench<'_>) -> Outcome {
    let (one, other) = (bench.open()?, bench.open()?);
    let name = bench.name(&one, "jane");
    let before = Instant::now();
    let first = one.load(&name)?.now;
    let after = Instant::now();
    thread::sleep(Duration::from_secs(2));
    let least = after.elapsed();
    let second = other.load(&name)?.now;
    let most = before.elapsed();
    let passed = second.saturating_sub(first);
    // A machine's clock is off by far less.
    let slack = A_SECOND.saturating_add(most / 10);
    let is_right = passed.saturating_add(slack) >= least && passed <= most.saturating_add(slack);
    ensure!(is_right, "within {most:?}, {passed:?} have passed in the store");
    Ok(())
}
