//! Rule 1: a swap is atomic, and compares all of the value.

use point_auth_store::EntryName;

use super::super::bench::{Bench, Handle, found, shown};
use super::super::violation::{Outcome, Rule, Violation, ensure};

pub(in super::super) const RULE: Rule = Rule::Swap;

const AT_ONCE: usize = 8;

pub(in super::super) fn none_is_expected_only_of_what_is_missing(bench: &Bench<'_>) -> Outcome {
    let (one, other) = (bench.open()?, bench.open()?);
    let name = bench.name(&one, "jane");
    one.put(&name, None, b"first")?;
    for store in [&one, &other] {
        let again = store.swap(&name, None, b"second")?;
        ensure!(!again.done, "a swap that expects nothing was done where there was a value");
        is_still(store, &name, Some(b"first"))?;
    }
    Ok(())
}

pub(in super::super) fn a_wrong_expected_value_changes_nothing(bench: &Bench<'_>) -> Outcome {
    let (one, other) = (bench.open()?, bench.open()?);
    let name = bench.name(&one, "jane");
    let value = b"Value\0with\xffbytes";
    one.put(&name, None, value)?;
    let wrong: [&[u8]; 9] = [
        b"",
        b"other",
        b"Value",
        b"Value\0with\xffbyte",
        b"Value\0with\xffbytes ",
        b"Value\0with\xffbytex",
        b"xalue\0with\xffbytes",
        b"value\0with\xffbytes",
        b"Value\0with\xfebytes",
    ];
    for expected in wrong {
        for store in [&one, &other] {
            let swapped = store.swap(&name, Some(expected), b"changed")?;
            let (expected, there) = (shown(expected), shown(value));
            ensure!(!swapped.done, "a swap that expects {expected} was done where {there} was");
            is_still(store, &name, Some(value))?;
        }
    }
    one.put(&name, Some(value), b"changed")
}

pub(in super::super) fn a_value_is_not_expected_of_what_is_missing(bench: &Bench<'_>) -> Outcome {
    let store = bench.open()?;
    let name = bench.name(&store, "jane");
    for expected in [&b""[..], b"value"] {
        let swapped = store.swap(&name, Some(expected), b"changed")?;
        let expected = shown(expected);
        ensure!(!swapped.done, "a swap that expects {expected} was done where nothing was");
        is_still(&store, &name, None)?;
    }
    Ok(())
}

pub(in super::super) fn of_many_that_expect_one_value_one_is_done(bench: &Bench<'_>) -> Outcome {
    for round in 0..10 {
        let store = bench.open()?;
        let name = bench.name(&store, &format!("round-{round}"));
        store.put(&name, None, b"start")?;
        one_is_done(bench, &name, Some(b"start"))?;
    }
    Ok(())
}

pub(in super::super) fn of_many_that_create_a_value_one_is_done(bench: &Bench<'_>) -> Outcome {
    for round in 0..10 {
        let name = bench.name(&bench.open()?, &format!("round-{round}"));
        one_is_done(bench, &name, None)?;
    }
    Ok(())
}

pub(in super::super) fn no_write_is_lost_under_contention(bench: &Bench<'_>) -> Outcome {
    const TIMES: u64 = 25;
    let name = bench.name(&bench.open()?, "counter");
    bench.at_once(AT_ONCE, |_, store| (0..TIMES).try_for_each(|_| add_one(&store, &name)))?;
    let value = bench.open()?.value(&name)?;
    let count = number(value.as_deref())?;
    let all = TIMES * AT_ONCE as u64;
    ensure!(count == all, "of {all} swaps that were done, {count} are in the value");
    Ok(())
}

fn one_is_done(bench: &Bench<'_>, name: &EntryName, expected: Option<&[u8]>) -> Outcome {
    let done = bench.at_once(AT_ONCE, |number, store| {
        Ok(store.swap(name, expected, format!("of {number}").as_bytes())?.done)
    })?;
    let winners: Vec<_> =
        done.iter().enumerate().filter(|(_, done)| **done).map(|(number, _)| number).collect();
    let [winner] = winners.as_slice() else {
        let count = winners.len();
        return Err(Violation::new(format!("of {AT_ONCE} swaps at once, {count} were done")));
    };
    is_still(&bench.open()?, name, Some(format!("of {winner}").as_bytes()))
}

fn is_still(store: &Handle, name: &EntryName, expected: Option<&[u8]>) -> Outcome {
    let value = store.value(name)?;
    let (there, expected_there) = (found(value.as_deref()), found(expected));
    ensure!(value.as_deref() == expected, "there is {there} in place of {expected_there}");
    Ok(())
}

/// Adds one to a number, as often as other threads come in between.
pub(super) fn add_one(store: &Handle, name: &EntryName) -> Outcome {
    /// Far more often than others can come in between.
    const MOST: usize = 100_000;
    for _ in 0..MOST {
        let old = store.value(name)?;
        let next = number(old.as_deref())?.saturating_add(1);
        if store.swap(name, old.as_deref(), &next.to_be_bytes())?.done {
            return Ok(());
        }
    }
    Err(Violation::new(format!("{MOST} swaps in a row were not done")))
}

pub(super) fn number(value: Option<&[u8]>) -> Result<u64, Violation> {
    let Some(value) = value else { return Ok(0) };
    let bytes = value.try_into();
    bytes
        .map(u64::from_be_bytes)
        .map_err(|_| Violation::of(Rule::Values, format!("a number is read as {}", shown(value))))
}
