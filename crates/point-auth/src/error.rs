//! [`Error`]: the error of a client or a session, for every transport.

mod text;

use std::time::{Duration, SystemTime};

use http::StatusCode;
use point_auth_core::session::{AttemptError, Failure, Now, SessionError};
use point_auth_core::{CredentialsError, Denial, RequestError, ResponseError};
use point_auth_transport::{TransportError, TransportErrorKind};

/// The error of an operation.
///
/// [`kind`](Self::kind) classifies it. `Display` describes it in one line: the cause, the host and
/// port if there was no response, and when a session sends again. The
/// [`source`](std::error::Error::source) adds further causes. Texts and kinds are alike for every
/// transport. An error holds no secret and may be logged with all its causes.
#[derive(Clone, Debug)]
pub struct Error(Cause);

#[derive(Clone, Debug)]
enum Cause {
    Request(RequestError),
    Transport(TransportError),
    Response {
        error: ResponseError,
        /// The delay that the server asks for, from when the response came.
        retry_after: Option<Duration>,
        /// Whether the response was to an operation of the user's.
        is_operation: bool,
    },
    Credentials(CredentialsError),
    /// A request of the user's does not say, or says wrongly, whose token it wants.
    Alias(&'static str),
    /// A session has no token.
    Session {
        error: SessionError,
        /// When the session was asked.
        asked_at: Now,
    },
}

/// The kind of an operation's failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server denied a sign-in or a refresh: see [`Error::denial`]. A sign-in with unchanged
    /// credentials will be denied again, and may lock the account.
    Denied,
    /// The server refused an operation of your own with an error object: see [`Error::denial`].
    /// This says nothing about the password or the refresh token.
    Refused,
    /// The response is not of this API: 429, any 3xx or 5xx, a gateway's page. Most are temporary.
    Unexpected,
    /// The API answered in a form that this library does not understand.
    Malformed,
    /// There is no connection to the server, to the proxy, or through the proxy.
    Connect,
    /// TLS failed, most often because a certificate is not trusted.
    Tls,
    /// A time limit was reached.
    Timeout,
    /// The response is larger than the operation allows.
    TooLarge,
    /// The peer violated HTTP, or closed the connection early.
    Protocol,
    /// The transport failed in another way.
    Transport,
    /// The request could not be built, which only an operation of your own can cause.
    Request,
    /// There are no credentials and no good refresh token: a person must sign in.
    SignInNeeded,
    /// The credential source failed or took too long, or the alias is empty, too long, missing or
    /// not the session's.
    Credentials,
    /// The server's tokens are useless: expired on arrival, or rejected by the API.
    UselessToken,
    /// The outcome of sign-ins is unknown: an exchange was abandoned, or too many in a row got no
    /// response.
    OutcomeUnknown,
    /// Too many other aliases of this login were denied in a row. This one is held for a while, or
    /// until the credentials change: see [`Error::retry_after`].
    Held,
}

