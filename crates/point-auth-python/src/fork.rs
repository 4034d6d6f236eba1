//! Forks: a child goes on with what its parent knew, and with nothing that its parent used.
//!
//! Before the fork each session that lives tells what it knows. In the child each gets a state of
//! its own from that: new threads, locks and connections. The old state is leaked, since to drop
//! it may wait for a lock that no thread will unlock.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::gate::{self, Forking};

/// What goes on in a child.
pub(crate) trait Forkable: Send + Sync {
    /// Returns what is to be done in the child.
    fn before_fork(self: Arc<Self>) -> Box<dyn FnOnce()>;
}

type Registry = Vec<Weak<dyn Forkable>>;

static REGISTRY: Mutex<Registry> = Mutex::new(Vec::new());

/// Adds a session. It leaves when it is dropped.
pub(crate) fn register(forkable: Weak<dyn Forkable>) {
    let mut registry = lock();
    if registry.len() == registry.capacity() {
        registry.retain(|one| one.strong_count() > 0);
    }
    registry.push(forkable);
}

fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error of a session of which nothing is known after a fork. Out of reach: each tells.
pub(crate) fn lost() -> PyErr {
    PyRuntimeError::new_err("the session was lost in a fork")
}

/// One fork, on the thread that forks. What other threads may lock is locked meanwhile.
struct Fork {
    in_child: Vec<Box<dyn FnOnce()>>,
    gate: Forking,
    registry: MutexGuard<'static, Registry>,
}

thread_local! {
    static FORK: RefCell<Option<Fork>> = const { RefCell::new(None) };
}

/// Called by `os.register_at_fork`, before.
#[pyfunction]
pub(crate) fn before_fork() {
    // A fork that failed has left its own.
    drop(FORK.take());
    let registry = lock();
    let living: Vec<_> = registry.iter().filter_map(Weak::upgrade).collect();
    let in_child = living.into_iter().map(Forkable::before_fork).collect();
    let gate = gate::before_fork();
    FORK.set(Some(Fork { in_child, gate, registry }));
}

/// Called by `os.register_at_fork`, after, in the parent.
#[pyfunction]
pub(crate) fn after_fork_in_parent() {
    drop(FORK.take());
}

/// Called by `os.register_at_fork`, after, in the child.
#[pyfunction]
pub(crate) fn after_fork_in_child() {
    if let Some(Fork { in_child, gate, registry }) = FORK.take() {
        drop(registry);
        gate.in_child();
        in_child.into_iter().for_each(|go_on| go_on());
    }
}
