//! What can go wrong while a request is built or a response is read. No error holds a secret or a
//! raw body.

use std::fmt;

use http::StatusCode;

use crate::answer::Field;
use crate::denial::Denial;
use crate::retry_after::RetryAfter;
use crate::server_text::withhold;

/// A request could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The body has no JSON form.
    #[error("the request body has no JSON form")]
    Body,
    /// The operation's path does not begin with `/`, or holds a character or a dot segment that a
    /// URL path may not.
    #[error("the operation's path is not a URL path")]
    Path,
}

/// A response is not what the operation was sent for.
///
/// | outcome | said by | what it means for a sign-in |
/// |---|---|---|
/// | [`Denied`](Self::Denied) | 2xx, 400, 401 or 403 with an error object | the server said no; the same request will be denied again and may lock the account |
/// | [`Unexpected`](Self::Unexpected) | any other status, or a body that is not JSON | not an answer of this API; it may pass |
/// | [`Malformed`](Self::Malformed) | 2xx with JSON that is not a token set | the API answers something this library does not understand |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The server said no.
    Denied(Denial),
    /// Not an answer of this API: 429, any 3xx or 5xx, a gateway's HTML, bytes that are not JSON.
    #[non_exhaustive]
    Unexpected {
        /// The status.
        status: StatusCode,
        /// How long the server asks to be left alone.
        retry_after: Option<RetryAfter>,
        /// The content type and, if there is one, the content encoding, capped and escaped.
        content_type: Option<String>,
        /// Whether the body is JSON; a false one comes from something in between, such as a
        /// gateway.
        is_json: bool,
        /// Whether the API itself says that it failed for now: its `error` is `server_error` or
        /// `temporarily_unavailable`.
        is_temporary: bool,
    },
    /// A 2xx that is not what the operation promises.
    #[non_exhaustive]
    Malformed {
        /// What is wrong.
        reason: MalformedReason,
        /// The line of the body, from 1, or 0 where the fault is in no one place.
        line: usize,
        /// The column, in bytes from 1, or 0 where the fault is in no one place.
        column: usize,
    },
}

impl ResponseError {
    /// A 2xx that an operation cannot make sense of.
    pub const fn malformed(reason: MalformedReason) -> Self {
        Self::Malformed { reason, line: 0, column: 0 }
    }

    /// The same without any text of the server's that repeats `secret`: for whoever has put one on
    /// the request that the operation did not know of, such as a bearer token.
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

    /// The denial, if the server said no.
    pub const fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Denied(denial) => Some(denial),
            _ => None,
        }
    }

    /// Whether the same request may succeed later, with nothing changed on this side.
    ///
    /// So it may after 408, 425, 429, 500, 502, 503 and 504, after a failure that the API itself
    /// calls temporary, and after a 2xx that is not JSON, which is the page of a captive portal or
    /// a gateway.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unexpected { status, is_temporary, .. } => *is_temporary || may_pass(*status),
            Self::Denied(_) | Self::Malformed { .. } => false,
        }
    }

    /// How long the server asks to be left alone, if it said so.
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

/// What is wrong with a 2xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedReason {
    /// The body is empty.
    #[error("the body is empty")]
    Empty,
    /// The body is larger than the operation allows.
    #[error("the body is too large")]
    TooLarge,
    /// The body begins like a JSON object and is not one.
    #[error("the body is not valid JSON")]
    Syntax,
    /// The body is JSON of another kind.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// A field that must be there is missing or null.
    #[error("`{0}` is missing")]
    Missing(Field),
    /// A known field is there twice, so that nobody can say which one counts.
    #[error("`{0}` is given twice")]
    Duplicate(Field),
    /// A known field has a value that it cannot have.
    #[error("`{0}` has a value that it cannot have")]
    Invalid(Field),
    /// For operations of your own: what is wrong, in fixed words.
    #[error("{0}")]
    Other(&'static str),
}
