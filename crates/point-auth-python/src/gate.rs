//! The end of the interpreter: no thread of this module enters Python once its end has begun.
//!
//! Until Python 3.14 a thread that asks for the interpreter's lock during the end is unwound by
//! force, which aborts a program with Rust on that thread's stack. So each way into Python passes
//! here. `atexit` closes the gate and waits for those who are inside.
//!
//! There is no lock: a thread that holds the interpreter's lock passes here too, also between the
//! hooks of a fork, and a forked child would inherit the lock.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

static IS_CLOSED: AtomicBool = AtomicBool::new(false);
/// Threads that are in Python, or on their way back.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// Exchanges that were answered and are not over: their tokens go into the store.
static SETTLING: AtomicUsize = AtomicUsize::new(0);

/// The longest wait for a callable of the user's that does not return.
const LONGEST: Duration = Duration::from_secs(5);
/// The longest wait for a store, which has two seconds.
const SETTLED: Duration = Duration::from_millis(2500);
/// Between two looks of a wait.
const LOOK: Duration = Duration::from_micros(200);

/// One of a count. A count that a child has set to zero stays there.
struct Counted(&'static AtomicUsize);

impl Counted {
    fn new(count: &'static AtomicUsize) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let less = |count: usize| count.checked_sub(1);
        let _was = self.0.fetch_update(SeqCst, SeqCst, less);
    }
}

/// Passes the gate, unless it is closed. As long as the result lives, the interpreter does not end.
fn enter() -> Option<Counted> {
    let inside = Counted::new(&INSIDE);
    // In this order: `close` either sees this thread, or is seen by it.
    (!IS_CLOSED.load(SeqCst)).then_some(inside)
}

fn wait_for_none(count: &AtomicUsize, longest: Duration) {
    let begun = Instant::now();
    while count.load(SeqCst) > 0 && begun.elapsed() < longest {
        thread::sleep(LOOK);
    }
}

/// Calls `call` from a thread of Rust's, attached to the interpreter. Returns `None` at its end.
pub(crate) fn attach<T>(call: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _inside = enter()?;
    Python::try_attach(call)
}

/// Runs `wait` on a thread of Python's, detached from the interpreter.
///
/// A thread that finds the gate closed when it has waited is a daemon of a program that ends: it
/// stays where it is. The main thread is never held up.
pub(crate) fn detach<T: Send>(py: Python<'_>, is_main: bool, wait: impl FnOnce() -> T + Send) -> T {
    let (result, _inside) = py.detach(|| {
        let result = wait();
        let inside = enter();
        while inside.is_none() && !is_main {
            thread::park();
        }
        (result, inside)
    });
    result
}

thread_local! {
    /// The exchange of this thread that was answered.
    static ANSWERED: Cell<Option<Counted>> = const { Cell::new(None) };
}

/// Reports on the thread of an exchange that it was answered.
pub(crate) fn answered() {
    drop(ANSWERED.replace(Some(Counted::new(&SETTLING))));
}

/// Reports on the thread of an exchange that the exchange is over, or that another one begins.
pub(crate) fn over() {
    drop(ANSWERED.take());
}

/// Waits until the tokens of all that was answered are in the store. A process may end at once
/// when it has its token.
pub(crate) fn wait_until_settled() {
    wait_for_none(&SETTLING, SETTLED);
}

/// Closes the gate. Called once, at the exit of the interpreter.
#[pyfunction]
pub(crate) fn close(py: Python<'_>) {
    py.detach(|| {
        wait_until_settled();
        IS_CLOSED.store(true, SeqCst);
        wait_for_none(&INSIDE, LONGEST);
    });
}

/// In a forked child there is no thread of the parent.
pub(crate) fn in_child() {
    INSIDE.store(0, SeqCst);
    SETTLING.store(0, SeqCst);
}