impl Error {
    /// Returns the kind of the failure.
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
            Some(ResponseError::Denied(_)) => {
                return match self.0 {
                    Cause::Response { is_operation: true, .. } => ErrorKind::Refused,
                    _ => ErrorKind::Denied,
                };
            }
            Some(ResponseError::Malformed { .. }) => return ErrorKind::Malformed,
            Some(_) => return ErrorKind::Unexpected,
            None => {}
        }
        match &self.0 {
            Cause::Credentials(_) | Cause::Alias(_) => ErrorKind::Credentials,
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

    /// Returns whether the operation may succeed later without a change on this side.
    ///
    /// `false` means that waiting does not help, as with an untrusted certificate. A session and a
    /// client agree about this, except for [`ErrorKind::Transport`], which a session calls
    /// retryable. A session keeps trying in any case.
    ///
    /// Wait before the next attempt, at least for [`retry_after`](Self::retry_after). A sign-in
    /// that [may have been sent](Self::may_have_been_sent) may have counted against the account.
    pub fn is_retryable(&self) -> bool {
        match &self.0 {
            Cause::Request(_) | Cause::Credentials(_) | Cause::Alias(_) => false,
            Cause::Transport(error) => error.kind().is_retryable(),
            Cause::Response { error, .. } => error.is_retryable(),
            Cause::Session { error, .. } => match error {
                SessionError::Failed { error, until, .. } => !until.is_never() && may_pass(error),
                SessionError::TimedOut { .. } => true,
                _ => false,
            },
        }
    }

    /// Returns the delay before the next attempt, from when the error came.
    ///
    /// It is the delay that the server asks for, or the time until a session sends again. A date
    /// from the server is compared with this machine's clock when the response came, and is zero if
    /// it had passed.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0 {
            Cause::Response { retry_after, .. } => *retry_after,
            Cause::Session { error: SessionError::Failed { until, .. }, asked_at }
                if !until.is_never() =>
            {
                Some(until.time_left(*asked_at))
            }
            _ => None,
        }
    }

    /// Returns the denial of a sign-in or a refresh, or the refusal of an operation.
    pub fn denial(&self) -> Option<&Denial> {
        match &self.0 {
            Cause::Response { error, .. } => error.denial(),
            Cause::Session { error: SessionError::Denied(denial), .. } => Some(denial),
            _ => None,
        }
    }

    /// Returns the error of the session, if a session had no token.
    pub fn as_session(&self) -> Option<&SessionError> {
        match &self.0 {
            Cause::Session { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Returns why the last exchange of a session gave no token.
    fn attempt(&self) -> Option<&AttemptError> {
        match self.as_session()? {
            SessionError::Failed { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Returns the error of the transport, if it failed.
    pub fn as_transport(&self) -> Option<&TransportError> {
        match (&self.0, self.attempt()) {
            (Cause::Transport(error), _) => Some(error),
            (_, Some(attempt)) => transport_of(attempt),
            _ => None,
        }
    }

    /// Returns the error of the response, if there was one.
    pub fn as_response(&self) -> Option<&ResponseError> {
        match (&self.0, self.attempt()) {
            (Cause::Response { error, .. }, _) => Some(error),
            (_, Some(AttemptError::Response(error))) => Some(error),
            _ => None,
        }
    }

    /// Returns the status of the response, if there was one with a meaningful status.
    pub fn status(&self) -> Option<StatusCode> {
        match (self.denial(), self.as_response()) {
            (Some(denial), _) => Some(denial.status()),
            (_, Some(ResponseError::Unexpected { status, .. })) => Some(*status),
            _ => None,
        }
    }

    /// Returns whether the request may have reached the server, and so may have had an effect.
    pub fn may_have_been_sent(&self) -> bool {
        match &self.0 {
            Cause::Request(_) | Cause::Credentials(_) | Cause::Alias(_) => false,
            Cause::Transport(error) => error.may_have_been_sent(),
            Cause::Response { .. } => true,
            Cause::Session { error, .. } => match error {
                SessionError::SignInNeeded => false,
                SessionError::Failed { error: AttemptError::Failure(failure), .. } => {
                    failure.may_have_been_sent()
                }
                _ => true,
            },
        }
    }

    /// Creates the error of a session that you drive by hand, polled at `asked_at`.
    pub fn from_session(error: SessionError, asked_at: Now) -> Self {
        Self(Cause::Session { error, asked_at })
    }

    /// Creates the error of a request that must say whose token it wants.
    #[cfg(any(feature = "async", feature = "blocking"))]
    pub(crate) fn without_alias() -> Self {
        Self(Cause::Alias("no access token: the request has no alias"))
    }

    /// Creates the error of a request that wants the token of an alias which the session is not of.
    #[cfg(any(feature = "async", feature = "blocking"))]
    pub(crate) fn of_other_alias() -> Self {
        Self(Cause::Alias("no access token: the request has another alias than the session"))
    }

    /// Creates the error of a response to a user's operation, which has just come.
    #[cfg(any(feature = "async", feature = "blocking"))]
    pub(crate) fn of_operation(error: ResponseError) -> Self {
        Self::of_response(error, true)
    }

    fn of_response(error: ResponseError, is_operation: bool) -> Self {
        let retry_after = error.retry_after().map(|wait| wait.delay_from(SystemTime::now()));
        Self(Cause::Response { error, retry_after, is_operation })
    }
}

/// Returns whether an exchange may succeed later after this failure.
fn may_pass(attempt: &AttemptError) -> bool {
    match attempt {
        AttemptError::Response(error) => error.is_retryable(),
        AttemptError::Request(_) => false,
        AttemptError::Failure(failure) => match transport_of(attempt) {
            // Another caller may have a runtime that is not shutting down.
            Some(error) => error.kind().is_retryable() || error.kind() == TransportErrorKind::Other,
            None => !failure.source().is_some_and(|source| source.is::<CredentialsError>()),
        },
        _ => true,
    }
}

/// Returns the error of the transport in an exchange of a session.
fn transport_of(attempt: &AttemptError) -> Option<&TransportError> {
    match attempt {
        AttemptError::Failure(failure) => failure.source()?.downcast_ref(),
        _ => None,
    }
}

/// Returns whether the credentials could not be fetched.
fn is_of_a_source(failure: &Failure) -> bool {
    #[cfg(any(feature = "async", feature = "blocking"))]
    if failure.source().is_some_and(|source| source.is::<crate::credential_source::SourceError>()) {
        return true;
    }
    failure.source().is_some_and(|source| source.is::<CredentialsError>())
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
    /// Creates the error of a sign-in or a refresh whose response has just come.
    fn from(error: ResponseError) -> Self {
        Self::of_response(error, false)
    }
}
