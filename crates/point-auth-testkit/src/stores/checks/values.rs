//! A value is read as it was written, and under no other name.

use point_auth_core::BaseUrl;
use point_auth_store::TokenStore;

use super::super::bench::{Bench, Handle, found, shown};
use super::super::violation::{Outcome, Rule, ensure};

pub(in super::super) const RULE: Rule = Rule::Values;

pub(in super::super) fn a_missing_value_is_none(bench: &Bench<'_>) -> Outcome {
    let store = bench.open()?;
    let value = store.value(&bench.name(&store, "missing"))?;
    ensure!(value.is_none(), "under a new name there is {}", found(value.as_deref()));
    Ok(())
}

pub(in super::super) fn what_was_written_is_read(bench: &Bench<'_>) -> Outcome {
    is_kept(bench, &bench.open()?, b"a value")
}

pub(in super::super) fn every_byte_is_kept(bench: &Bench<'_>) -> Outcome {
    let store = bench.open()?;
    let all: Vec<u8> = (0..=u8::MAX).collect();
    is_kept(bench, &store, &all)?;
    for byte in [0, b'\n', b'\r', b' ', b'"', b'\'', b'\\', b'%', 0x7f, 0x80, 0xff] {
        is_kept(bench, &store, &[byte])?;
        is_kept(bench, &store, &[byte, b'a', byte])?;
    }
    Ok(())
}

pub(in super::super) fn values_of_many_sizes_are_kept(bench: &Bench<'_>) -> Outcome {
    let store = bench.open()?;
    for size in [1, 2, 255, 256, 4095, 4096, 65_535, 65_536] {
        // Not one byte all over, which compression would hide.
        let value: Vec<u8> = (0..size).map(|place: u32| (place % 251).to_be_bytes()[3]).collect();
        is_kept(bench, &store, &value)?;
    }
    Ok(())
}

pub(in super::super) fn a_value_of_no_bytes_is_a_value(bench: &Bench<'_>) -> Outcome {
    let store = bench.open()?;
    let name = bench.name(&store, "empty");
    store.put(&name, None, b"")?;
    let value = store.value(&name)?;
    ensure!(value.as_deref() == Some(b""), "it is read as {}", found(value.as_deref()));
    let again = store.swap(&name, None, b"other")?;
    ensure!(!again.done, "a value of no bytes counts as missing");
    store.put(&name, Some(b""), b"other")
}

pub(in super::super) fn names_that_differ_do_not_mix(bench: &Bench<'_>) -> Outcome {
    let store = bench.open()?;
    let (seals, base) = (store.store.seals(), BaseUrl::production());
    let (jane, john) = (bench.username("jane"), bench.username("john"));
    let names = [
        seals.login_name(&base, &jane),
        seals.alias_name(&base, &jane, None),
        seals.alias_name(&base, &jane, Some("ann")),
        seals.alias_name(&base, &jane, Some("bob")),
        seals.login_name(&base, &john),
        seals.alias_name(&base, &john, None),
        seals.alias_name(&base, &john, Some("ann")),
    ];
    for name in &names {
        store.put(name, None, name.to_string().as_bytes())?;
    }
    // Changing one leaves the others.
    if let Some(first) = names.first() {
        store.put(first, Some(first.to_string().as_bytes()), b"changed")?;
    }
    for name in names.iter().skip(1) {
        let value = store.value(name)?;
        let is_own = value.as_deref() == Some(name.to_string().as_bytes());
        ensure!(is_own, "under {name} there is {}", found(value.as_deref()));
    }
    Ok(())
}

pub(in super::super) fn every_handle_has_the_names_of_the_others(bench: &Bench<'_>) -> Outcome {
    let (one, other) = (bench.open()?, bench.open()?);
    let is_equal = bench.name(&one, "jane") == bench.name(&other, "jane");
    ensure!(is_equal, "two handles have different names for one login: their keys differ");
    Ok(())
}

/// Written by one handle, and read and compared by another.
fn is_kept(bench: &Bench<'_>, store: &Handle, value: &[u8]) -> Outcome {
    let name = bench.name(store, &format!("value-{}-{:02x?}", value.len(), value.first()));
    store.put(&name, store.value(&name)?.as_deref(), value)?;
    let other = bench.open()?;
    let read = other.value(&name)?;
    let found = found(read.as_deref());
    ensure!(read.as_deref() == Some(value), "{} is read as {found}", shown(value));
    other.put(&name, Some(value), b"next")
}
