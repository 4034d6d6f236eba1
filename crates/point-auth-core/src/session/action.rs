//! What a session tells its callers to do: [`Action`], [`Lease`], [`Exchange`], [`Wanted`]; and [`Call`], which they bring.

use std::time::Duration;

use http::Request;

use super::time::Moment;
use crate::{AccessToken, SecretBody};

/// What a caller is to do now.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a caller must do something about each of them")]
pub enum Action {
    /// Use this token.
    Ready(Lease),
    /// Send this request and tell the session what came of it. Nobody else is told to.
    Send(Box<Exchange>),
    /// Get credentials and begin the sign-in by [`sign_in_with`](super::Session::sign_in_with). Nobody else is told to; and nobody at all
    /// by a session that [has its credentials](super::Session::new).
    GetCredentials(Box<Wanted>),
    /// Ask again at this time of the monotonic clock, or as soon as anything has been told to the session.
    WaitUntil(Duration),
}

/// A token, and how long it can be handed out without asking the session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Lease {
    /// The token.
    pub token: AccessToken,
    /// From this moment on, by either clock, ask the session again. Until then nobody needs to, unless something has been told
    /// to it. It may have come already, where something is to be done at once.
    pub look_again: Moment,
}

/// Which exchange it was that a session asked for. What is told of any but the one under way is ignored.
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
/// Whatever comes of it, tell the session: a response by [`handle_response`](super::Session::handle_response), its absence by
/// [`handle_failure`](super::Session::handle_failure), and giving up on it by [`abandon`](super::Session::abandon).
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct Exchange {
    /// What to call it when telling the session.
    pub id: ExchangeId,
    /// Which operation it is.
    pub kind: ExchangeKind,
    /// The request.
    pub request: Request<SecretBody>,
    /// By when it must be done, on the monotonic clock. Two seconds past that the session takes it for lost.
    pub deadline: Duration,
    /// The token that is still good meanwhile: whoever can send in the background uses it and does not wait.
    pub fallback: Option<Lease>,
}

/// A sign-in for which the session needs credentials, and whatever else whoever drives it wants to have before it begins.
///
/// Go on with [`sign_in_with`](super::Session::sign_in_with), or say why not: by [`handle_failure`](super::Session::handle_failure) when
/// there are no credentials to be had, by [`decline`](super::Session::decline) when they must not be sent now.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct Wanted {
    /// What to call it when telling the session.
    pub id: ExchangeId,
    /// By when the sign-in must have begun, on the monotonic clock. Two seconds past that the session takes it for lost.
    pub deadline: Duration,
    /// The token that is still good meanwhile.
    pub fallback: Option<Lease>,
}

/// One caller's patience: until when it waits, and what it has waited for.
///
/// Made anew for each wish for a token, and given to every [`poll`](super::Session::poll) of it.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub(super) deadline: Option<Duration>,
    /// The round that it has waited in.
    pub(super) round: Option<u64>,
    /// Whether there was no good token then, so that it shares the end of that round.
    pub(super) in_need: bool,
}

impl Call {
    /// A call with the [patience](super::Policy::patience) of the policy, counted from its first poll.
    pub const fn new() -> Self {
        Self { deadline: None, round: None, in_need: false }
    }

    /// A call that waits until this time of the monotonic clock.
    pub const fn until(deadline: Duration) -> Self {
        Self { deadline: Some(deadline), round: None, in_need: false }
    }

    /// Until when it waits, on the monotonic clock. Known from its first poll on, or before if it was told.
    pub const fn deadline(&self) -> Option<Duration> {
        self.deadline
    }
}
