//! [`Error`]: what a client or a session fails with, alike for every transport.

use std::error::Error as StdError;
use std::fmt::{self, Display};
use std::time::{Duration, SystemTime};

use http::StatusCode;
use point_auth_core::session::{AttemptError, Failure, Now, SessionError};
use point_auth_core::{CredentialsError, Denial, RequestError, ResponseError};
use point_auth_transport::{TransportError, TransportErrorKind};

/// An operation failed.
///
/// [`kind`](Self::kind) says how. `Display` says in one line what happened: the cause, the host and
/// port where there was no answer, and when a session sends again. The
/// [`source`](std::error::Error::source) goes on with what that line has not said. Texts and kinds
/// are alike for every transport. Nothing in it is secret: it may be logged with all of its causes.
#[derive(Clone, Debug)]
pub struct Error(Cause);

#[derive(Clone, Debug)]
enum Cause {
    Request(RequestError),
    Transport(TransportError),
    Response {
        error: ResponseError,
        /// How long the server asks to be left alone, from when the response came.
        retry_after: Option<Duration>,
        /// Whether it is an operation of the user's that was answered.
        is_operation: bool,
    },
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
    /// The server denied a sign-in or a refresh: see [`Error::denial`]. A sign-in that is sent
    /// again as it is will be denied again, and may lock the account.
    Denied,
    /// The server refused an operation of your own with an error object: see [`Error::denial`]. It
    /// says nothing about the password or the refresh token.
    Refused,
    /// An answer that is not this API's: 429, any 3xx or 5xx, a gateway's page. Most pass.
    Unexpected,
    /// The API answered something that this library does not understand.
    Malformed,
    /// No connection: to the server, or to or through the proxy.
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
    /// There are no credentials and no good refresh token: a person must sign in.
    SignInNeeded,
    /// The source of the credentials failed, or took too long; or the alias is empty or too long.
    Credentials,
    /// The server gives tokens that are of no use: ended on arrival, or rejected by the API.
    UselessToken,
    /// The outcome of sign-ins is unknown: their exchange was abandoned, or got no answer too often
    /// in a row.
    OutcomeUnknown,
    /// Too many other aliases of this login were denied in a row, so that this one is not sent for
    /// a while, or until the credentials change: see [`Error::retry_after`].
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
    /// A session says of a failure what a client says of it, but for [`ErrorKind::Transport`],
    /// which it calls retryable. It goes on trying whatever this returns. False means that waiting
    /// alone will not help, as with an untrusted certificate.
    ///
    /// Wait before trying again, at least as long as [`retry_after`](Self::retry_after) says. A
    /// sign-in that [may have been sent](Self::may_have_been_sent) may have counted against the
    /// account.
    pub fn is_retryable(&self) -> bool {
        match &self.0 {
            Cause::Request(_) | Cause::Credentials(_) => false,
            Cause::Transport(error) => error.kind().is_retryable(),
            Cause::Response { error, .. } => error.is_retryable(),
            Cause::Session { error, .. } => match error {
                SessionError::Failed { error, until, .. } => !until.is_never() && may_pass(error),
                SessionError::TimedOut { .. } => true,
                _ => false,
            },
        }
    }

    /// How long to wait, from when the error came: as the server asks, or until a session sends
    /// again.
    ///
    /// A server may name a date. It is measured against the clock of this machine at the time when
    /// the response came, and is zero if it had passed.
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

    /// What the server said, if it denied a sign-in or a refresh, or refused an operation.
    pub fn denial(&self) -> Option<&Denial> {
        match &self.0 {
            Cause::Response { error, .. } => error.denial(),
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
            (_, Some(attempt)) => transport_of(attempt),
            _ => None,
        }
    }

