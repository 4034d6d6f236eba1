//! [`Session`]: the part of `point_auth.Session` that needs Rust.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use point_auth::blocking::{self, ForkedSession};
use point_auth::session::{Lease, Now, Snapshot, State as SessionState};
use point_auth::{AccessToken, ThreadRuntime};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::callables::of_kind;
use crate::errors::{invalid, of_settings, unpicklable, with_causes};
use crate::fork::{self, Forkable};
use crate::process::PerProcess;
use crate::recipe::Recipe;
use crate::secrets::{self, Credentials, StoredTokens};
use crate::sessions::Owner;
use crate::settings::{Settings, seconds};
use crate::waiting::{self, Waiting};

/// A session, which in each process is another one.
pub(crate) struct Cell {
    origin: Origin,
    keeps_fresh: bool,
    session: PerProcess<blocking::Session, ForkedSession>,
    /// The token that was handed out last, as an object.
    token: ArcSwapOption<Handed>,
}

/// Where the session of a process comes from.
pub(crate) enum Origin {
    Own(Box<Recipe>),
    /// It is that of one alias.
    Alias(Arc<Owner>, String),
}

struct Handed {
    token: AccessToken,
    object: Py<PyAny>,
}

impl Cell {
    pub(crate) fn new(origin: Origin, session: blocking::Session, keeps_fresh: bool) -> Arc<Self> {
        if keeps_fresh {
            keep_fresh(&session);
        }
        let (session, token) = (PerProcess::new(session), ArcSwapOption::empty());
        let cell = Arc::new(Self { origin, keeps_fresh, session, token });
        let forkable: Arc<dyn Forkable> = Arc::<Self>::clone(&cell);
        fork::register(Arc::downgrade(&forkable));
        cell
    }

    /// Calls `with` with the session of this process.
    fn with<T>(&self, with: impl FnOnce(&blocking::Session) -> T) -> PyResult<T> {
        self.session.with(|forked| self.after_fork(forked), with)
    }

    fn waiting(&self, timeout: Option<Duration>) -> PyResult<Waiting> {
        let has_store = match &self.origin {
            Origin::Own(recipe) => recipe.has_store(),
            Origin::Alias(owner, _) => owner.has_store(),
        };
        Ok(Waiting { session: self.with(blocking::Session::clone)?, timeout, has_store })
    }

    fn after_fork(&self, forked: Option<ForkedSession>) -> PyResult<blocking::Session> {
        let session = match (&self.origin, forked) {
            (Origin::Own(recipe), Some(forked)) => recipe.session_after_fork(forked),
            (Origin::Own(_), None) => return Err(fork::lost()),
            (Origin::Alias(owner, alias), _) => {
                owner.with(|sessions| sessions.session(alias))?.map_err(invalid)?
            }
        };
        if self.keeps_fresh {
            keep_fresh(&session);
        }
        Ok(session)
    }
}

impl Forkable for Cell {
    fn before_fork(self: Arc<Self>) -> Box<dyn FnOnce()> {
        let forked = match &self.origin {
            Origin::Own(_) => self.with(blocking::Session::before_fork).ok(),
            Origin::Alias(..) => None,
        };
        Box::new(move || self.session.in_child(forked))
    }
}

/// Keeps the token fresh for as long as the session is held elsewhere.
fn keep_fresh(session: &blocking::Session) {
    let session = session.clone();
    let thread = thread::Builder::new().name("point-auth-fresh".to_owned());
    // Without a thread, callers refresh as they do by default.
    let _spawned = thread.spawn(move || session.keep_fresh());
}

/// The session of an alias, for the constructor of a subclass of [`Session`].
#[pyclass(frozen, module = "point_auth._native")]
pub(crate) struct Opened(pub(crate) Arc<Cell>);

/// The base of `point_auth.Session`.
#[pyclass(frozen, subclass, module = "point_auth._native")]
pub(crate) struct Session {
    cell: Arc<Cell>,
}

impl Session {
    fn read(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self.cell.with(blocking::Session::current_lease)? {
            Some(lease) => self.object(py, &lease).map(Some),
            None => Ok(None),
        }
    }

    /// Returns the object for the token, which is made once.
    fn object(&self, py: Python<'_>, lease: &Lease) -> PyResult<Py<PyAny>> {
        if let Some(handed) = &*self.cell.token.load()
            && handed.token == lease.token
        {
            return Ok(handed.object.clone_ref(py));
        }
        let object = secrets::token(py, lease)?;
        let handed = Handed { token: lease.token.clone(), object: object.clone_ref(py) };
        self.cell.token.store(Some(Arc::new(handed)));
        Ok(object)
    }
}

