//! [`Candidate`]: the store that is held against the contract, as a way to open it.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use point_auth_store::{AnyStore, TokenStore, blocking};
use tokio::runtime::{Builder, Runtime};

use super::violation::Violation;

type Opened = Result<AnyStore, Box<dyn Error + Send + Sync>>;
type Opening = Pin<Box<dyn Future<Output = Opened> + Send>>;
type Dump = dyn Fn() -> Vec<Vec<u8>> + Send + Sync;

/// A store that is held against the contract.
///
/// What opens it is called several times in a check. Each time stands for a process of its own, and
/// all of them have to reach the same values with the same [`StoreKey`](point_auth_store::StoreKey).
/// The store need not be empty: each check uses names that no other has.
pub struct Candidate {
    open: Box<dyn Fn() -> Opening + Send + Sync>,
    is_async: bool,
    dump: Option<Box<Dump>>,
    left_out: Vec<&'static str>,
}

impl Candidate {
    /// Takes a store that blocks.
    pub fn blocking<S, E>(open: impl Fn() -> Result<S, E> + Send + Sync + 'static) -> Self
    where
        S: blocking::TokenStore,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let open = move || -> Opening {
            let opened = open().map(AnyStore::blocking).map_err(Into::into);
            Box::pin(async { opened })
        };
        Self { open: Box::new(open), is_async: false, dump: None, left_out: Vec::new() }
    }

    /// Takes a store that is async. Each check has a tokio runtime of its own.
    pub fn r#async<S, E, F>(open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        S: TokenStore,
        E: Into<Box<dyn Error + Send + Sync>>,
        F: Future<Output = Result<S, E>> + Send + 'static,
    {
        let open = move || -> Opening {
            let opening = open();
            Box::pin(async { opening.await.map(AnyStore::new).map_err(Into::into) })
        };
        Self { open: Box::new(open), is_async: true, dump: None, left_out: Vec::new() }
    }

    /// Adds a way to read all that is in the store, names and values, as it is kept. The check of
    /// secrets then searches it, too.
    #[must_use]
    pub fn with_dump(mut self, dump: impl Fn() -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        self.dump = Some(Box::new(dump));
        self
    }

    /// Leaves out a group of checks.
    #[must_use]
    pub fn without(mut self, group: &'static str) -> Self {
        self.left_out.push(group);
        self
    }

    pub(super) fn leaves_out(&self, group: &str) -> bool {
        self.left_out.contains(&group)
    }

    pub(super) fn dump(&self) -> Option<Vec<Vec<u8>>> {
        self.dump.as_ref().map(|dump| dump())
    }

    pub(super) fn runner(&self) -> Result<Runner, Violation> {
        if !self.is_async {
            return Ok(Runner::Here);
        }
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let failed = |error| Violation::new(format!("no runtime could be started: {error}"));
        Ok(Runner::Tokio(Arc::new(runtime.map_err(failed)?)))
    }

    pub(super) fn open(&self, runner: &Runner) -> Result<AnyStore, Violation> {
        let opened = runner.run(async { (self.open)().await });
        opened.map_err(|error| Violation::new(format!("the store could not be opened: {error}")))
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Candidate");
        shown.field("is_async", &self.is_async).field("left_out", &self.left_out);
        shown.finish_non_exhaustive()
    }
}

/// What drives the futures of a store.
#[derive(Clone)]
pub(super) enum Runner {
    /// The thread that calls. A store that blocks may have a runtime inside, so it gets none.
    Here,
    Tokio(Arc<Runtime>),
}

impl Runner {
    pub(super) fn run<F: Future>(&self, future: F) -> F::Output {
        match self {
            Self::Here => pollster::block_on(future),
            Self::Tokio(runtime) => runtime.block_on(future),
        }
    }
}
