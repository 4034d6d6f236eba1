//! [`SignIn`] and [`Refresh`] as pure functions, for programs with an HTTP client of their own.

use http::{HeaderName, HeaderValue, Response, StatusCode};
use point_auth::{BaseUrl, Error, Operation, RefreshToken, ResponseError, SecretBody};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyString};
use pyo3::{intern, pybacked::PyBackedBytes};

use crate::errors::{exception, invalid, unpicklable};
use crate::secrets;

/// Signs in with a username and a password: builds the request, and reads the response.
///
/// A denied sign-in counts against the account. Send each request once, and follow no redirect.
#[pyclass(frozen, module = "point_auth")]
pub(crate) struct SignIn(point_auth::Credentials);

#[pymethods]
impl SignIn {
    #[new]
    #[pyo3(signature = (username, password, *, user_alias = None))]
    fn new(username: &str, password: String, user_alias: Option<&str>) -> PyResult<Self> {
        Ok(Self(secrets::credentials(username, password, user_alias)?))
    }

    /// Builds the request.
    #[pyo3(signature = (base_url = None))]
    fn to_request(&self, base_url: Option<&str>) -> PyResult<Request> {
        request(&point_auth::SignIn::new(&self.0), base_url)
    }

    /// Reads the response, whose headers are a mapping or pairs.
    fn parse(
        &self,
        py: Python<'_>,
        status: u16,
        headers: &Bound<'_, PyAny>,
        body: PyBackedBytes,
    ) -> PyResult<TokenSet> {
        let response = response(status, headers, body)?;
        tokens(py, point_auth::SignIn::new(&self.0).parse_response(&response))
    }

    fn __repr__(&self) -> &'static str {
        "SignIn([redacted])"
    }

    fn __reduce_ex__(&self, _protocol: Bound<'_, PyAny>) -> PyResult<()> {
        Err(unpicklable("a SignIn"))
    }
}

/// Obtains a new access token with a refresh token: builds the request, and reads the response.
#[pyclass(frozen, module = "point_auth")]
pub(crate) struct Refresh(RefreshToken);

#[pymethods]
impl Refresh {
    #[new]
    fn new(refresh_token: &str) -> PyResult<Self> {
        Ok(Self(RefreshToken::new(refresh_token).map_err(invalid)?))
    }

    /// Builds the request.
    #[pyo3(signature = (base_url = None))]
    fn to_request(&self, base_url: Option<&str>) -> PyResult<Request> {
        request(&point_auth::Refresh::new(&self.0), base_url)
    }

    /// Reads the response, whose headers are a mapping or pairs.
    fn parse(
        &self,
        py: Python<'_>,
        status: u16,
        headers: &Bound<'_, PyAny>,
        body: PyBackedBytes,
    ) -> PyResult<TokenSet> {
        let response = response(status, headers, body)?;
        tokens(py, point_auth::Refresh::new(&self.0).parse_response(&response))
    }

    fn __repr__(&self) -> &'static str {
        "Refresh([redacted])"
    }

    fn __reduce_ex__(&self, _protocol: Bound<'_, PyAny>) -> PyResult<()> {
        Err(unpicklable("a Refresh"))
    }
}

/// A request, to be sent once to this URL and to no other. Its body has a secret in it.
#[pyclass(frozen, module = "point_auth")]
pub(crate) struct Request {
    request: http::Request<SecretBody>,
}

#[pymethods]
impl Request {
    /// The method.
    #[getter]
    fn method(&self) -> &str {
        self.request.method().as_str()
    }

    /// The whole URL.
    #[getter]
    fn url(&self) -> String {
        self.request.uri().to_string()
    }

    /// The headers.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        for (name, value) in self.request.headers() {
            headers.set_item(name.as_str(), value.to_str().map_err(invalid)?)?;
        }
        Ok(headers)
    }

    /// The body.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.request.body().as_ref())
    }

    fn __repr__(&self) -> String {
        format!("Request({} {}, [redacted])", self.request.method(), self.request.uri())
    }

    fn __reduce_ex__(&self, _protocol: Bound<'_, PyAny>) -> PyResult<()> {
        Err(unpicklable("a Request"))
    }
}

/// The tokens of a sign-in or a refresh. `repr` shows neither of them.
#[pyclass(frozen, module = "point_auth")]
pub(crate) struct TokenSet(point_auth::TokenSet);

#[pymethods]
impl TokenSet {
    /// The access token. It has no time of its end: that counts from when the request was sent.
    #[getter]
    fn access_token(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        secrets::access_token(py, self.0.access_token().expose(), None)
    }

    /// The refresh token to use from now on, if there is one.
    #[getter]
    fn refresh_token<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let token = self.0.refresh_token();
        token.map(|token| secrets::refresh_token(py, token.expose())).transpose()
    }

    /// The scope, if the server sent one.
    #[getter]
    fn scope(&self) -> Option<&str> {
        self.0.scope().map(point_auth::Scope::as_str)
    }

    /// How the access token is used: `"Bearer"`.
    #[getter]
    fn token_type(&self) -> String {
        self.0.token_type().to_string()
    }

    /// The lifetime of the access token in seconds, from when the request was sent.
    #[getter]
    fn expires_in(&self) -> u64 {
        self.0.expires_in().as_secs()
    }

    fn __repr__(&self) -> String {
        format!("TokenSet([redacted], expires_in={})", self.0.expires_in().as_secs())
    }

    fn __reduce_ex__(&self, _protocol: Bound<'_, PyAny>) -> PyResult<()> {
        Err(unpicklable("a TokenSet"))
    }
}

fn request(operation: &impl Operation, base_url: Option<&str>) -> PyResult<Request> {
    let base = match base_url {
        Some(url) => BaseUrl::parse(url).map_err(invalid)?,
        None => BaseUrl::production(),
    };
    Ok(Request { request: operation.to_request(&base).map_err(invalid)? })
}

fn tokens(
    py: Python<'_>,
    parsed: Result<point_auth::TokenSet, ResponseError>,
) -> PyResult<TokenSet> {
    parsed.map(TokenSet).map_err(|error| exception(py, &Error::from(error)))
}

fn response(
    status: u16,
    headers: &Bound<'_, PyAny>,
    body: PyBackedBytes,
) -> PyResult<Response<PyBackedBytes>> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status)
        .map_err(|_| PyValueError::new_err("a status is a number from 100 to 999"))?;
    let py = headers.py();
    let pairs = match headers.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.into_any(),
        Err(_) => headers.clone(),
    };
    for pair in pairs.try_iter()? {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
        let (name, value) = (bytes(py, &name)?, bytes(py, &value)?);
        // What HTTP cannot carry has no meaning for the API.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(&name), HeaderValue::from_bytes(&value))
        {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

/// The bytes of a header. Clients in Python decode them as Latin-1.
fn bytes(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = text.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    let text = text.cast::<PyString>();
    let text = text.map_err(|_| PyTypeError::new_err("a header is a str or bytes"))?;
    match text.call_method1(intern!(py, "encode"), (intern!(py, "latin-1"),)) {
        Ok(bytes) => Ok(bytes.cast::<PyBytes>()?.as_bytes().to_vec()),
        Err(_) => Ok(text.to_str()?.as_bytes().to_vec()),
    }
}
