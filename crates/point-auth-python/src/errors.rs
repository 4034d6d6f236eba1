//! Rust's errors as the exceptions of `point_auth`, which are classes in Python.

use std::error::Error as _;

use point_auth::transport::SettingsError;
use point_auth::{Error, ErrorKind};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;

/// Returns the exception for an error of a session or of a response.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let denial = error.denial().map(|denial| {
        (
            denial.status().as_u16(),
            denial.code().to_owned(),
            denial.description().map(str::to_owned),
        )
    });
    raised(
        py,
        text(error),
        kind(error.kind()),
        error.is_retryable(),
        error.retry_after().map(|delay| delay.as_secs_f64()),
        denial,
        error.status().map(|status| status.as_u16()),
        error.may_have_been_sent(),
    )
}

/// Returns the exception for settings that no session can be built from.
pub(crate) fn of_settings(py: Python<'_>, error: &SettingsError) -> PyErr {
    plain(py, with_causes(error), "settings")
}

/// Returns the exception of a kind that Python alone has.
pub(crate) fn plain(py: Python<'_>, message: String, kind: &str) -> PyErr {
    raised(py, message, kind, false, None, None, None, false)
}

/// Returns the exception for an argument that is not valid.
pub(crate) fn invalid(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Returns the exception for an object that is not to be pickled.
pub(crate) fn unpicklable(what: &str) -> PyErr {
    PyTypeError::new_err(format!("{what} is not pickled: it has secrets in it"))
}

/// Returns the error with all its causes in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

fn text(error: &Error) -> String {
    match error.source() {
        Some(_) => with_causes(error),
        None => error.to_string(),
    }
}

#[expect(clippy::too_many_arguments, reason = "the fields of one exception")]
fn raised(
    py: Python<'_>,
    message: String,
    kind: &str,
    retryable: bool,
    retry_after: Option<f64>,
    denial: Option<(u16, String, Option<String>)>,
    status: Option<u16>,
    may_have_been_sent: bool,
) -> PyErr {
    let make = || -> PyResult<Bound<'_, PyAny>> {
        let module = py.import(intern!(py, "point_auth._errors"))?;
        module.getattr(intern!(py, "make"))?.call1((
            message,
            kind,
            retryable,
            retry_after,
            denial,
            status,
            may_have_been_sent,
        ))
    };
    match make() {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// Tells `sys.unraisablehook` of an exception of a callable of the user's.
#[pyfunction]
#[pyo3(signature = (error, r#where))]
pub(crate) fn write_unraisable(error: Bound<'_, PyAny>, r#where: &Bound<'_, PyAny>) {
    let py = error.py();
    PyErr::from_value(error).write_unraisable(py, Some(r#where));
}

/// The error of a thread that could not be started or has ended early.
pub(crate) fn no_thread() -> PyErr {
    PyRuntimeError::new_err("the thread that waits for a token has ended")
}

const fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Denied => "denied",
        ErrorKind::Refused => "refused",
        ErrorKind::Unexpected => "unexpected",
        ErrorKind::Malformed => "malformed",
        ErrorKind::Connect => "connect",
        ErrorKind::Tls => "tls",
        ErrorKind::Timeout => "timeout",
        ErrorKind::TooLarge => "too_large",
        ErrorKind::Protocol => "protocol",
        ErrorKind::Request => "request",
        ErrorKind::SignInNeeded => "sign_in_needed",
        ErrorKind::Credentials => "credentials",
        ErrorKind::UselessToken => "useless_token",
        ErrorKind::OutcomeUnknown => "outcome_unknown",
        ErrorKind::Held => "held",
        _ => "transport",
    }
}
