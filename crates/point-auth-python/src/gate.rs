//! The end of the interpreter: no thread of this module enters Python once its end has begun.
//!
//! Until Python 3.14 a thread that asks for the interpreter's lock during the end is unwound by
//! force, which aborts a program with Rust on that thread's stack. So each way into Python passes
//! here. `atexit` closes the gate and waits for those who are inside.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

struct State {
    is_closed: bool,
    /// Threads that are in Python, or on their way back.
    inside: usize,
    /// Exchanges that were answered and are not over: their tokens go into the store.
    settling: usize,
}

static STATE: Mutex<State> = Mutex::new(State { is_closed: false, inside: 0, settling: 0 });
static LEFT: Condvar = Condvar::new();

/// The longest wait for a store, which has two seconds.
const SETTLED: Duration = Duration::from_millis(2500);

/// The longest wait for a callable of the user's that does not return.
const LONGEST: Duration = Duration::from_secs(5);

/// As long as one of them lives, the interpreter does not end.
struct Inside;

impl Inside {
    fn enter() -> Option<Self> {
        let mut state = lock();
        if state.is_closed {
            return None;
        }
        state.inside += 1;
        Some(Self)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut state = lock();
        state.inside = state.inside.saturating_sub(1);
        LEFT.notify_all();
    }
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls `call` from a thread of Rust's, attached to the interpreter. Returns `None` at its end.
pub(crate) fn attach<T>(call: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _inside = Inside::enter()?;
    Python::try_attach(call)
}

/// Runs `wait` on a thread of Python's, detached from the interpreter.
///
/// A thread that finds the gate closed when it has waited is a daemon of a program that ends: it
/// stays where it is. The main thread is never held up.
pub(crate) fn detach<T: Send>(py: Python<'_>, is_main: bool, wait: impl FnOnce() -> T + Send) -> T {
    let (result, _inside) = py.detach(|| {
        let result = wait();
        let inside = Inside::enter();
        while inside.is_none() && !is_main {
            thread::park();
        }
        (result, inside)
    });
    result
}

thread_local! {
    /// The exchange of this thread that was answered.
    static SETTLING: Cell<Option<Settling>> = const { Cell::new(None) };
}

struct Settling;

impl Drop for Settling {
    fn drop(&mut self) {
        let mut state = lock();
        state.settling = state.settling.saturating_sub(1);
        LEFT.notify_all();
    }
}

/// Reports on the thread of an exchange that it was answered.
pub(crate) fn answered() {
    lock().settling += 1;
    drop(SETTLING.replace(Some(Settling)));
}

/// Reports on the thread of an exchange that the exchange is over, or that another one begins.
pub(crate) fn over() {
    drop(SETTLING.take());
}

/// Waits until the tokens of all that was answered are in the store. A process may end at once
/// when it has its token.
pub(crate) fn wait_until_settled() {
    let _settled = LEFT.wait_timeout_while(lock(), SETTLED, |state| state.settling > 0);
}

/// Closes the gate. Called once, at the exit of the interpreter.
#[pyfunction]
pub(crate) fn close(py: Python<'_>) {
    py.detach(|| {
        wait_until_settled();
        let mut state = lock();
        state.is_closed = true;
        let _left = LEFT.wait_timeout_while(state, LONGEST, |state| state.inside > 0);
    });
}

/// Locks the state of the gate for a fork: a child has no thread that would unlock it.
pub(crate) fn before_fork() -> Forking {
    Forking(lock())
}

/// The state, locked.
pub(crate) struct Forking(MutexGuard<'static, State>);

impl Forking {
    /// In the child there is no thread of the parent.
    pub(crate) fn in_child(mut self) {
        self.0.inside = 0;
        self.0.settling = 0;
    }
}
