//! What a caller does next: [`Action`]; and what each caller passes in: [`Call`].

use std::time::{Duration, SystemTime};

use http::Request;

use super::time::Moment;
use crate::{AccessToken, SecretBody};

/// What a caller does next.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a caller must act on each of them")]
pub enum Action {
    /// Use this token.
    Ready(Lease),
    /// Send this request and report its outcome. No other caller gets it.
    Send(Box<Exchange>),
    /// Get credentials and start the sign-in with
    /// [`sign_in_with`](super::SessionMachine::sign_in_with).
    ///
    /// No other caller gets this action. A session that [has its
    /// credentials](super::SessionMachine::new) never returns it.
    GetCredentials(Box<CredentialRequest>),
    /// Poll again at this time of the monotonic clock, or after the next report to the session.
    WaitUntil(Duration),
}

/// A token, and how long it can be used without a poll of the session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Lease {
    /// The token.
    pub token: AccessToken,
    /// When the server stops accepting the token, on the wall clock of this machine.
    ///
    /// The lifetime counts from the request, so this is never later than the time on the server.
    pub expires_at: SystemTime,
    /// When to poll the session again, by either clock.
    ///
    /// It may be now. Before, a poll is needed only after a report to the session.
    pub look_again: Moment,
}

/// The id of one exchange. A report for any exchange but the one in flight is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExchangeId(pub(super) u64);

/// The operation of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExchangeKind {
    /// [`SignIn`](crate::SignIn)
    SignIn,
    /// [`Refresh`](crate::Refresh)
    Refresh,
}

/// One request, to be sent once.
///
/// Report its end: a response with [`handle_response`](super::SessionMachine::handle_response),
/// anything else with [`handle_failure`](super::SessionMachine::handle_failure).
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct Exchange {
    /// The id for reports.
    pub id: ExchangeId,
    /// The operation.
    pub kind: ExchangeKind,
    /// The number of the attempt, counted from 1 after a success or a backoff.
    pub attempt: u32,
    /// The request.
    pub request: Request<SecretBody>,
    /// The deadline, on the monotonic clock. Two seconds later the exchange counts as abandoned.
    pub deadline: Duration,
    /// The token that is still valid meanwhile. A caller that can send in the background uses it
    /// and does not wait.
    pub fallback: Option<Lease>,
}

/// A sign-in that needs credentials.
///
/// Continue with [`sign_in_with`](super::SessionMachine::sign_in_with). If there are no
/// credentials, report a [failure](super::SessionMachine::handle_failure). If they must not be sent
/// now, [reject](super::SessionMachine::reject) the request.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct CredentialRequest {
    /// The id for reports.
    pub id: ExchangeId,
    /// When the sign-in must have started, on the monotonic clock. Two seconds later the request
    /// counts as abandoned.
    pub deadline: Duration,
    /// The token that is still valid meanwhile.
    pub fallback: Option<Lease>,
}

/// One caller's request for a token: its deadline, and the round that it has waited in.
///
/// Create one for each request, and pass it to every [`poll`](super::SessionMachine::poll) of that
/// request.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub(super) deadline: Option<Duration>,
    /// The round that the caller has waited in.
    pub(super) round: Option<u64>,
    /// Whether there was no good token then, so that the caller shares the end of that round.
    pub(super) in_need: bool,
}

impl Call {
    /// Creates a call with the policy's [acquire timeout](super::Policy::acquire_timeout), counted
    /// from its first poll.
    pub const fn new() -> Self {
        Self { deadline: None, round: None, in_need: false }
    }

    /// Creates a call that waits until `deadline` on the monotonic clock.
    pub const fn until(deadline: Duration) -> Self {
        Self { deadline: Some(deadline), round: None, in_need: false }
    }

    /// Returns when the call stops waiting, on the monotonic clock. Before its first poll it is
    /// `None`, unless it was set.
    pub const fn deadline(&self) -> Option<Duration> {
        self.deadline
    }
}
