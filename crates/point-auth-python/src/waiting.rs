//! Waiting for a token: with the interpreter free, and so that Ctrl-C ends the wait.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use point_auth::blocking::Session;
use point_auth::session::Lease;
use pyo3::intern;
use pyo3::prelude::*;

use crate::errors::{exception, no_thread};
use crate::gate;
use crate::secrets;

/// How long a signal waits at most for its handler.
const SIGNALS: Duration = Duration::from_millis(50);

type Got = Result<Lease, point_auth::Error>;

/// A session to wait for.
pub(crate) struct Waiting {
    pub(crate) session: Session,
    pub(crate) timeout: Option<Duration>,
    /// Whether the token is to be in the store before the caller has it.
    pub(crate) has_store: bool,
}

impl Waiting {
    fn get(self) -> Got {
        let got = match self.timeout {
            Some(timeout) => self.session.lease_within(timeout),
            None => self.session.lease(),
        };
        if self.has_store && got.is_ok() {
            gate::wait_until_settled();
        }
        got
    }
}

/// Waits on the calling thread, which is one of Python's.
pub(crate) fn wait(py: Python<'_>, waiting: Waiting) -> PyResult<Lease> {
    let got = match is_main_thread(py)? {
        true => wait_for_signals_too(py, waiting)?,
        // Signals are for the main thread alone.
        false => gate::detach(py, false, || waiting.get()),
    };
    got.map_err(|error| exception(py, &error))
}

/// The wait itself is on another thread, and goes on there after a signal that raises.
fn wait_for_signals_too(py: Python<'_>, waiting: Waiting) -> PyResult<Got> {
    let (sender, receiver) = sync_channel(1);
    let waiter = thread::Builder::new().name("point-auth-waiter".to_owned());
    let spawned = waiter.spawn(move || {
        let _interrupted = sender.send(waiting.get());
    });
    spawned.map_err(|_| no_thread())?;
    // A receiver is not shared by threads, so it is moved into each wait and back.
    let mut receiver = Some(receiver);
    loop {
        let Some(inner) = receiver.take() else { return Err(no_thread()) };
        let (back, got) = gate::detach(py, true, move || {
            let got = inner.recv_timeout(SIGNALS);
            (inner, got)
        });
        match got {
            Ok(got) => return Ok(got),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => return Err(no_thread()),
        }
        receiver = Some(back);
    }
}

fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import(intern!(py, "threading"))?;
    let main = threading.call_method0(intern!(py, "main_thread"))?;
    let current = threading.call_method0(intern!(py, "get_ident"))?;
    main.getattr(intern!(py, "ident"))?.eq(current)
}

/// Waits on a thread of its own, and then calls `callback(token, error)` there.
pub(crate) fn wait_elsewhere(waiting: Waiting, callback: Py<PyAny>) -> PyResult<()> {
    let waiter = thread::Builder::new().name("point-auth-waiter".to_owned());
    let spawned = waiter.spawn(move || {
        let got = waiting.get();
        gate::attach(|py| {
            let result = match got {
                Ok(lease) => secrets::token(py, &lease),
                Err(error) => Err(exception(py, &error)),
            };
            let callback = callback.into_bound(py);
            let called = match result {
                Ok(token) => callback.call1((token, py.None())),
                Err(error) => callback.call1((py.None(), error.into_value(py))),
            };
            if let Err(error) = called {
                error.write_unraisable(py, Some(&callback));
            }
        });
    });
    spawned.map(drop).map_err(|_| no_thread())
}
