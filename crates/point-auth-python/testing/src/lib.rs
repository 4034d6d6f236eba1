//! The extension module `point_auth_testing._native`: the emulator of `point-auth-testkit`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use point_auth_testkit as testkit;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The emulator of the API. Private: import `point_auth.testing`.
#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::{Emulator, Fault, RecordedRequest};
}

/// What the server does in place of an answer of the API, once or several times.
#[pyclass(frozen, module = "point_auth.testing")]
struct Fault(testkit::Fault);

#[pymethods]
impl Fault {
    /// An answer with this status.
    #[staticmethod]
    #[pyo3(signature = (status, body = Vec::new(), *, headers = None, delay = 0.0, times = 1))]
    fn respond(
        status: u16,
        body: Vec<u8>,
        headers: Option<HashMap<String, String>>,
        delay: f64,
        times: usize,
    ) -> PyResult<Self> {
        let mut fault = testkit::Fault::respond(checked(status)?).body(body);
        for (name, value) in headers.unwrap_or_default() {
            if !is_header(&name, &value) {
                return Err(PyValueError::new_err("a header is not valid"));
            }
            fault = fault.header(&name, value);
        }
        Self(fault).with(delay, times)
    }

    /// A page of HTML, as a gateway sends one.
    #[staticmethod]
    #[pyo3(signature = (status, *, delay = 0.0, times = 1))]
    fn html(status: u16, delay: f64, times: usize) -> PyResult<Self> {
        Self(testkit::Fault::html(checked(status)?)).with(delay, times)
    }

    /// A redirect.
    #[staticmethod]
    #[pyo3(signature = (status, location, *, times = 1))]
    fn redirect(status: u16, location: &str, times: usize) -> PyResult<Self> {
        if !is_header("location", location) {
            return Err(PyValueError::new_err("a location is not valid"));
        }
        Self(testkit::Fault::redirect(checked(status)?, location)).with(0.0, times)
    }

    /// The API's own answer, but late.
    #[staticmethod]
    #[pyo3(signature = (seconds, *, times = 1))]
    fn delayed(seconds: f64, times: usize) -> PyResult<Self> {
        Self(testkit::Fault::pass()).with(seconds, times)
    }

    /// No answer, and a connection that stays open.
    #[staticmethod]
    #[pyo3(signature = (*, times = 1))]
    fn silent(times: usize) -> PyResult<Self> {
        Self(testkit::Fault::silent()).with(0.0, times)
    }

    /// The connection is closed after the request, without an answer.
    #[staticmethod]
    #[pyo3(signature = (*, times = 1))]
    fn close(times: usize) -> PyResult<Self> {
        Self(testkit::Fault::close_after_request()).with(0.0, times)
    }

    /// The connection is reset after the request, without an answer.
    #[staticmethod]
    #[pyo3(signature = (*, times = 1))]
    fn reset(times: usize) -> PyResult<Self> {
        Self(testkit::Fault::reset()).with(0.0, times)
    }
}

impl Fault {
    fn with(self, delay: f64, times: usize) -> PyResult<Self> {
        Ok(Self(self.0.delay(seconds(delay)?).times(times)))
    }
}

/// One request that reached the emulator.
#[pyclass(frozen, get_all, module = "point_auth.testing")]
struct RecordedRequest {
    /// `sign_in`, `refresh`, `whoami` or `other`.
    operation: &'static str,
    /// The method.
    method: String,
    /// The path, without the emulator's prefix.
    path: String,
    /// The username in its body, if there is one.
    username: Option<String>,
    /// The alias in its body, if there is one.
    user_alias: Option<String>,
    /// The headers, whose names are in lower case.
    headers: HashMap<String, String>,
    /// The body.
    body: Py<PyBytes>,
}

#[pymethods]
impl RecordedRequest {
    fn __repr__(&self) -> String {
        format!("<RecordedRequest {} {}>", self.method, self.path)
    }
}

/// A running emulator of the API on 127.0.0.1. Use it in a `with` block, or call `stop()`.
///
/// `users` are usernames with their passwords. `aliases` are those that a username may have; by
/// default it may have any.
#[pyclass(frozen, module = "point_auth.testing")]
struct Emulator {
    running: Mutex<Option<testkit::Emulator>>,
    base_url: String,
    ca_pem: String,
}

