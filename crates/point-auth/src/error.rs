//! [`Error`]: what a client or a session fails with, the same for every transport.

use std::fmt;

use http::StatusCode;
use point_auth_core::session::{AttemptError, Failure, Now, SessionError};
use point_auth_core::{CredentialsError, Denial, RequestError, ResponseError, RetryAfter};
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
    Credentials(CredentialsError),
    /// There is no token.
    Session {
        error: SessionError,
        /// When the session was asked.
        asked_at: Now,
    },
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
    /// There are no credentials and no good refresh token: somebody must sign in.
    SignInNeeded,
    /// The source of the credentials failed, or took too long; or the alias is empty or too long.
    Credentials,
    /// The server gives tokens that are of no use: ended on arrival, or rejected by the API.
    UselessToken,
    /// The outcome of sign-ins is unknown: their exchange was abandoned, or got no answer too often
    /// in a row.
    OutcomeUnknown,
    /// Too many other aliases of this login were denied in a row, so that this one is not sent for a
    /// while, or until the credentials change: see [`Error::retry_after`].
    Held,
}

impl Error {
    /// How the operation failed.
    pub fn kind(&self) -> ErrorKind {
        if let Some(error) = self.as_transport() {
            return match error.kind() {
                TransportErrorKind::Connect => ErrorKind::Connect,
                TransportErrorKind::Tls => ErrorKind::Tls,
                TransportErrorKind::Timeout => ErrorKind::Timeout,
                TransportErrorKind::TooLarge => ErrorKind::TooLarge,
                TransportErrorKind::Protocol => ErrorKind::Protocol,
                _ => ErrorKind::Transport,
            };
        }
        match self.as_response() {
            Some(ResponseError::Denied(_)) => return ErrorKind::Denied,
            Some(ResponseError::Malformed { .. }) => return ErrorKind::Malformed,
            Some(_) => return ErrorKind::Unexpected,
            None => {}
        }
        match &self.0 {
            Cause::Credentials(_) => ErrorKind::Credentials,
            Cause::Session { error: SessionError::Denied(_), .. } => ErrorKind::Denied,
            Cause::Session { error: SessionError::SignInNeeded, .. } => ErrorKind::SignInNeeded,
            Cause::Session { error: SessionError::TimedOut { .. }, .. } => ErrorKind::Timeout,
            Cause::Session { error: SessionError::Failed { error, .. }, .. } => match error {
                AttemptError::Failure(failure) if is_of_a_source(failure) => ErrorKind::Credentials,
                AttemptError::EndedOnArrival | AttemptError::SameToken | AttemptError::Rejected => {
                    ErrorKind::UselessToken
                }
                AttemptError::Request(_) => ErrorKind::Request,
                AttemptError::Held => ErrorKind::Held,
                _ => ErrorKind::OutcomeUnknown,
            },
            _ => ErrorKind::Request,
        }
    }

    /// Whether the same operation may succeed later, with nothing changed on this side.
    ///
    /// Wait before trying again, at least as long as [`retry_after`](Self::retry_after) says. And mind that a sign-in that
    /// [may have been sent](Self::may_have_been_sent) may have counted against the account.
    pub fn is_retryable(&self) -> bool {
        match &self.0 {
            Cause::Request(_) | Cause::Credentials(_) => false,
            Cause::Transport(error) => error.kind().is_retryable(),
            Cause::Response(error) => error.is_retryable(),
            // The session itself tries again, once its pause is over.
            Cause::Session { error, .. } => match error {
                SessionError::Failed { until, .. } => !until.is_never(),
                SessionError::TimedOut { .. } => true,
                _ => false,
            },
        }
    }

    /// How long the server asks to be left alone, if it said so; from a session, how long it sends nothing.
    pub fn retry_after(&self) -> Option<RetryAfter> {
        match &self.0 {
            Cause::Response(error) => error.retry_after(),
            Cause::Session { error: SessionError::Failed { until, .. }, asked_at }
                if !until.is_never() =>
            {
                Some(RetryAfter::Delay(until.time_left(*asked_at)))
            }
            _ => None,
        }
    }

    /// What the server said, if it said no.
    pub fn denial(&self) -> Option<&Denial> {
        match &self.0 {
            Cause::Response(error) => error.denial(),
            Cause::Session { error: SessionError::Denied(denial), .. } => Some(denial),
            _ => None,
        }
    }

    /// Why a session had no token, if that is what it was.
    pub fn as_session(&self) -> Option<&SessionError> {
        match &self.0 {
            Cause::Session { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Why the last exchange of a session gave no token.
    fn attempt(&self) -> Option<&AttemptError> {
        match self.as_session()? {
            SessionError::Failed { error, .. } => Some(error),
            _ => None,
        }
    }

    /// What the transport failed with, if it did.
    pub fn as_transport(&self) -> Option<&TransportError> {
        match (&self.0, self.attempt()) {
            (Cause::Transport(error), _) => Some(error),
            (_, Some(AttemptError::Failure(failure))) => failure.source()?.downcast_ref(),
            _ => None,
        }
    }

    /// What is wrong with the response, if there was one.
    pub fn as_response(&self) -> Option<&ResponseError> {
        match (&self.0, self.attempt()) {
            (Cause::Response(error), _) => Some(error),
            (_, Some(AttemptError::Response(error))) => Some(error),
            _ => None,
        }
    }

    /// The status of the response, if there was one that says something.
    pub fn status(&self) -> Option<StatusCode> {
        match (self.denial(), self.as_response()) {
            (Some(denial), _) => Some(denial.status()),
            (_, Some(ResponseError::Unexpected { status, .. })) => Some(*status),
            _ => None,
        }
    }

    /// Whether the request may have reached the server, and so may have had an effect there.
    pub fn may_have_been_sent(&self) -> bool {
        match &self.0 {
            Cause::Request(_) | Cause::Credentials(_) => false,
            Cause::Transport(error) => error.may_have_been_sent(),
            Cause::Response(_) => true,
            Cause::Session { error, .. } => match error {
                SessionError::SignInNeeded => false,
                SessionError::Failed { error: AttemptError::Failure(failure), .. } => {
                    failure.may_have_been_sent()
                }
                _ => true,
            },
        }
    }

    /// The error of a session that you drive by hand, asked at that time.
    pub fn from_session(error: SessionError, asked_at: Now) -> Self {
        Self(Cause::Session { error, asked_at })
    }
}

/// Whether the credentials could not be had.
fn is_of_a_source(failure: &Failure) -> bool {
    #[cfg(any(feature = "async", feature = "blocking"))]
    if failure.source().is_some_and(|source| source.is::<crate::credential_source::SourceError>()) {
        return true;
    }
    failure.source().is_some_and(|source| source.is::<CredentialsError>())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Request(error) => error.fmt(f),
            Cause::Credentials(error) => error.fmt(f),
            Cause::Transport(error) => error.fmt(f),
            Cause::Response(error) => error.fmt(f),
            Cause::Session { error, .. } => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    /// The cause of the cause: `Display` has said the cause's own words already.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Cause::Request(error) => error.source(),
            Cause::Credentials(error) => error.source(),
            Cause::Transport(error) => error.source(),
            Cause::Response(error) => error.source(),
            Cause::Session { error, .. } => error.source(),
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self(Cause::Request(error))
    }
}

impl From<CredentialsError> for Error {
    fn from(error: CredentialsError) -> Self {
        Self(Cause::Credentials(error))
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
