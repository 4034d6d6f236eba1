//! The errors of building a request and of reading a response. No error holds a secret or a raw
//! body.

use std::fmt;

use http::StatusCode;

use crate::answer::Field;
use crate::denial::Denial;
use crate::retry_after::RetryAfter;
use crate::server_text::withhold;

/// The error of a request that could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The body cannot be expressed in JSON.
    #[error("the request body has no JSON form")]
    Body,
    /// The operation's path does not begin with `/`, or has a character or a dot segment that a URL
    /// path cannot have.
    #[error("the operation's path is not a URL path")]
    Path,
}

/// The error of a response that does not hold the result of the operation.
///
/// | outcome | response | meaning for a sign-in |
/// |---|---|---|
/// | [`Denied`](Self::Denied) | 2xx, 400, 401 or 403 with an error object | the server denied it; the same request will be denied again and may lock the account |
/// | [`Unexpected`](Self::Unexpected) | any other status, or a body that is not JSON | not a response of this API; may be temporary |
/// | [`Malformed`](Self::Malformed) | 2xx with JSON that is not a token set | the API answers in a form that this library does not understand |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The server denied the request.
    Denied(Denial),
    /// Not a response of this API: 429, any 3xx or 5xx, a gateway's HTML, bytes that are not JSON.
    #[non_exhaustive]
    Unexpected {
        /// The status.
        status: StatusCode,
        /// The delay that the server asks for before the next request.
        retry_after: Option<RetryAfter>,
        /// The content type and, if there is one, the content encoding, capped and escaped.
        content_type: Option<String>,
        /// Whether the body is JSON. If not, it comes from an intermediary such as a gateway.
        is_json: bool,
        /// Whether the API reports a temporary failure: its `error` is `server_error` or
        /// `temporarily_unavailable`.
        is_temporary: bool,
    },
    /// A 2xx without the result that the operation promises.
    #[non_exhaustive]
    Malformed {
        /// What is wrong.
        reason: MalformedReason,
        /// The line of the body, from 1, or 0 where the fault has no single place.
        line: usize,
        /// The column, in bytes from 1, or 0 where the fault has no single place.
        column: usize,
    },
}

impl ResponseError {
    /// Creates the error for a 2xx that an operation cannot parse.
    pub const fn malformed(reason: MalformedReason) -> Self {
        Self::Malformed { reason, line: 0, column: 0 }
    }

    /// Returns the error without any server text that repeats `secret`.
    ///
    /// Use it for a secret that was added to the request without the operation, such as a bearer
    /// token.
    #[must_use]
    pub fn without(mut self, secret: &str) -> Self {
        match &mut self {
            Self::Denied(denial) => denial.withhold(secret),
            Self::Unexpected { content_type: Some(content_type), .. } => {
                withhold(content_type, secret);
            }
            Self::Unexpected { .. } | Self::Malformed { .. } => {}
        }
        self
    }

    /// Returns the denial, if the server denied the request.
    pub const fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Denied(denial) => Some(denial),
            _ => None,
        }
    }

    /// Returns whether the same request may succeed later without a change on this side.
    ///
    /// That is so after 408, 425, 429, 500, 502, 503 and 504, and after a failure that the API
    /// calls temporary. It is also so after a 2xx that is not JSON, which is the page of a captive
    /// portal or a gateway.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unexpected { status, is_temporary, .. } => *is_temporary || may_pass(*status),
            Self::Denied(_) | Self::Malformed { .. } => false,
        }
    }

    /// Returns the delay that the server asks for before the next request, if it asks for one.
    pub const fn retry_after(&self) -> Option<RetryAfter> {
        match self {
            Self::Unexpected { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn may_pass(status: StatusCode) -> bool {
    status.is_success()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_EARLY
                | StatusCode::TOO_MANY_REQUESTS
                | StatusCode::INTERNAL_SERVER_ERROR
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        )
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denial) => denial.fmt(f),
            Self::Unexpected { status, content_type, is_json, .. } => {
                write!(f, "unexpected answer: status {}", status.as_u16())?;
                match (is_json, content_type) {
                    (true, _) => Ok(()),
                    (false, Some(content_type)) => write!(f, ", not JSON ({content_type})"),
                    (false, None) => f.write_str(", not JSON"),
                }
            }
            Self::Malformed { reason, line: 0, .. } => write!(f, "malformed answer: {reason}"),
            Self::Malformed { reason, line, column } => {
                write!(f, "malformed answer: {reason} at line {line}, column {column}")
            }
        }
    }
}

impl std::error::Error for ResponseError {}

/// The fault in a 2xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedReason {
    /// The body is empty.
    #[error("the body is empty")]
    Empty,
    /// The body is larger than the operation allows.
    #[error("the body is too large")]
    TooLarge,
    /// The body begins like a JSON object but is invalid.
    #[error("the body is not valid JSON")]
    Syntax,
    /// The body is JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// A required field is missing or null.
    #[error("`{0}` is missing")]
    Missing(Field),
    /// A known field occurs twice, so it is ambiguous.
    #[error("`{0}` is given twice")]
    Duplicate(Field),
    /// A known field has an invalid value.
    #[error("`{0}` has a value that it cannot have")]
    Invalid(Field),
    /// For operations of your own: the fault, in a fixed text.
    #[error("{0}")]
    Other(&'static str),
}
