//! What a check works with: handles of the store, names of its own, and threads.

use std::process;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use point_auth_core::BaseUrl;
use point_auth_store::{AnyStore, EntryName, Loaded, Swapped, TokenStore};

use super::candidate::{Candidate, Runner};
use super::violation::{Rule, Violation};

/// A call that takes longer has no limit of its own.
const LONGEST_CALL: Duration = Duration::from_secs(30);

pub(super) struct Bench<'a> {
    pub(super) candidate: &'a Candidate,
    pub(super) runner: Runner,
    /// Is in all names of this check, and in no others.
    pub(super) mark: String,
}

impl<'a> Bench<'a> {
    pub(super) fn new(candidate: &'a Candidate) -> Result<Self, Violation> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let mark = format!("{}-{now}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Ok(Self { candidate, runner: candidate.runner()?, mark })
    }

    /// Opens the store once more, as another process does.
    pub(super) fn open(&self) -> Result<Handle, Violation> {
        let store = self.candidate.open(&self.runner)?;
        Ok(Handle { store, runner: self.runner.clone() })
    }

    pub(super) fn username(&self, what: &str) -> String {
        format!("{what}-{}", self.mark)
    }

    /// The name of a value that no other check uses.
    pub(super) fn name(&self, handle: &Handle, what: &str) -> EntryName {
        handle.store.seals().login_name(&BaseUrl::production(), &self.username(what))
    }

    /// Does something with so many handles at once, each on a thread of its own.
    pub(super) fn at_once<T: Send>(
        &self,
        count: usize,
        job: impl Fn(usize, Handle) -> Result<T, Violation> + Sync,
    ) -> Result<Vec<T>, Violation> {
        let handles: Vec<_> = (0..count).map(|_| self.open()).collect::<Result<_, _>>()?;
        let (barrier, job) = (&Barrier::new(count), &job);
        thread::scope(|scope| {
            let threads: Vec<_> = handles
                .into_iter()
                .enumerate()
                .map(|(number, handle)| {
                    scope.spawn(move || {
                        barrier.wait();
                        job(number, handle)
                    })
                })
                .collect();
            let joined = threads.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|_| Err(Violation::new("the store has panicked")))
            });
            joined.collect()
        })
    }
}

/// The store as one process has it.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) store: AnyStore,
    pub(super) runner: Runner,
}

impl Handle {
    pub(super) fn load(&self, name: &EntryName) -> Result<Loaded, Violation> {
        let loaded = self.timed("a load", || self.runner.run(self.store.load(name)))?;
        loaded.map_err(|error| Violation::failed("a load", &error))
    }

    pub(super) fn value(&self, name: &EntryName) -> Result<Option<Vec<u8>>, Violation> {
        Ok(self.load(name)?.value)
    }

    pub(super) fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
    ) -> Result<Swapped, Violation> {
        self.swap_for(name, expected, value, None)
    }

    pub(super) fn swap_for(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, Violation> {
        let swap = || self.runner.run(self.store.swap(name, expected, value, keep_for));
        self.timed("a swap", swap)?.map_err(|error| Violation::failed("a swap", &error))
    }

    /// A swap that has to be done.
    pub(super) fn put(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
    ) -> Result<(), Violation> {
        if self.swap(name, expected, value)?.done {
            return Ok(());
        }
        let expects = expected.map_or("nothing".to_owned(), shown);
        let message = format!("a swap that expects what is there, {expects}, was not done");
        Err(Violation::new(message))
    }

    fn timed<T>(&self, call: &str, run: impl FnOnce() -> T) -> Result<T, Violation> {
        let started = Instant::now();
        let result = run();
        let took = started.elapsed();
        if took > LONGEST_CALL {
            return Err(Violation::of(Rule::Repeat, format!("{call} took {took:?}")));
        }
        Ok(result)
    }
}

/// A value in a message.
pub(super) fn shown(value: &[u8]) -> String {
    match value {
        [] => "a value of 0 bytes".to_owned(),
        short if short.len() <= 16 => format!("\"{}\"", short.escape_ascii()),
        long => format!("a value of {} bytes", long.len()),
    }
}

/// What was found in a message.
pub(super) fn found(value: Option<&[u8]>) -> String {
    value.map_or("nothing".to_owned(), shown)
}
