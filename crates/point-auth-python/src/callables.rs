//! Callables of the user's: a source of credentials, and observers.

use std::fmt;

use point_auth::blocking::{BoxError, CredentialSource};
use point_auth::session::{AttemptError, ExchangeKind, Outcome, StoredTokens as Stored};
use point_auth::{Credentials, Error, Observer, StoreEvent};
use pyo3::prelude::*;
use std::sync::Arc;

use crate::errors::with_causes;
use crate::gate;
use crate::secrets;

/// A callable that returns a password, for a username that is known, or whole credentials.
pub(crate) struct Source {
    pub(crate) callable: Py<PyAny>,
    pub(crate) owner: Option<(String, Option<String>)>,
}

/// Says nothing that the exception says: its text may have a secret in it.
#[derive(Debug)]
struct Raised(String);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

impl CredentialSource for Source {
    fn credentials(&self) -> Result<Credentials, BoxError> {
        let called = gate::attach(|py| self.call(py).map_err(|error| raised(py, &error)));
        let ended = || Raised("the interpreter is ending".to_owned());
        Ok(called.ok_or_else(ended)??)
    }

    fn owner(&self) -> Option<(String, Option<String>)> {
        self.owner.clone()
    }
}

impl Source {
    fn call(&self, py: Python<'_>) -> PyResult<Credentials> {
        let returned = self.callable.bind(py).call0()?;
        match &self.owner {
            Some((username, user_alias)) => {
                let password: String = returned.extract()?;
                secrets::credentials(username, password, user_alias.as_deref())
            }
            None => {
                let returned = returned.cast_into::<secrets::Credentials>()?;
                Ok(returned.get().0.clone())
            }
        }
    }
}

fn raised(py: Python<'_>, error: &PyErr) -> Raised {
    let name = error.get_type(py).name();
    let name = name.and_then(|name| name.extract()).unwrap_or_else(|_| "an exception".to_owned());
    Raised(format!("the callable raised {name}"))
}

/// Passes on what a session does to `point_auth._events.Dispatcher`, which logs and tells the
/// user's observers.
pub(crate) struct Dispatcher {
    pub(crate) object: Py<PyAny>,
    /// Whether there are observers. Logging alone needs less.
    pub(crate) has_observers: bool,
}

/// A dispatcher that many sessions share, before and after a fork.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Arc<Dispatcher>);

impl Dispatcher {
    fn call(&self, call: impl for<'py> FnOnce(&Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>) {
        gate::attach(|py| {
            let object = self.object.bind(py);
            if let Err(error) = call(object) {
                error.write_unraisable(py, Some(object));
            }
        });
    }
}

impl Observer for Shared {
    fn exchange_began(&self, user_alias: Option<&str>, kind: ExchangeKind, attempt: u32) {
        if self.0.has_observers {
            let began = (user_alias, of_kind(kind), attempt);
            self.0.call(|object| object.call_method1("began", began));
        }
    }

    fn exchange_ended(&self, user_alias: Option<&str>, outcome: &Outcome) {
        let (name, kind, error) = match outcome {
            Outcome::Renewed { kind, .. } => ("renewed", Some(of_kind(*kind)), None),
            Outcome::Adopted { .. } => ("adopted", None, None),
            Outcome::Denied { denial, .. } => ("denied", Some("sign_in"), Some(denial.to_string())),
            Outcome::RefreshRefused { error, .. } => {
                ("refresh_refused", Some("refresh"), Some(error.to_string()))
            }
            Outcome::Retrying { error, .. } => ("retrying", None, Some(of_attempt(error))),
            Outcome::Failed { error, .. } => ("failed", None, Some(of_attempt(error))),
            _ => return,
        };
        let ended = (user_alias, name, kind, error, outcome.took().as_secs_f64());
        self.0.call(|object| object.call_method1("ended", ended));
    }

    fn store_event(&self, user_alias: Option<&str>, event: &StoreEvent) {
        let (name, text) = match event {
            StoreEvent::Unavailable(error) => ("unavailable", Some(with_causes(error))),
            StoreEvent::Unreadable(reason) => ("unreadable", Some(reason.to_string())),
            StoreEvent::Alone(reason) => ("alone", Some(reason.to_string())),
            StoreEvent::Reset => ("reset", None),
            _ => return,
        };
        self.0.call(|object| object.call_method1("store", (user_alias, name, text)));
    }

    fn tokens_changed(&self, user_alias: Option<&str>, tokens: Option<&Stored>) {
        if self.0.has_observers {
            let tokens = tokens.map(|tokens| secrets::StoredTokens(Arc::new(tokens.clone())));
            self.0.call(|object| object.call_method1("tokens", (user_alias, tokens)));
        }
    }
}

/// Returns the text of a failed attempt, as callers of the session get it.
fn of_attempt(error: &AttemptError) -> String {
    match error {
        AttemptError::Response(error) => Error::from((**error).clone()).to_string(),
        other => with_causes(other),
    }
}

pub(crate) const fn of_kind(kind: ExchangeKind) -> &'static str {
    match kind {
        ExchangeKind::Refresh => "refresh",
        _ => "sign_in",
    }
}
