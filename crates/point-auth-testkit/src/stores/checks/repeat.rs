//! Rule 5: a call ends, and is safe to repeat. (How long calls take is watched in every check.)

use super::super::bench::{Bench, found};
use super::super::violation::{Outcome, Rule, ensure};

pub(in super::super) const RULE: Rule = Rule::Repeat;

pub(in super::super) fn a_swap_that_is_repeated_changes_nothing_more(bench: &Bench<'_>) -> Outcome {
    let (one, other) = (bench.open()?, bench.open()?);
    let name = bench.name(&one, "jane");
    for (expected, value) in [(None, &b"first"[..]), (Some(&b"first"[..]), b"second")] {
        one.put(&name, expected, value)?;
        for store in [&one, &other] {
            // Whether it says that it was done is its own affair: it was.
            store.swap(&name, expected, value)?;
            let read = store.value(&name)?;
            let there = found(read.as_deref());
            ensure!(read.as_deref() == Some(value), "a repeated swap has left {there}");
        }
    }
    Ok(())
}

pub(in super::super) fn a_swap_that_is_repeated_late_undoes_nothing(bench: &Bench<'_>) -> Outcome {
    let (one, other) = (bench.open()?, bench.open()?);
    let name = bench.name(&one, "jane");
    one.put(&name, None, b"first")?;
    one.put(&name, Some(b"first"), b"second")?;
    other.put(&name, Some(b"second"), b"third")?;
    let late = one.swap(&name, Some(b"first"), b"second")?;
    let read = other.value(&name)?;
    let there = found(read.as_deref());
    ensure!(read.as_deref() == Some(b"third"), "a swap that was repeated late has left {there}");
    ensure!(!late.done, "a swap that was repeated late says that it was done");
    Ok(())
}
