//! Time, as the median of many batches of cases that take turns; and the heap, by an allocator that
//! counts.

use std::alloc::System;
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use stats_alloc::{Region, Stats, StatsAlloc};

/// How often each case is measured.
const BATCHES: usize = 151;
/// How long one batch is to take: long beside the clock's resolution, short beside a time slice of
/// the scheduler.
const BATCH: Duration = Duration::from_micros(300);

/// Something that is done over and over again.
pub struct Case {
    /// What a row is called.
    pub name: String,
    repeat: Box<dyn Fn(u64) + Send + Sync>,
}

impl Case {
    /// `work`, whose result is kept from the optimizer.
    pub fn new<R>(name: impl Into<String>, work: impl Fn() -> R + Send + Sync + 'static) -> Self {
        let repeat = move |times| {
            for _ in 0..times {
                black_box(work());
            }
        };
        Self { name: name.into(), repeat: Box::new(repeat) }
    }

    /// The same, whose batches hold what `enter` answers.
    #[must_use]
    pub fn within<G>(self, enter: impl Fn() -> G + Send + Sync + 'static) -> Self {
        let repeat = self.repeat;
        let repeat = move |times| {
            let _entered = enter();
            repeat(times);
        };
        Self { name: self.name, repeat: Box::new(repeat) }
    }

    /// Does it so often.
    pub fn repeat(&self, times: u64) {
        (self.repeat)(times);
    }
}

/// Nanoseconds that each case takes, all measured in turn.
pub fn nanoseconds(cases: &[Case]) -> Vec<f64> {
    in_turn(cases, |case, times| {
        let start = Instant::now();
        case.repeat(times);
        start.elapsed()
    })
}

/// The same while another thread does the same, by the clock of the slower of the two.
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

/// How often a case is done in one batch; finding that out warms it up.
fn repetitions(case: &Case, time: &impl Fn(&Case, u64) -> Duration) -> u64 {
    let mut times = 16;
    while time(case, times) < BATCH {
        times *= 2;
    }
    times
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What is taken from the heap each time.
#[derive(Clone, Copy, Debug)]
pub struct Heap {
    /// Blocks, those counted again that are moved.
    pub allocations: f64,
    /// Their bytes.
    pub bytes: f64,
}

impl Heap {
    /// What each of so many took.
    pub fn of(stats: &Stats, times: u64) -> Self {
        let each = |count: usize| count as f64 / times as f64;
        Self {
            allocations: each(stats.allocations + stats.reallocations),
            bytes: each(stats.bytes_allocated),
        }
    }
}

/// What a case takes from the heap.
pub fn heap(case: &Case, allocator: &StatsAlloc<System>) -> Heap {
    const TIMES: u64 = 1000;
    case.repeat(100);
    let region = Region::new(allocator);
    case.repeat(TIMES);
    Heap::of(&region.change(), TIMES)
}

/// Bytes that were taken and not given back.
pub fn live_bytes(stats: &Stats) -> f64 {
    stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
}
