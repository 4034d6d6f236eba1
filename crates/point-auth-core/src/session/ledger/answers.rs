//! What a ledger is told and answers: [`SignInResult`], [`Rejected`], [`LedgerSnapshot`].

use super::super::outcome::{AttemptError, Outcome};
use super::super::time::Moment;
use crate::Denial;

/// Why there is no permit now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Rejected {
    /// The server denied this password with this alias.
    Denied {
        /// What the server said.
        denial: Denial,
        /// When a credential source may be asked whether it has other credentials by now.
        ask_again: Option<Moment>,
    },
    /// Too many other aliases were denied in a row.
    Held {
        /// When one alias may try. `None`: only with another password or after a reset.
        until: Option<Moment>,
    },
    /// Too many sign-ins in a row had an unknown outcome.
    TooManyUnknown {
        /// When the next may start.
        until: Moment,
    },
    /// All permits are taken.
    Busy {
        /// When the next permit expires, if none is settled before.
        until: Moment,
    },
}

/// What came of a sign-in.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SignInResult<'a> {
    /// The server accepted the password.
    Accepted,
    /// The server denied the sign-in.
    Denied(&'a Denial),
    /// The request may have been sent, and its outcome is unknown.
    Unknown,
    /// It was not sent, or the server failed in a way that says nothing about the password.
    Inconclusive,
}

impl<'a> SignInResult<'a> {
    /// What this outcome of an exchange says about the password that was sent.
    ///
    /// A session that [ignores](Outcome::Ignored) an answer, because it came too late, does not say
    /// what the server thinks: that is an unknown outcome.
    pub const fn of(outcome: &'a Outcome) -> Self {
        match outcome {
            Outcome::Renewed { .. } => Self::Accepted,
            Outcome::Denied { denial, .. } => Self::Denied(denial),
            Outcome::Ignored
            | Outcome::Retrying { outcome_unknown: true, .. }
            | Outcome::Failed { outcome_unknown: true, .. } => Self::Unknown,
            // A useless token is an answer to the right password all the same.
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

/// What a ledger knows of the password that was used last. Nothing in it is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerSnapshot {
    /// Whether the password has given a token.
    pub is_proven: bool,
    /// Permits that are out.
    pub permits: usize,
    /// Aliases that have worked, as far as they are remembered.
    pub worked: usize,
    /// Aliases that were denied, as far as they are remembered.
    pub denied: usize,
    /// Until when aliases that have worked are held, if they are.
    pub worked_held_until: Option<Moment>,
    /// Until when all other aliases are held, if they are.
    pub others_held_until: Option<Moment>,
    /// Sign-ins in a row whose outcome is unknown.
    pub unknown: u32,
}
