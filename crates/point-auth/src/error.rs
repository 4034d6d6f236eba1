//! [`Error`]: what a client or a session fails with, the same for every transport.

use std::fmt;

use http::StatusCode;
use point_auth_core::{Denial, RequestError, ResponseError, RetryAfter};
use point_auth_transport::{TransportError, TransportErrorKind};

/// An operation failed.
///
/// [`kind`](Self::kind) says how, alike for every transport. Nothing in it is secret: it may be logged with all of its
/// causes.
#[derive(Clone, Debug)]
pub struct Error(Cause);

#[derive(Clone, Debug)]
enum Cause {
    Request(RequestError),
    Transport(TransportError),
    Response(ResponseError),
}

/// How an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server said no: see [`Error::denial`]. Sent again as it is, it will be denied again and may lock the account.
    Denied,
    /// An answer that is not this API's: 429, any 3xx or 5xx, a gateway's page. Most pass.
    Unexpected,
    /// The API answered something that this library does not understand.
    Malformed,
    /// No connection.
    Connect,
    /// TLS failed, most often because a certificate is not trusted.
    Tls,
    /// A limit in time was reached.
    Timeout,
    /// The response is larger than the operation allows.
    TooLarge,
    /// The other side did not keep to HTTP, or broke off.
    Protocol,
    /// The transport failed otherwise.
    Transport,
    /// The request could not be built, which only an operation of your own can cause.
    Request,
}

impl Error {
    /// How the operation failed.
    pub fn kind(&self) -> ErrorKind {
        match &self.0 {
            Cause::Request(_) => ErrorKind::Request,
            Cause::Transport(error) => match error.kind() {
                TransportErrorKind::Connect => ErrorKind::Connect,
                TransportErrorKind::Tls => ErrorKind::Tls,
                TransportErrorKind::Timeout => ErrorKind::Timeout,
                TransportErrorKind::TooLarge => ErrorKind::TooLarge,
                TransportErrorKind::Protocol => ErrorKind::Protocol,
                _ => ErrorKind::Transport,
            },
            Cause::Response(ResponseError::Denied(_)) => ErrorKind::Denied,
            Cause::Response(ResponseError::Malformed { .. }) => ErrorKind::Malformed,
            Cause::Response(_) => ErrorKind::Unexpected,
        }
    }

    /// Whether the same operation may succeed later, with nothing changed on this side.
    ///
    /// Wait before trying again, at least as long as [`retry_after`](Self::retry_after) says. And mind that a sign-in that
    /// [may have been sent](Self::may_have_been_sent) may have counted against the account.
    pub fn is_retryable(&self) -> bool {
        match &self.0 {
            Cause::Request(_) => false,
            Cause::Transport(error) => error.kind().is_retryable(),
            Cause::Response(error) => error.is_retryable(),
        }
    }

    /// How long the server asks to be left alone, if it said so.
    pub fn retry_after(&self) -> Option<RetryAfter> {
        match &self.0 {
            Cause::Response(error) => error.retry_after(),
            _ => None,
        }
    }

    /// What the server said, if it said no.
    pub fn denial(&self) -> Option<&Denial> {
        match &self.0 {
            Cause::Response(error) => error.denial(),
            _ => None,
        }
    }

    /// What the transport failed with, if it did.
    pub fn as_transport(&self) -> Option<&TransportError> {
        match &self.0 {
            Cause::Transport(error) => Some(error),
            _ => None,
        }
    }

    /// What is wrong with the response, if there was one.
    pub fn as_response(&self) -> Option<&ResponseError> {
        match &self.0 {
            Cause::Response(error) => Some(error),
            _ => None,
        }
    }

    /// The status of the response, if there was one that says something.
    pub fn status(&self) -> Option<StatusCode> {
        match &self.0 {
            Cause::Response(ResponseError::Denied(denial)) => Some(denial.status()),
            Cause::Response(ResponseError::Unexpected { status, .. }) => Some(*status),
            _ => None,
        }
    }

    /// Whether the request may have reached the server, and so may have had an effect there.
    pub fn may_have_been_sent(&self) -> bool {
        match &self.0 {
            Cause::Request(_) => false,
            Cause::Transport(error) => error.may_have_been_sent(),
            Cause::Response(_) => true,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Request(error) => error.fmt(f),
            Cause::Transport(error) => error.fmt(f),
            Cause::Response(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    /// The cause of the cause: `Display` has said the cause's own words already.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Cause::Request(error) => error.source(),
            Cause::Transport(error) => error.source(),
            Cause::Response(error) => error.source(),
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self(Cause::Request(error))
    }
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        Self(Cause::Transport(error))
    }
}

impl From<ResponseError> for Error {
    fn from(error: ResponseError) -> Self {
        Self(Cause::Response(error))
    }
}
