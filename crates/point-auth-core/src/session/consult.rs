//! The step before an exchange, for sessions of many processes that share their tokens in a store.
//!
//! A session with [deferred starts](SessionMachine::with_deferred_start) has such a step. After
//! [`Action::Send`](super::Action::Send), or after the credentials of a sign-in have been fetched,
//! the driver consults the store. It continues with [`start`](SessionMachine::start) or
//! [`sign_in_with`](SessionMachine::sign_in_with), or reports the store's answer instead:
//!
//! | the store | the driver calls |
//! |---|---|
//! | grants a permit | `start` or `sign_in_with`, and settles the permit after the exchange |
//! | has newer tokens | [`adopt`](SessionMachine::adopt) |
//! | reports an exchange of another process | [`postpone`](SessionMachine::postpone) |
//! | rejects the password | [`reject`](SessionMachine::reject) |

use std::time::Duration;

use super::SessionMachine;
use super::action::ExchangeId;
use super::exchange::InFlight;
use super::held::Phase;
use super::outcome::Outcome;
use super::schedule::Event;
use super::stored::StoredTokens;
use super::time::Now;
use crate::Credentials;

impl SessionMachine {
    /// Adopts tokens of another process in place of exchange `id`. Then poll all waiting calls.
    ///
    /// Their times are on this machine's wall clock. Tokens of another user, and tokens that are no
    /// better than the session's, are dropped: the outcome is [`Ignored`](Outcome::Ignored), and
    /// the exchange has not started. It is also `Ignored` when `id` has started or is void.
    pub fn adopt(&mut self, id: ExchangeId, now: Now, stored: StoredTokens) -> Outcome {
        if self
            .in_flight
            .take_if(|in_flight| in_flight.id == id && in_flight.can_yet_end())
            .is_none()
        {
            return Outcome::Ignored;
        }
        let version = self.stored_version;
        if self.restore(stored, now).is_err() || self.stored_version == version {
            return Outcome::Ignored;
        }
        let phase = self.token.as_ref().map_or(Phase::Over, |held| held.phase(now));
        let has_token = phase != Phase::Over;
        if has_token {
            self.schedule.on(Event::Renewed { forgets_rejections: true }, now, &self.policy);
            self.next_round(None);
        }
        self.counts.adopted = self.counts.adopted.saturating_add(1);
        Outcome::Adopted { has_token }
    }

    /// Postpones exchange `id` by `delay`, because another process has one in flight.
    ///
    /// Then poll all waiting calls. It has no effect once the exchange has started.
    pub fn postpone(&mut self, id: ExchangeId, now: Now, delay: Duration) {
        if self
            .in_flight
            .take_if(|in_flight| in_flight.id == id && in_flight.can_yet_end())
            .is_some()
        {
            self.schedule.on(Event::Postponed { delay }, now, &self.policy);
        }
    }

    /// Returns the session's own credentials, if it has any.
    pub const fn credentials(&self) -> Option<&Credentials> {
        self.credentials.known()
    }

    /// Returns the username of the session's tokens, as far as it is known.
    pub fn username(&self) -> Option<&str> {
        self.owner.username.as_deref()
    }
}

impl InFlight {
    /// Returns whether nothing can have been sent.
    pub(super) fn can_yet_end(&self) -> bool {
        !self.is_sent() || self.deadline == Duration::MAX
    }
}
