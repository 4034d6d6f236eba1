//! The events of a [`Schedule`](super::Schedule).

use std::time::Duration;

use super::super::action::ExchangeKind;
use super::super::outcome::AttemptError;
use super::super::time::{Moment, Now};
use crate::Denial;

/// An event that changes when exchanges may start.
#[derive(Debug)]
pub(in super::super) enum Event {
    /// Time has passed.
    Clock,
    /// An exchange started, either with a request or with a request for credentials.
    Started {
        sends: Option<ExchangeKind>,
    },
    /// A sign-in gave tokens with this lifetime.
    SignedIn {
        asked_at: Now,
        life: Duration,
    },
    /// New tokens are in use. If the previous one was not young, its rejections no longer count.
    Renewed {
        forgets_rejections: bool,
    },
    /// Another process has an exchange of these tokens in flight.
    Postponed {
        delay: Duration,
    },
    /// The new tokens last no longer. The backoff that follows keeps sign-ins apart.
    GainedNothing,
    /// The ledger or the server denied the sign-in.
    Denied {
        denial: Denial,
        ask_again: Option<Moment>,
    },
    /// The ledger holds this login. `None`: until the password changes.
    Held {
        error: AttemptError,
        until: Option<Moment>,
    },
    /// The ledger may decide differently now.
    LedgerChanged,
    /// A refresh was refused, and a sign-in follows.
    RefreshRefused,
    /// The API rejected the token.
    TokenRejected {
        is_young: bool,
        in_flight: bool,
    },
    /// The tokens of another user were dropped.
    OwnerChanged,
    NewPassword,
    Reset,
    /// The round ended for another reason.
    RoundOver,
}

/// A failed attempt.
#[derive(Debug)]
pub(in super::super) struct Failed {
    pub(in super::super) error: AttemptError,
    /// The delay that the server asked for.
    pub(in super::super) retry_after: Option<Duration>,
    /// Whether a quick second attempt may help and is harmless.
    pub(in super::super) may_retry: bool,
    /// Whether the server may have seen a sign-in.
    pub(in super::super) outcome_unknown: bool,
    /// Whether another attempt would fail too.
    pub(in super::super) is_hopeless: bool,
    /// The last use of the token that is still valid.
    pub(in super::super) last_use: Option<Moment>,
    /// Until when the ledger holds this password for unknown outcomes.
    pub(in super::super) unknown_until: Option<Moment>,
}

/// The result of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Next {
    RetryAt(Moment),
    BackoffUntil(Moment),
}
