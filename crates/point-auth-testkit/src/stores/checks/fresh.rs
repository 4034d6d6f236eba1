//! Rule 2: after a swap is done, no process reads an older value.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::super::bench::{Bench, Handle, found};
use super::super::violation::{Outcome, Rule, ensure};
use super::swap::{add_one, number};

pub(in super::super) const RULE: Rule = Rule::Fresh;

pub(in super::super) fn a_swap_is_seen_by_every_handle_at_once(bench: &Bench<'_>) -> Outcome {
    let handles = [bench.open()?, bench.open()?, bench.open()?];
    let name = bench.name(&bench.open()?, "jane");
    let mut last: Option<Vec<u8>> = None;
    for round in 0..30 {
        // Each has read the value before, and may have kept it.
        for store in &handles {
            let value = store.value(&name)?;
            let (there, expected) = (found(value.as_deref()), found(last.as_deref()));
            ensure!(value == last, "another handle reads {there} after {expected} was written");
        }
        let Some(writer) = handles.get(round % handles.len()) else { continue };
        let next = format!("round {round}").into_bytes();
        writer.put(&name, last.as_deref(), &next)?;
        last = Some(next);
    }
    Ok(())
}

pub(in super::super) fn no_reader_falls_behind_a_swap_that_is_done(bench: &Bench<'_>) -> Outcome {
    /// So many reads have to come after a write that no read of the thread came after yet, with so
    /// many writes at most.
    const READS: u64 = 100;
    const MOST_WRITES: u64 = 20_000;
    let name = bench.name(&bench.open()?, "counter");
    let (done, reads, is_over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let write = |store: &Handle| {
        for number in 1..=MOST_WRITES {
            if reads.load(Ordering::SeqCst) >= READS {
                break;
            }
            add_one(store, &name)?;
            done.store(number, Ordering::SeqCst);
        }
        Ok(())
    };
    let read = |store: &Handle| {
        let mut last = 0;
        while !is_over.load(Ordering::SeqCst) {
            let before = done.load(Ordering::SeqCst);
            let read = number(store.value(&name)?.as_deref())?;
            reads.fetch_add(u64::from(before > last), Ordering::SeqCst);
            last = before;
            ensure!(read >= before, "{read} is read after {before} was written");
        }
        Ok(())
    };
    let results = bench.at_once(4, |thread, store| {
        if thread > 0 {
            return read(&store);
        }
        let written = write(&store);
        is_over.store(true, Ordering::SeqCst);
        written
    });
    results.map(|_| ())
}
