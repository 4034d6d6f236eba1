//! [`PerProcess`]: a value that each process has one of its own of.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use pyo3::prelude::*;

/// A value `S` of one process. In a forked child another one is built at the first use, from what
/// the parent knew: `F`.
pub(crate) struct PerProcess<S, F> {
    local: ArcSwap<Local<S, F>>,
}

struct Local<S, F> {
    value: OnceLock<S>,
    forked: Mutex<Option<F>>,
}

impl<S, F> PerProcess<S, F> {
    pub(crate) fn new(value: S) -> Self {
        let (value, forked) = (OnceLock::from(value), Mutex::new(None));
        Self { local: ArcSwap::from_pointee(Local { value, forked }) }
    }

    /// Calls `with` with the value of this process. `build` builds it, once in a forked child.
    pub(crate) fn with<T>(
        &self,
        build: impl FnOnce(Option<F>) -> PyResult<S>,
        with: impl FnOnce(&S) -> T,
    ) -> PyResult<T> {
        let local = self.local.load();
        match local.value.get() {
            Some(value) => Ok(with(value)),
            None => local.build(build).map(with),
        }
    }

    /// Starts anew in a forked child. The value of the parent is leaked, since to drop it may wait
    /// for a lock that no thread of the child holds.
    pub(crate) fn in_child(&self, forked: Option<F>) {
        let local = Local { value: OnceLock::new(), forked: Mutex::new(forked) };
        std::mem::forget(self.local.swap(Arc::new(local)));
    }
}

impl<S, F> Local<S, F> {
    #[cold]
    fn build(&self, build: impl FnOnce(Option<F>) -> PyResult<S>) -> PyResult<&S> {
        let mut forked = self.forked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let built = build(forked.take())?;
        Ok(self.value.get_or_init(|| built))
    }
}
