//! The inputs and outputs of a ledger: [`SignInResult`], [`Rejected`], [`LedgerSnapshot`].

use super::super::outcome::{AttemptError, Outcome};
use super::super::time::Moment;
use crate::Denial;

/// The reason for a rejected permit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Rejected {
    /// The server denied this password with this alias.
    Denied {
        /// The server's denial.
        denial: Denial,
        /// When a credential source may be asked for other credentials.
        ask_again: Option<Moment>,
    },
    /// Too many other aliases were denied in a row.
    Held {
        /// When one alias may try. `None`: only with another password or after a reset.
        until: Option<Moment>,
    },
    /// Too many sign-ins in a row had an unknown outcome.
    TooManyUnknown {
        /// When the next sign-in may start.
        until: Moment,
    },
    /// All permits are in use.
    Busy {
        /// When the next permit expires, if none is settled before.
        until: Moment,
    },
}

/// The result of a sign-in, as far as it concerns the password.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SignInResult<'a> {
    /// The server accepted the password.
    Accepted,
    /// The server denied the sign-in.
    Denied(&'a Denial),
    /// The request may have been sent, and its outcome is unknown.
    Unknown,
    /// It was not sent, or the failure of the server reveals nothing about the password.
    Inconclusive,
}

impl<'a> SignInResult<'a> {
    /// Returns what an outcome of an exchange says about the password that was sent.
    ///
    /// A session [ignores](Outcome::Ignored) a response that came too late. The result is then
    /// unknown.
    pub const fn of(outcome: &'a Outcome) -> Self {
        match outcome {
            Outcome::Renewed { .. } => Self::Accepted,
            Outcome::Denied { denial, .. } => Self::Denied(denial),
            Outcome::Ignored
            | Outcome::Retrying { outcome_unknown: true, .. }
            | Outcome::Failed { outcome_unknown: true, .. } => Self::Unknown,
            // A useless token still proves that the password is right.
            Outcome::Retrying {
                error: AttemptError::EndedOnArrival | AttemptError::SameToken,
                ..
            }
            | Outcome::Failed {
                error: AttemptError::EndedOnArrival | AttemptError::SameToken,
                ..
            } => Self::Accepted,
            _ => Self::Inconclusive,
        }
    }
}

/// What a ledger knows of the last used password. It holds no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerSnapshot {
    /// Whether the password has given a token.
    pub is_proven: bool,
    /// Permits that are in use.
    pub permits: usize,
    /// Aliases that have worked, as far as they are remembered.
    pub worked: usize,
    /// Aliases that were denied, as far as they are remembered.
    pub denied: usize,
    /// Until when aliases that have worked are held, if they are.
    pub worked_held_until: Option<Moment>,
    /// Until when all other aliases are held, if they are.
    pub others_held_until: Option<Moment>,
    /// Sign-ins in a row with unknown outcome.
    pub unknown: u32,
}