#[pymethods]
impl Emulator {
    #[new]
    #[pyo3(signature = (
        users,
        *,
        tls = true,
        aliases = None,
        access_token_life = 3600.0,
        path_prefix = "",
        port = 0,
        require_client_certificate = false,
    ))]
    #[expect(clippy::too_many_arguments, reason = "each is a setting, by its name")]
    fn new(
        py: Python<'_>,
        users: HashMap<String, String>,
        tls: bool,
        aliases: Option<HashMap<String, Vec<String>>>,
        access_token_life: f64,
        path_prefix: &str,
        port: u16,
        require_client_certificate: bool,
    ) -> PyResult<Self> {
        let mut builder = testkit::Emulator::builder().path_prefix(path_prefix).port(port);
        builder = builder.access_token_life(seconds(access_token_life)?);
        let aliases = aliases.unwrap_or_default();
        for (username, password) in users {
            builder = match aliases.get(&username) {
                Some(aliases) => builder.user_with_aliases(username, password, aliases.clone()),
                None => builder.user(username, password),
            };
        }
        if tls {
            builder = builder.with_tls();
        }
        if require_client_certificate {
            builder = builder.require_client_certificate();
        }
        let emulator = py.detach(|| builder.start());
        let emulator = emulator.map_err(|error| PyOSError::new_err(error.to_string()))?;
        let (base_url, ca_pem) = (emulator.base_url(), emulator.ca_pem().to_owned());
        Ok(Self { running: Mutex::new(Some(emulator)), base_url, ca_pem })
    }

    /// The base URL, without a slash at its end.
    #[getter]
    fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The root certificate that a client has to trust, in PEM.
    #[getter]
    fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The URL of a place that wants a valid access token: 200, or 401.
    #[getter]
    fn whoami_url(&self) -> String {
        format!("{}{}", self.base_url, testkit::Operation::WhoAmI.path())
    }

    /// How many requests there were of this operation.
    fn count(&self, operation: &str) -> PyResult<usize> {
        let operation = of_name(operation)?;
        self.with(|emulator| emulator.count(operation))
    }

    /// Every request so far, in order.
    fn requests(&self, py: Python<'_>) -> PyResult<Vec<RecordedRequest>> {
        let requests = self.with(testkit::Emulator::requests)?;
        Ok(requests.iter().map(|request| recorded(py, request)).collect())
    }

    /// Waits until so many requests have arrived. Returns whether they have, within `timeout`
    /// seconds.
    fn wait_for_requests(&self, py: Python<'_>, count: usize, timeout: f64) -> PyResult<bool> {
        let timeout = seconds(timeout)?;
        py.detach(|| self.with(|emulator| emulator.wait_for_requests(count, timeout)))
    }

    /// Adds a fault for the next request, of this operation or of any.
    #[pyo3(signature = (fault, operation = None))]
    fn push_fault(&self, fault: &Fault, operation: Option<&str>) -> PyResult<()> {
        let operation = operation.map(of_name).transpose()?;
        self.with(|emulator| match operation {
            Some(operation) => emulator.push_fault_for(operation, fault.0.clone()),
            None => emulator.push_fault(fault.0.clone()),
        })
    }

    /// Applies a fault to every request, of this operation or of any.
    #[pyo3(signature = (fault, operation = None))]
    fn always(&self, fault: &Fault, operation: Option<&str>) -> PyResult<()> {
        let operation = operation.map(of_name).transpose()?;
        self.with(|emulator| match operation {
            Some(operation) => emulator.always_for(operation, fault.0.clone()),
            None => emulator.always(fault.0.clone()),
        })
    }

    /// Forgets all faults.
    fn clear_faults(&self) -> PyResult<()> {
        self.with(testkit::Emulator::clear_faults)
    }

    /// Lets time pass at the server: tokens expire.
    fn advance_clock(&self, seconds: f64) -> PyResult<()> {
        let by = self::seconds(seconds)?;
        self.with(|emulator| emulator.clock().advance(by))
    }

    /// Makes a token worthless. Returns whether there was one.
    fn revoke(&self, token: &str) -> PyResult<bool> {
        self.with(|emulator| emulator.revoke(token))
    }

    /// Gives a user another password. Returns whether there is such a user.
    fn change_password(&self, username: &str, password: &str) -> PyResult<bool> {
        self.with(|emulator| emulator.change_password(username, password))
    }

    /// Issues a client certificate of the emulator's authority: the certificate and its key, in PEM.
    fn issue_client_certificate(&self, name: &str) -> PyResult<(String, String)> {
        let issued = self.with(|emulator| emulator.authority().issue_client(name))?;
        let issued = issued.map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok((issued.certificate_pem().to_owned(), issued.private_key_pem().to_owned()))
    }

    /// Stops it and closes its connections. A second call does nothing.
    fn stop(&self, py: Python<'_>) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(running));
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: Vec<Bound<'_, PyAny>>) {
        self.stop(py);
    }

    fn __repr__(&self) -> String {
        format!("<Emulator {}>", self.base_url)
    }
}

impl Emulator {
    fn with<T>(&self, with: impl FnOnce(&testkit::Emulator) -> T) -> PyResult<T> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let running = running.as_ref();
        running.map(with).ok_or_else(|| PyRuntimeError::new_err("the emulator was stopped"))
    }
}

fn recorded(py: Python<'_>, request: &testkit::RecordedRequest) -> RecordedRequest {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    RecordedRequest {
        operation: name_of(request.operation()),
        method: request.method().as_str().to_owned(),
        path: request.path().to_owned(),
        username: request.username().map(str::to_owned),
        user_alias: request.user_alias().map(str::to_owned),
        headers: request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
            .collect(),
        body: PyBytes::new(py, request.body()).unbind(),
    }
}

fn of_name(name: &str) -> PyResult<testkit::Operation> {
    match name {
        "sign_in" => Ok(testkit::Operation::SignIn),
        "refresh" => Ok(testkit::Operation::Refresh),
        "whoami" => Ok(testkit::Operation::WhoAmI),
        "other" => Ok(testkit::Operation::Other),
        _ => Err(PyValueError::new_err("operations: 'sign_in', 'refresh', 'whoami', 'other'")),
    }
}

const fn name_of(operation: testkit::Operation) -> &'static str {
    match operation {
        testkit::Operation::SignIn => "sign_in",
        testkit::Operation::Refresh => "refresh",
        testkit::Operation::WhoAmI => "whoami",
        _ => "other",
    }
}

/// The testkit takes what is not valid for a mistake of the test, and panics.
fn checked(status: u16) -> PyResult<u16> {
    let is_valid = (200..=999).contains(&status);
    is_valid
        .then_some(status)
        .ok_or_else(|| PyValueError::new_err("a status is a number from 200 to 999"))
}

fn is_header(name: &str, value: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_value = |byte: u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
    !name.is_empty() && name.bytes().all(is_name) && value.bytes().all(is_value)
}

fn seconds(seconds: f64) -> PyResult<Duration> {
    let wrong = |_| PyValueError::new_err("a time is a number of seconds, zero or more");
    Duration::try_from_secs_f64(seconds).map_err(wrong)
}
