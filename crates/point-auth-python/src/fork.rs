//! Forks: a child goes on with what its parent knew, and with nothing that its parent used.
//!
//! Before the fork each session that lives tells what it knows. In the child each gets a state of
//! its own from that: new threads, locks and connections. The old state is leaked, since to drop
//! it may wait for a lock that no thread will unlock.
//!
//! No lock is held between the hooks. Other hooks run there, which may be in Python, so that a
//! thread with the interpreter's lock could wait for ours while we wait for that one.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwapOption;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::gate;

/// What goes on in a child.
pub(crate) trait Forkable: Send + Sync {
    /// Returns what is to be done in the child.
    fn before_fork(self: Arc<Self>) -> Box<dyn FnOnce()>;
}

type Registry = Mutex<Vec<Weak<dyn Forkable>>>;

/// The sessions of this process. A child has a registry of its own, since a thread of its parent
/// may have held the lock of this one.
static REGISTRY: ArcSwapOption<Registry> = ArcSwapOption::const_empty();

/// Adds a session. It leaves when it is dropped.
pub(crate) fn register(forkable: Weak<dyn Forkable>) {
    let registry = registry();
    let mut living = lock(&registry);
    if living.len() == living.capacity() {
        living.retain(|one| one.strong_count() > 0);
    }
    living.push(forkable);
}

fn registry() -> Arc<Registry> {
    REGISTRY.load_full().unwrap_or_else(|| {
        // Of two that are first at once, one finds the other's.
        let none: Option<Arc<Registry>> = None;
        let _was = REGISTRY.compare_and_swap(&none, Some(Arc::default()));
        REGISTRY.load_full().unwrap_or_default()
    })
}

fn lock(registry: &Registry) -> MutexGuard<'_, Vec<Weak<dyn Forkable>>> {
    registry.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error of a session of which nothing is known after a fork. Out of reach: each tells.
pub(crate) fn lost() -> PyErr {
    PyRuntimeError::new_err("the session was lost in a fork")
}

/// One fork, on the thread that forks.
struct Fork {
    in_child: Vec<Box<dyn FnOnce()>>,
    living: Vec<Weak<dyn Forkable>>,
}

thread_local! {
    static FORK: RefCell<Option<Fork>> = const { RefCell::new(None) };
}

/// Called by `os.register_at_fork`, before.
#[pyfunction]
pub(crate) fn before_fork() {
    // A fork that failed has left its own.
    drop(FORK.take());
    let living: Vec<_> = lock(&registry()).iter().filter_map(Weak::upgrade).collect();
    let weak = living.iter().map(Arc::downgrade).collect();
    let in_child = living.into_iter().map(Forkable::before_fork).collect();
    FORK.set(Some(Fork { in_child, living: weak }));
}

/// Called by `os.register_at_fork`, after, in the parent.
#[pyfunction]
pub(crate) fn after_fork_in_parent() {
    drop(FORK.take());
}

/// Called by `os.register_at_fork`, after, in the child.
#[pyfunction]
pub(crate) fn after_fork_in_child() {
    if let Some(Fork { in_child, living }) = FORK.take() {
        gate::in_child();
        std::mem::forget(REGISTRY.swap(Some(Arc::new(Mutex::new(living)))));
        in_child.into_iter().for_each(|go_on| go_on());
    }
}
