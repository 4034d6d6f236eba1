//! The end of an exchange: [`Failure`] is the input, [`Outcome`] and [`SessionError`] are the
//! output.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::action::ExchangeKind;
use super::time::Moment;
use crate::{Denial, RequestError, ResponseError, TokenSet};

/// An exchange that got no response.
#[derive(Clone, Debug)]
pub struct Failure {
    may_have_been_sent: bool,
    is_abandoned: bool,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Creates a failure after which the request may have reached the server.
    ///
    /// Use it unless the contrary is certain.
    pub const fn maybe_sent() -> Self {
        Self { may_have_been_sent: true, is_abandoned: false, source: None }
    }

    /// Creates a failure where no byte of the request body can have reached the server.
    pub const fn not_sent() -> Self {
        Self { may_have_been_sent: false, is_abandoned: false, source: None }
    }

    /// Creates a failure whose sender ended, panicked or was canceled.
    ///
    /// The request may have reached the server. The next caller takes over: at once after a
    /// refresh, a second later after a sign-in. Without this report, that happens two seconds after
    /// the deadline of the exchange.
    pub const fn abandoned() -> Self {
        Self { may_have_been_sent: true, is_abandoned: true, source: None }
    }

    /// Sets the cause, which becomes the source of the callers' error. It must hold no secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Returns whether the request may have reached the server.
    pub const fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }

    pub(super) const fn is_abandoned(&self) -> bool {
        self.is_abandoned
    }

    /// Returns the cause, if one was set.
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

/// What an exchange did to the session, for code that stores tokens, counts or logs.
///
/// After any outcome but [`Ignored`](Self::Ignored), poll all waiting calls. Store the tokens if
/// they [have changed](super::SessionMachine::stored_version).
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub enum Outcome {
    /// There are new tokens.
    #[non_exhaustive]
    Renewed {
        /// How they were obtained.
        kind: ExchangeKind,
        /// The tokens.
        tokens: TokenSet,
        /// How long the exchange took.
        took: Duration,
    },
    /// Tokens of another process were adopted. Nothing was sent.
    #[non_exhaustive]
    Adopted {
        /// Whether the access token is good. If not, there is a refresh token to go on with.
        has_token: bool,
    },
    /// The sign-in was denied. No sign-in starts until the credentials change or the session is
    /// reset.
    #[non_exhaustive]
    Denied {
        /// The server's denial.
        denial: Denial,
        /// How long the exchange took. Zero if nothing was sent.
        took: Duration,
    },
    /// The refresh token was refused. The next exchange is a sign-in, unless another refresh token
    /// was [restored](super::SessionMachine::restore) meanwhile.
    #[non_exhaustive]
    RefreshRefused {
        /// The server's response.
        error: Arc<ResponseError>,
        /// Whether another way to a token exists.
        goes_on: bool,
        /// How long the exchange took.
        took: Duration,
    },
    /// The exchange failed, and is retried soon.
    #[non_exhaustive]
    Retrying {
        /// Why it failed.
        error: AttemptError,
        /// When it is retried.
        at: Moment,
        /// Whether it was a sign-in that the server may have seen, with unknown outcome.
        outcome_unknown: bool,
        /// How long the exchange took.
        took: Duration,
    },
    /// The exchange failed, and nothing is sent for a while.
    #[non_exhaustive]
    Failed {
        /// Why it failed.
        error: AttemptError,
        /// Until when nothing is sent.
        until: Moment,
        /// Whether it was a sign-in that the server may have seen, with unknown outcome.
        outcome_unknown: bool,
        /// How long the exchange took. Zero if nothing was sent.
        took: Duration,
    },
    /// It was not the exchange in flight: the report is late or repeated. Nothing has changed.
    Ignored,
}

impl Outcome {
    /// Returns how long the exchange took, from its start to the report of its end.
    pub const fn took(&self) -> Duration {
        match self {
            Self::Renewed { took, .. }
            | Self::Denied { took, .. }
            | Self::RefreshRefused { took, .. }
            | Self::Retrying { took, .. }
            | Self::Failed { took, .. } => *took,
            Self::Adopted { .. } | Self::Ignored => Duration::ZERO,
        }
    }

    /// Returns whether another exchange follows for the waiters, so that they need no poll now.
    pub const fn goes_on(&self) -> bool {
        matches!(
            self,
            Self::Retrying { .. }
                | Self::RefreshRefused { goes_on: true, .. }
                | Self::Adopted { has_token: false }
        )
    }

    pub(super) fn that_took(mut self, time: Duration) -> Self {
        match &mut self {
            Self::Renewed { took, .. }
            | Self::Denied { took, .. }
            | Self::RefreshRefused { took, .. }
            | Self::Retrying { took, .. }
            | Self::Failed { took, .. } => *took = time,
            Self::Adopted { .. } | Self::Ignored => {}
        }
        self
    }
}

/// The reason why one exchange gave no usable tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AttemptError {
    /// There was no response.
    Failure(Failure),
    /// The response held no tokens.
    Response(Arc<ResponseError>),
    /// The access token had expired when it arrived.
    EndedOnArrival,
    /// The access token is the rejected one, or the current one.
    SameToken,
    /// The API rejected the access token although it was young.
    Rejected,
    /// The exchange was abandoned: its sender ended or took too long.
    Abandoned,
    /// Too many sign-ins in a row with this password had an unknown outcome.
    TooManyUnknown,
    /// Too many other aliases of this login were denied in a row.
    Held,
    /// The request could not be built.
    Request(RequestError),
}

impl fmt::Display for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failure(failure) => match failure.source() {
                Some(source) => fmt::Display::fmt(source, f),
                None => f.write_str("there was no response"),
            },
            Self::Response(error) => error.fmt(f),
            Self::EndedOnArrival => f.write_str("the access token had expired when it arrived"),
            Self::SameToken => f.write_str("the server gave the same access token again"),
            Self::Rejected => {
                f.write_str("the API rejected an access token that had just been given")
            }
            Self::Abandoned => f.write_str("the exchange was abandoned"),
            Self::TooManyUnknown => {
                f.write_str("too many sign-ins in a row had an unknown outcome")
            }
            Self::Held => f.write_str("too many aliases of this login were denied in a row"),
            Self::Request(error) => error.fmt(f),
        }
    }
}

impl Error for AttemptError {
    /// Returns the cause of the cause, because `Display` includes the text of the cause.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failure(failure) => failure.source()?.source(),
            Self::Response(error) => error.source(),
            _ => None,
        }
    }
}

/// The reason why a caller gets no token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// The server denied the sign-in. No sign-in starts until the credentials change or the session
    /// is reset.
    Denied(Denial),
    /// There are no credentials, and the refresh token is missing, refused or expired.
    SignInNeeded,
    /// All attempts failed, and nothing is sent for a while.
    #[non_exhaustive]
    Failed {
        /// Why the last attempt failed.
        error: AttemptError,
        /// Until when nothing is sent. [Never](Moment::is_never) if only another password or a
        /// reset helps.
        until: Moment,
    },
    /// The caller's own deadline passed first.
    #[non_exhaustive]
    TimedOut {
        /// Why the last attempt failed, if one did.
        last: Option<AttemptError>,
    },
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denial) => denial.fmt(f),
            Self::SignInNeeded => {
                f.write_str("sign-in needed: there are no credentials and no good refresh token")
            }
            Self::Failed { .. } => f.write_str("no access token"),
            Self::TimedOut { .. } => f.write_str("no access token in time"),
        }
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::TimedOut { last } => last.as_ref().map(|error| error as &(dyn Error + 'static)),
            _ => None,
        }
    }
}
