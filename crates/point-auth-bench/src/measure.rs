//! Time, as the median of many batches of alternating cases; and heap use, by a counting allocator.

use std::alloc::System;
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use stats_alloc::{Region, Stats, StatsAlloc};

/// How often each case is measured.
const BATCHES: usize = 151;
/// The duration of one batch: long compared with the clock's resolution, short compared with a time
/// slice of the scheduler.
const BATCH: Duration = Duration::from_micros(300);

/// Repeatable work.
pub struct Case {
    /// The name of the row.
    pub name: String,
    repeat: Box<dyn Fn(u64) + Send + Sync>,
}

impl Case {
    /// Creates a case of `work`, whose result is kept from the optimizer.
    pub fn new<R>(name: impl Into<String>, work: impl Fn() -> R + Send + Sync + 'static) -> Self {
        let repeat = move |times| {
            for _ in 0..times {
                black_box(work());
            }
        };
        Self { name: name.into(), repeat: Box::new(repeat) }
    }

    /// Makes each batch hold the guard that `enter` returns.
    #[must_use]
    pub fn within<G>(self, enter: impl Fn() -> G + Send + Sync + 'static) -> Self {
        let repeat = self.repeat;
        let repeat = move |times| {
            let _entered = enter();
            repeat(times);
        };
        Self { name: self.name, repeat: Box::new(repeat) }
    }

    /// Repeats the work.
    pub fn repeat(&self, times: u64) {
        (self.repeat)(times);
    }
}

/// Returns the nanoseconds that each case takes. The cases alternate.
pub fn nanoseconds(cases: &[Case]) -> Vec<f64> {
    in_turn(cases, |case, times| {
        let start = Instant::now();
        case.repeat(times);
        start.elapsed()
    })
}

/// Returns the nanoseconds that each case takes while a second thread runs it too, by the slower
/// one.
pub fn nanoseconds_of_two_threads(cases: &[Case]) -> Vec<f64> {
    in_turn(cases, |case, times| {
        let both_are_there = Barrier::new(2);
        let timed = || {
            both_are_there.wait();
            let start = Instant::now();
            case.repeat(times);
            start.elapsed()
        };
        thread::scope(|scope| {
            let other = scope.spawn(timed);
            let ours = timed();
            ours.max(other.join().unwrap())
        })
    })
}

fn in_turn(cases: &[Case], time: impl Fn(&Case, u64) -> Duration) -> Vec<f64> {
    let times: Vec<u64> = cases.iter().map(|case| repetitions(case, &time)).collect();
    let mut taken = vec![Vec::with_capacity(BATCHES); cases.len()];
    for _ in 0..BATCHES {
        for ((case, times), taken) in cases.iter().zip(&times).zip(&mut taken) {
            taken.push(time(case, *times).as_secs_f64() * 1e9 / *times as f64);
        }
    }
    taken.into_iter().map(median).collect()
}

/// Returns how often a case runs in one batch. The search also warms it up.
fn repetitions(case: &Case, time: &impl Fn(&Case, u64) -> Duration) -> u64 {
    let mut times = 16;
    while time(case, times) < BATCH {
        times *= 2;
    }
    times
}

/// Returns the median.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The heap use per repetition.
#[derive(Clone, Copy, Debug)]
pub struct Heap {
    /// Blocks. A block that is moved counts again.
    pub allocations: f64,
    /// Their bytes.
    pub bytes: f64,
}

impl Heap {
    /// Returns the heap use of each of `times` repetitions.
    pub fn of(stats: &Stats, times: u64) -> Self {
        let each = |count: usize| count as f64 / times as f64;
        Self {
            allocations: each(stats.allocations + stats.reallocations),
            bytes: each(stats.bytes_allocated),
        }
    }
}

/// Returns the heap use of a case.
pub fn heap(case: &Case, allocator: &StatsAlloc<System>) -> Heap {
    const TIMES: u64 = 1000;
    case.repeat(100);
    let region = Region::new(allocator);
    case.repeat(TIMES);
    Heap::of(&region.change(), TIMES)
}

/// Returns the bytes that were allocated and not freed.
pub fn live_bytes(stats: &Stats) -> f64 {
    stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
}
