//! [`Sessions`]: the part of `point_auth.Sessions` that needs Rust.

use std::sync::Arc;

use point_auth::blocking::{self, ForkedSessions};
use point_auth::session::{Counts, State as SessionState};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{invalid, of_settings, unpicklable};
use crate::fork::{self, Forkable};
use crate::process::PerProcess;
use crate::recipe::Recipe;
use crate::secrets::{Credentials, StoredTokens};
use crate::session::{Cell, Opened, Origin, of_state};
use crate::settings::Settings;

/// The sessions of a login, which in each process are others.
pub(crate) struct Owner {
    recipe: Recipe,
    sessions: PerProcess<blocking::Sessions, ForkedSessions>,
}

impl Owner {
    fn new(recipe: Recipe, sessions: blocking::Sessions) -> Arc<Self> {
        let owner = Arc::new(Self { recipe, sessions: PerProcess::new(sessions) });
        let forkable: Arc<dyn Forkable> = Arc::<Self>::clone(&owner);
        fork::register(Arc::downgrade(&forkable));
        owner
    }

    pub(crate) const fn has_store(&self) -> bool {
        self.recipe.has_store()
    }

    /// Calls `with` with the sessions of this process.
    pub(crate) fn with<T>(&self, with: impl FnOnce(&blocking::Sessions) -> T) -> PyResult<T> {
        let build = |forked: Option<ForkedSessions>| {
            let forked = forked.ok_or_else(fork::lost)?;
            Ok(self.recipe.sessions_after_fork(forked))
        };
        self.sessions.with(build, with)
    }
}

impl Forkable for Owner {
    fn before_fork(self: Arc<Self>) -> Box<dyn FnOnce()> {
        let forked = self.with(blocking::Sessions::before_fork).ok();
        Box::new(move || self.sessions.in_child(forked))
    }
}

/// The base of `point_auth.Sessions`.
#[pyclass(frozen, subclass, module = "point_auth._native")]
pub(crate) struct Sessions {
    owner: Arc<Owner>,
}

#[pymethods]
impl Sessions {
    #[new]
    #[pyo3(signature = (
        settings,
        *,
        username = None,
        password = None,
        credentials = None,
        store = None,
        signs_in_without_store = false,
        dispatcher,
        has_observers = false,
        max_concurrent_sign_ins = None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "each is an argument, by its name")]
    fn new(
        py: Python<'_>,
        settings: &Bound<'_, Settings>,
        username: Option<String>,
        password: Option<&Bound<'_, PyAny>>,
        credentials: Option<Py<PyAny>>,
        store: Option<&Bound<'_, PyAny>>,
        signs_in_without_store: bool,
        dispatcher: Py<PyAny>,
        has_observers: bool,
        max_concurrent_sign_ins: Option<usize>,
    ) -> PyResult<Self> {
        let mut recipe = Recipe::new(
            settings,
            username,
            password,
            None,
            credentials,
            store,
            signs_in_without_store,
            dispatcher,
            has_observers,
        )?;
        recipe.most_sign_ins = max_concurrent_sign_ins;
        let sessions = py.detach(|| recipe.sessions()).map_err(|error| of_settings(py, &error))?;
        Ok(Self { owner: Owner::new(recipe, sessions) })
    }

    /// Returns the session of this alias for the constructor of a `Session`.
    fn _session(&self, user_alias: &str) -> PyResult<Opened> {
        let session = self.owner.with(|sessions| sessions.session(user_alias))?.map_err(invalid)?;
        let origin = Origin::Alias(Arc::clone(&self.owner), user_alias.to_owned());
        Ok(Opened(Cell::new(origin, session, false)))
    }

    /// Replaces the credentials of all sessions.
    fn set_credentials(&self, credentials: &Credentials) -> PyResult<()> {
        self.owner.with(|sessions| sessions.set_credentials(credentials.0.clone()))
    }

    /// Clears all denials, holds and backoff.
    fn reset(&self) -> PyResult<()> {
        self.owner.with(blocking::Sessions::reset)
    }

    /// Restores the tokens of one alias.
    fn restore(&self, stored: &StoredTokens) -> PyResult<()> {
        let stored = (*stored.0).clone();
        self.owner.with(|sessions| sessions.restore(stored))?.map_err(invalid)
    }

    /// Removes the session of one alias. Returns whether there was one.
    fn remove(&self, user_alias: &str) -> PyResult<bool> {
        self.owner.with(|sessions| sessions.remove(user_alias))
    }

    /// Drops the sessions that have not been used for an hour.
    fn drop_idle(&self) -> PyResult<()> {
        self.owner.with(blocking::Sessions::drop_idle)
    }

    /// Returns the aliases that have a session.
    fn aliases(&self) -> PyResult<Vec<String>> {
        let all = self.owner.with(blocking::Sessions::all)?;
        Ok(all.into_iter().map(|(alias, _)| alias).collect())
    }

    /// The base URL of the API.
    #[getter]
    fn base_url(&self) -> PyResult<String> {
        self.owner.with(|sessions| sessions.base_url().as_str().to_owned())
    }

    fn __len__(&self) -> PyResult<usize> {
        self.owner.with(blocking::Sessions::len)
    }

    /// Returns the state of all sessions, as a dictionary.
    fn _snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        const STATES: [SessionState; 6] = [
            SessionState::Good,
            SessionState::Renewing,
            SessionState::Waiting,
            SessionState::BackingOff,
            SessionState::Denied,
            SessionState::SignInNeeded,
        ];
        let snapshot = self.owner.with(blocking::Sessions::snapshot)?;
        let (dict, states, sums) = (PyDict::new(py), PyDict::new(py), PyDict::new(py));
        for state in STATES {
            states.set_item(of_state(state), snapshot.in_state(state))?;
        }
        for (name, count) in counts(&snapshot.counts) {
            sums.set_item(name, count)?;
        }
        dict.set_item("states", states)?;
        dict.set_item("counts", sums)?;
        dict.set_item("is_proven", snapshot.ledger.is_proven)?;
        dict.set_item("worked", snapshot.ledger.worked)?;
        dict.set_item("denied", snapshot.ledger.denied)?;
        Ok(dict)
    }

    fn __reduce_ex__(&self, _protocol: Bound<'_, PyAny>) -> PyResult<()> {
        Err(unpicklable("sessions"))
    }
}

pub(crate) fn counts(counts: &Counts) -> [(&'static str, u64); 8] {
    [
        ("sign_ins", counts.sign_ins),
        ("refreshes", counts.refreshes),
        ("renewed", counts.renewed),
        ("denied", counts.denied),
        ("refused", counts.refused),
        ("failed", counts.failed),
        ("adopted", counts.adopted),
        ("abandoned", counts.abandoned),
    ]
}