#[pymethods]
impl Session {
    #[new]
    #[pyo3(signature = (
        source,
        *,
        username = None,
        password = None,
        user_alias = None,
        credentials = None,
        store = None,
        signs_in_without_store = false,
        dispatcher = None,
        has_observers = false,
        keep_fresh = false,
    ))]
    #[expect(clippy::too_many_arguments, reason = "each is an argument, by its name")]
    fn new(
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        username: Option<String>,
        password: Option<&Bound<'_, PyAny>>,
        user_alias: Option<String>,
        credentials: Option<Py<PyAny>>,
        store: Option<&Bound<'_, PyAny>>,
        signs_in_without_store: bool,
        dispatcher: Option<Py<PyAny>>,
        has_observers: bool,
        keep_fresh: bool,
    ) -> PyResult<Self> {
        if let Ok(opened) = source.cast::<Opened>() {
            return Ok(Self { cell: Arc::clone(&opened.get().0) });
        }
        let recipe = Recipe::new(
            source.cast::<Settings>()?,
            username,
            password,
            user_alias,
            credentials,
            store,
            signs_in_without_store,
            dispatcher.unwrap_or_else(|| py.None()),
            has_observers,
        )?;
        let session = py.detach(|| recipe.session()).map_err(|error| of_settings(py, &error))?;
        Ok(Self { cell: Cell::new(Origin::Own(Box::new(recipe)), session, keep_fresh) })
    }

    /// Returns a valid access token, and waits for one if necessary.
    #[pyo3(signature = (timeout = None))]
    fn token(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        if let Some(token) = self.read(py)? {
            return Ok(token);
        }
        let timeout = timeout.map(seconds).transpose()?;
        let lease = waiting::wait(py, self.cell.waiting(timeout)?)?;
        self.object(py, &lease)
    }

    /// Returns the current access token without waiting, or `None`.
    fn current_token(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.read(py)
    }

    /// Waits for a token on a thread, and calls `callback(token, error)` there.
    fn _wait(&self, callback: Py<PyAny>) -> PyResult<()> {
        waiting::wait_elsewhere(self.cell.waiting(None)?, callback)
    }

    /// Reports that the API answered 401 to a request with this token.
    fn invalidate(&self, token: &str) -> PyResult<()> {
        let token = AccessToken::new(token).map_err(invalid)?;
        self.cell.with(|session| session.invalidate(&token))
    }

    /// Replaces the credentials.
    fn set_credentials(&self, credentials: &Credentials) -> PyResult<()> {
        let credentials = credentials.0.clone();
        self.cell.with(|session| session.set_credentials(credentials))
    }

    /// Clears the denial and all backoff.
    fn reset(&self) -> PyResult<()> {
        self.cell.with(blocking::Session::reset)
    }

    /// Restores tokens that were stored before a restart.
    fn restore(&self, stored: &StoredTokens) -> PyResult<()> {
        let stored = (*stored.0).clone();
        self.cell.with(|session| session.restore(stored))?.map_err(invalid)
    }

    /// Returns the tokens to keep across a restart, or `None`.
    fn stored_tokens(&self) -> PyResult<Option<StoredTokens>> {
        let stored = self.cell.with(blocking::Session::stored_tokens)?;
        Ok(stored.map(|stored| StoredTokens(Arc::new(stored))))
    }

    /// The alias of the session's tokens, if they have one.
    #[getter]
    fn user_alias(&self) -> PyResult<Option<String>> {
        self.cell.with(blocking::Session::user_alias)
    }

    /// The base URL of the API.
    #[getter]
    fn base_url(&self) -> PyResult<String> {
        self.cell.with(|session| session.base_url().as_str().to_owned())
    }

    /// Returns the state of the session, as a dictionary.
    fn _snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        snapshot(py, &self.cell.with(blocking::Session::snapshot)?)
    }

    fn __reduce_ex__(&self, _protocol: Bound<'_, PyAny>) -> PyResult<()> {
        Err(unpicklable("a session"))
    }
}

pub(crate) const fn of_state(state: SessionState) -> &'static str {
    match state {
        SessionState::Good => "good",
        SessionState::Renewing => "renewing",
        SessionState::Waiting => "waiting",
        SessionState::BackingOff => "backing_off",
        SessionState::Denied => "denied",
        _ => "sign_in_needed",
    }
}

fn snapshot<'py>(py: Python<'py>, snapshot: &Snapshot) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let now: Now = point_auth::Runtime::now(&ThreadRuntime::new());
    dict.set_item(intern!(py, "state"), of_state(snapshot.state))?;
    let seconds = |time: Duration| time.as_secs_f64();
    dict.set_item(intern!(py, "token_age"), snapshot.token_age.map(seconds))?;
    dict.set_item(intern!(py, "token_left"), snapshot.token_left.map(seconds))?;
    dict.set_item(intern!(py, "has_refresh_token"), snapshot.has_refresh_token)?;
    dict.set_item(intern!(py, "in_flight"), snapshot.in_flight.map(of_kind))?;
    // Infinite if only other credentials or a reset end it.
    let backoff = snapshot.backoff_until.map(|until| match until.is_never() {
        true => f64::INFINITY,
        false => seconds(until.time_left(now)),
    });
    dict.set_item(intern!(py, "backoff_left"), backoff)?;
    let failure = snapshot.last_failure.as_ref().map(|error| with_causes(error));
    dict.set_item(intern!(py, "last_failure"), failure)?;
    let denial = snapshot.denial.as_ref();
    let denial = denial.map(|one| (one.status().as_u16(), one.code(), one.description()));
    dict.set_item(intern!(py, "denial"), denial)?;
    let counts = PyDict::new(py);
    for (name, count) in crate::sessions::counts(&snapshot.counts) {
        counts.set_item(name, count)?;
    }
    dict.set_item(intern!(py, "counts"), counts)?;
    Ok(dict)
}
