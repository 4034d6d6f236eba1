//! Rule 4: a value stays for the time that was asked for.

use std::thread;
use std::time::{Duration, Instant};

use point_auth_store::EntryName;

use super::super::bench::{Bench, Handle, found};
use super::super::violation::{Outcome, Rule, Violation, ensure};

pub(in super::super) const RULE: Rule = Rule::Kept;

const SHORT: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(60 * 60);

pub(in super::super) fn a_value_stays_as_long_as_was_asked_for(bench: &Bench<'_>) -> Outcome {
    let store = bench.open()?;
    let name = bench.name(&store, "jane");
    let asked = Duration::from_secs(1);
    let started = Instant::now();
    put_for(&store, &name, None, b"value", Some(asked))?;
    loop {
        let value = store.value(&name)?;
        let age = started.elapsed();
        if age >= asked {
            return Ok(());
        }
        let there = found(value.as_deref());
        ensure!(value.is_some(), "after {age:?} of {asked:?} there is {there}");
        thread::sleep(Duration::from_millis(20));
    }
}

pub(in super::super) fn a_value_without_a_time_stays_after_one_with_it(
    bench: &Bench<'_>,
) -> Outcome {
    outlives(bench, |store, name| {
        put_for(store, name, None, b"short", Some(SHORT))?;
        put_for(store, name, Some(b"short"), b"value", None)
    })
}

pub(in super::super) fn a_later_time_takes_the_place_of_an_earlier(bench: &Bench<'_>) -> Outcome {
    outlives(bench, |store, name| {
        put_for(store, name, None, b"short", Some(SHORT))?;
        put_for(store, name, Some(b"short"), b"value", Some(LONG))
    })
}

pub(in super::super) fn a_swap_that_is_not_done_changes_no_time(bench: &Bench<'_>) -> Outcome {
    outlives(bench, |store, name| {
        put_for(store, name, None, b"value", Some(LONG))?;
        let swapped = store.swap_for(name, Some(b"other"), b"short", Some(SHORT))?;
        ensure!(!swapped.done, "a swap that expects another value was done");
        Ok(())
    })
}

/// What is written has to be there after twice the short time.
fn outlives(
    bench: &Bench<'_>,
    write: impl FnOnce(&Handle, &EntryName) -> Result<(), Violation>,
) -> Outcome {
    let store = bench.open()?;
    let name = bench.name(&store, "jane");
    write(&store, &name)?;
    thread::sleep(SHORT.saturating_mul(2));
    let value = store.value(&name)?;
    ensure!(value.as_deref() == Some(b"value"), "it has become {}", found(value.as_deref()));
    Ok(())
}

fn put_for(
    store: &Handle,
    name: &EntryName,
    expected: Option<&[u8]>,
    value: &[u8],
    keep_for: Option<Duration>,
) -> Outcome {
    let swapped = store.swap_for(name, expected, value, keep_for)?;
    ensure!(swapped.done, "a swap that expects what is there was not done");
    Ok(())
}
