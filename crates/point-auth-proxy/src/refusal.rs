//! [`Refusal`]: what the proxy says itself, in place of the API.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use point_auth::ErrorKind;
use point_auth_transport::{TransportError, TransportErrorKind};

/// Tells the proxy's own responses from the API's. It holds the code of the refusal.
pub(crate) const PROXY_ERROR: HeaderName = HeaderName::from_static("point-auth-proxy-error");

/// A response of the proxy's own. Its text holds nothing of the request, and no secret.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// A word for programs, and for the metrics.
    pub(crate) code: &'static str,
    description: String,
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, description: &str) -> Self {
        Self { status, code, description: description.to_owned(), retry_after: None }
    }

    pub(crate) fn bad_request(code: &'static str, description: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, description)
    }

    pub(crate) fn forbidden(code: &'static str, description: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, description)
    }

    /// There is no token: for the moment (503), or until an operator acts (502).
    pub(crate) fn no_token(error: &point_auth::Error) -> Self {
        let code = match error.kind() {
            ErrorKind::Denied => "denied",
            ErrorKind::SignInNeeded => "sign_in_needed",
            ErrorKind::Credentials => "credentials",
            ErrorKind::Held => "held",
            _ => "no_token",
        };
        // An error of a session holds no secret and may be shown.
        let description = error.to_string();
        if error.is_retryable() {
            let retry_after = Some(error.retry_after().unwrap_or_default());
            Self { status: StatusCode::SERVICE_UNAVAILABLE, code, description, retry_after }
        } else {
            Self { status: StatusCode::BAD_GATEWAY, code, description, retry_after: None }
        }
    }

    /// The API gave no response.
    pub(crate) fn upstream(error: &TransportError) -> Self {
        let (status, code) = match error.kind() {
            TransportErrorKind::Timeout => (StatusCode::GATEWAY_TIMEOUT, "upstream_timeout"),
            TransportErrorKind::Connect => (StatusCode::BAD_GATEWAY, "upstream_connect"),
            TransportErrorKind::Tls => (StatusCode::BAD_GATEWAY, "upstream_tls"),
            _ => (StatusCode::BAD_GATEWAY, "upstream_protocol"),
        };
        Self::new(status, code, &error.to_string())
    }

    pub(crate) fn into_response(self) -> Response<Bytes> {
        let body = serde_json::json!({
            "error": self.code,
            "error_description": self.description,
        });
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(PROXY_ERROR, HeaderValue::from_static(self.code));
        if let Some(delay) = self.retry_after {
            // Rounded up, since a client that comes too early is refused again.
            let seconds = delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0));
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
