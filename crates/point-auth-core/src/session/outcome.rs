//! What came of an exchange: [`Failure`] going in, [`Outcome`] and [`SessionError`] coming out.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::action::ExchangeKind;
use super::time::Moment;
use crate::{Denial, RequestError, ResponseError, TokenSet};

/// There was no response to an exchange.
#[derive(Clone, Debug)]
pub struct Failure {
    may_have_been_sent: bool,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Failure {
    /// The request may have reached the server: the safe thing to say as long as nobody knows better.
    pub const fn maybe_sent() -> Self {
        Self { may_have_been_sent: true, source: None }
    }

    /// No byte of the request body can have reached the server.
    pub const fn not_sent() -> Self {
        Self { may_have_been_sent: false, source: None }
    }

    /// Adds the cause, which callers find as the source of their error. It must hold nothing secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Whether the request may have reached the server.
    pub const fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }

    /// The cause, if one was given.
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

/// Why credentials are not to be sent now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NotNow {
    /// They were denied.
    Denied(Denial),
    /// They were sent too often of late without an answer, and each of those may have counted.
    Until(Moment),
}

/// What an exchange did to the session, for whoever stores tokens, counts or watches.
///
/// After any of them but [`Ignored`](Self::Ignored), poll every call that waits, and store the tokens if you do and they
/// [have changed](super::Session::stored_version).
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub enum Outcome {
    /// There are new tokens.
    #[non_exhaustive]
    Renewed {
        /// How they were got.
        kind: ExchangeKind,
        /// The tokens.
        tokens: TokenSet,
    },
    /// The server denied the sign-in. Nothing is sent until the credentials change or somebody resets the session.
    Denied(Denial),
    /// The refresh token was refused: the next exchange is a sign-in, unless another refresh token was
    /// [restored](super::Session::restore) meanwhile.
    RefreshRefused(Arc<ResponseError>),
    /// It failed, and is tried again soon.
    #[non_exhaustive]
    Retrying {
        /// Why it failed.
        error: AttemptError,
        /// When it is tried again.
        at: Moment,
        /// Whether it was a sign-in whose answer was lost, so that it may have counted against the account.
        may_have_counted: bool,
    },
    /// It failed, and nothing is sent for a while.
    #[non_exhaustive]
    Failed {
        /// Why it failed.
        error: AttemptError,
        /// Until when nothing is sent.
        until: Moment,
        /// Whether it was a sign-in whose answer was lost, so that it may have counted against the account.
        may_have_counted: bool,
    },
    /// It was not the exchange under way: too late, or twice. Nothing has changed.
    Ignored,
}

/// Why one exchange gave no tokens that can be used.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AttemptError {
    /// There was no response.
    Failure(Failure),
    /// The response was not tokens.
    Response(Arc<ResponseError>),
    /// The access token had ended when it came.
    EndedOnArrival,
    /// The access token is the one that the API had rejected, or the one that there was.
    SameToken,
    /// The API rejected the access token although it was young.
    Rejected,
    /// Whoever was sending went away or took too long.
    Lost,
    /// Sign-ins of the same login got lost too often of late.
    TooManyLost,
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
            Self::EndedOnArrival => f.write_str("the access token had ended when it came"),
            Self::SameToken => f.write_str("the server gave the same access token again"),
            Self::Rejected => {
                f.write_str("the API rejected an access token that had just been given")
            }
            Self::Lost => f.write_str("whoever was sending went away"),
            Self::TooManyLost => f.write_str("too many sign-ins got no answer of late"),
            Self::Request(error) => error.fmt(f),
        }
    }
}

impl Error for AttemptError {
    /// The cause of the cause: `Display` has said the cause's own words already.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failure(failure) => failure.source()?.source(),
            Self::Response(error) => error.source(),
            _ => None,
        }
    }
}

/// There is no token for a caller.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// The server denied the sign-in. Nothing is sent until the credentials change or somebody resets the session.
    Denied(Denial),
    /// There are no credentials, and the refresh token is not there, was refused or has ended: somebody must sign in.
    SignInNeeded,
    /// All attempts failed, and nothing is sent for a while.
    #[non_exhaustive]
    Failed {
        /// Why the last attempt failed.
        error: AttemptError,
        /// Until when nothing is sent.
        until: Moment,
    },
    /// The caller's own deadline came first.
    #[non_exhaustive]
    OutOfPatience {
        /// Why the last attempt failed, if one has.
        last: Option<AttemptError>,
    },
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denial) => denial.fmt(f),
            Self::SignInNeeded => f.write_str(
                "somebody must sign in: there is no good refresh token and no credentials",
            ),
            Self::Failed { .. } => f.write_str("no access token could be got"),
            Self::OutOfPatience { .. } => f.write_str("no access token came in time"),
        }
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::OutOfPatience { last } => {
                last.as_ref().map(|error| error as &(dyn Error + 'static))
            }
            _ => None,
        }
    }
}
