//! What a session tells its callers to do, and the [`Call`] that each of them brings.

use std::time::{Duration, SystemTime};

use http::Request;

use super::time::Moment;
use crate::{AccessToken, SecretBody};

/// What a caller is to do now.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a caller must act on each of them")]
pub enum Action {
    /// Use this token.
    Ready(Lease),
    /// Send this request and report its outcome. No other caller is told to.
    Send(Box<Exchange>),
    /// Get credentials and start the sign-in with
    /// [`sign_in_with`](super::SessionMachine::sign_in_with). No other caller is told to.
    ///
    /// A session that [has its credentials](super::SessionMachine::new) never says this.
    GetCredentials(Box<CredentialRequest>),
    /// Poll again at this time of the monotonic clock, or as soon as anything has been reported to
    /// the session.
    WaitUntil(Duration),
}

/// A token, and how long it can be handed out without polling the session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Lease {
    /// The token.
    pub token: AccessToken,
    /// When the server stops accepting it, on the wall clock of this machine.
    ///
    /// Its life counts from when it was asked for, so that this is never later than the server's
    /// own word.
    pub expires_at: SystemTime,
    /// When to poll the session again, by either clock. Until then there is no need to, unless
    /// something has been reported to it. It may be now.
    pub look_again: Moment,
}

/// Names one exchange. A report of any but the one in flight is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExchangeId(pub(super) u64);

/// Which operation an exchange is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExchangeKind {
    /// [`SignIn`](crate::SignIn)
    SignIn,
    /// [`Refresh`](crate::Refresh)
    Refresh,
}

/// One request to be sent, once.
///
/// Report its end: a response by
/// [`handle_response`](super::SessionMachine::handle_response), anything else by
/// [`handle_failure`](super::SessionMachine::handle_failure).
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct Exchange {
    /// Its name in reports.
    pub id: ExchangeId,
    /// Which operation it is.
    pub kind: ExchangeKind,
    /// The request.
    pub request: Request<SecretBody>,
    /// When it must be done, on the monotonic clock. Two seconds later the session takes it for
    /// abandoned.
    pub deadline: Duration,
    /// The token that is still good meanwhile. A caller that can send in the background uses it
    /// and does not wait.
    pub fallback: Option<Lease>,
}

/// A sign-in that needs credentials.
///
/// Go on with [`sign_in_with`](super::SessionMachine::sign_in_with). Where there are no
/// credentials, report a [failure](super::SessionMachine::handle_failure); where they must not be
/// sent now, [reject](super::SessionMachine::reject) the request.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct CredentialRequest {
    /// Its name in reports.
    pub id: ExchangeId,
    /// When the sign-in must have started, on the monotonic clock. Two seconds later the session
    /// takes it for abandoned.
    pub deadline: Duration,
    /// The token that is still good meanwhile.
    pub fallback: Option<Lease>,
}

/// One caller's wish for a token: its deadline, and what it has waited for.
///
/// Make one for each wish and give it to every [`poll`](super::SessionMachine::poll) of it.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub(super) deadline: Option<Duration>,
    /// The round that it has waited in.
    pub(super) round: Option<u64>,
    /// Whether there was no good token then, so that it shares the end of that round.
    pub(super) in_need: bool,
}

impl Call {
    /// Creates a call with the policy's [acquire timeout](super::Policy::acquire_timeout), counted
    /// from its first poll.
    pub const fn new() -> Self {
        Self { deadline: None, round: None, in_need: false }
    }

    /// Creates a call that waits until this time of the monotonic clock.
    pub const fn until(deadline: Duration) -> Self {
        Self { deadline: Some(deadline), round: None, in_need: false }
    }

    /// Returns when it stops waiting, on the monotonic clock. `None` before its first poll, unless
    /// it was told.
    pub const fn deadline(&self) -> Option<Duration> {
        self.deadline
    }
}
