//! Values with a secret in them: their `repr` is redacted, and they are not pickled.

use std::sync::Arc;

use point_auth::secrecy::{ExposeSecret, SecretString};
use point_auth::session::{Lease, StoredTokens as Stored};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyType};
use std::time::UNIX_EPOCH;

use crate::errors::{invalid, unpicklable};

/// A username, its password and an optional alias of the acting person.
///
/// A callable of a session's `credentials` returns one. `repr` shows the username alone.
#[pyclass(frozen, module = "point_auth")]
#[derive(Clone)]
pub(crate) struct Credentials(pub(crate) point_auth::Credentials);

#[pymethods]
impl Credentials {
    #[new]
    #[pyo3(signature = (username, password, *, user_alias = None))]
    fn new(username: &str, password: String, user_alias: Option<&str>) -> PyResult<Self> {
        Ok(Self(credentials(username, password, user_alias)?))
    }

    /// The username.
    #[getter]
    fn username(&self) -> &str {
        self.0.username()
    }

    /// The password.
    #[getter]
    fn password(&self) -> &str {
        self.0.password().expose_secret()
    }

    /// The alias, if there is one.
    #[getter]
    fn user_alias(&self) -> Option<&str> {
        self.0.user_alias()
    }

    fn __repr__(&self) -> &'static str {
        "Credentials([redacted])"
    }

    fn __reduce_ex__(&self, _protocol: Bound<'_, PyAny>) -> PyResult<()> {
        Err(unpicklable("a Credentials"))
    }
}

/// Creates credentials of the library, which copies the password and wipes its copy.
pub(crate) fn credentials(
    username: &str,
    password: String,
    user_alias: Option<&str>,
) -> PyResult<point_auth::Credentials> {
    let credentials = point_auth::Credentials::new(username, SecretString::from(password));
    let credentials = credentials.map_err(invalid)?;
    match user_alias {
        Some(user_alias) => credentials.with_user_alias(user_alias).map_err(invalid),
        None => Ok(credentials),
    }
}

/// The tokens of a session, to be kept across a restart.
///
/// They are as secret as a password. `repr` shows neither of them.
#[pyclass(frozen, module = "point_auth")]
#[derive(Clone)]
pub(crate) struct StoredTokens(pub(crate) Arc<Stored>);

#[pymethods]
impl StoredTokens {
    /// Returns JSON with both tokens in it. Store it as securely as a password.
    fn expose_json<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.expose_json().as_ref())
    }

    /// Parses what `expose_json` returned.
    #[staticmethod]
    fn from_json(json: &[u8]) -> PyResult<Self> {
        Ok(Self(Arc::new(Stored::from_json(json).map_err(invalid)?)))
    }

    /// The username of the tokens, if it is known.
    #[getter]
    fn username(&self) -> Option<&str> {
        self.0.username()
    }

    /// The alias of the tokens, if they have one.
    #[getter]
    fn user_alias(&self) -> Option<&str> {
        self.0.user_alias()
    }

    fn __repr__(&self) -> &'static str {
        "StoredTokens([redacted])"
    }

    fn __reduce_ex__(&self, _protocol: Bound<'_, PyAny>) -> PyResult<()> {
        Err(unpicklable("a StoredTokens"))
    }
}

/// Creates a `point_auth.Token`, which is a class of Python: a `str` has no subclass in Rust.
pub(crate) fn token(py: Python<'_>, lease: &Lease) -> PyResult<Py<PyAny>> {
    let expires_at = lease.expires_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    access_token(py, lease.token.expose(), Some(expires_at.as_secs_f64()))
}

/// Creates a `point_auth.Token` from a text.
pub(crate) fn access_token(
    py: Python<'_>,
    text: &str,
    expires_at: Option<f64>,
) -> PyResult<Py<PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "point_auth._tokens", "Token")?;
    Ok(class.call1((text, expires_at))?.unbind())
}

/// Creates a `point_auth.RefreshToken` from a text.
pub(crate) fn refresh_token<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let module = py.import(intern!(py, "point_auth._tokens"))?;
    module.getattr(intern!(py, "RefreshToken"))?.call1((text,))
}