    /// What is wrong with the response, if there was one.
    pub fn as_response(&self) -> Option<&ResponseError> {
        match (&self.0, self.attempt()) {
            (Cause::Response { error, .. }, _) => Some(error),
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

    /// The error of a session that you drive by hand, asked at that time.
    pub fn from_session(error: SessionError, asked_at: Now) -> Self {
        Self(Cause::Session { error, asked_at })
    }

    /// The error of a response to an operation of the user's, which has just come.
    #[cfg(any(feature = "async", feature = "blocking"))]
    pub(crate) fn of_operation(error: ResponseError) -> Self {
        Self::of_response(error, true)
    }

    fn of_response(error: ResponseError, is_operation: bool) -> Self {
        let retry_after = error.retry_after().map(|wait| wait.delay_from(SystemTime::now()));
        Self(Cause::Response { error, retry_after, is_operation })
    }
}

/// Whether an exchange that failed like this may succeed later.
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

/// What the transport failed with in an exchange of a session.
fn transport_of(attempt: &AttemptError) -> Option<&TransportError> {
    match attempt {
        AttemptError::Failure(failure) => failure.source()?.downcast_ref(),
        _ => None,
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

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Request(error) => error.fmt(f),
            Cause::Credentials(error) => error.fmt(f),
            Cause::Transport(error) => fmt_transport(error, f),
            Cause::Response { error, .. } => error.fmt(f),
            Cause::Session { error, asked_at } => fmt_session(error, *asked_at, f),
        }
    }
}

impl StdError for Error {
    /// The first cause that `Display` has not said.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Cause::Request(error) => error.source(),
            Cause::Credentials(error) => error.source(),
            Cause::Transport(error) => source_of_transport(error),
            Cause::Response { error, .. } => error.source(),
            Cause::Session { error, .. } => source_of_session(error),
        }
    }
}

/// Writes what a session's error says in one line.
fn fmt_session(error: &SessionError, asked_at: Now, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error {
        SessionError::Failed { error, until, .. } => {
            f.write_str("no access token: ")?;
            fmt_attempt(error, f)?;
            if until.is_never() {
                return f.write_str("; no attempt before the credentials change or a reset");
            }
            let left = until.time_left(asked_at);
            // In whole seconds, and never sooner than it is.
            match left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0)) {
                0 => Ok(()),
                seconds => write!(f, "; next attempt in {seconds} s"),
            }
        }
        SessionError::TimedOut { last: Some(error), .. } => {
            f.write_str("no access token in time: ")?;
            fmt_attempt(error, f)
        }
        SessionError::TimedOut { last: None, .. } => f.write_str("no access token in time"),
        SessionError::SignInNeeded => {
            f.write_str("no access token: there are no credentials and no good refresh token")
        }
        _ => error.fmt(f),
    }
}

/// What [`fmt_session`] has not said.
fn source_of_session(error: &SessionError) -> Option<&(dyn StdError + 'static)> {
    match error {
        SessionError::Failed { error, .. } | SessionError::TimedOut { last: Some(error), .. } => {
            match transport_of(error) {
                Some(error) => source_of_transport(error),
                None => error.source(),
            }
        }
        _ => error.source(),
    }
}

fn fmt_attempt(error: &AttemptError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match transport_of(error) {
        Some(error) => fmt_transport(error, f),
        None => error.fmt(f),
    }
}

fn fmt_transport(error: &TransportError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    error.fmt(f)?;
    match explanation(error) {
        Some(explanation) => write!(f, ": {explanation}"),
        None => Ok(()),
    }
}

/// What [`fmt_transport`] has not said.
fn source_of_transport(error: &TransportError) -> Option<&(dyn StdError + 'static)> {
    match explanation(error) {
        Some(explanation) => explanation.source(),
        None => error.source(),
    }
}

/// The first cause, where the text of the error itself names none.
fn explanation(error: &TransportError) -> Option<&(dyn StdError + 'static)> {
    error.source().filter(|_| error.reason().is_none())
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
    /// The error of a sign-in or a refresh whose response has just come.
    fn from(error: ResponseError) -> Self {
        Self::of_response(error, false)
    }
}
