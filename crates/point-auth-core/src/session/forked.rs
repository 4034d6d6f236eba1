//! A session in a child process that was forked: all that the parent knows, but not its exchange.

use super::exchange::InFlight;
use super::held::HeldToken;
use super::jitter::Jitter;
use super::outcome::AttemptError;
use super::time::Now;
use super::{Counts, Round, SessionMachine};

impl SessionMachine {
    /// Returns the session of a child process that is forked from this one.
    ///
    /// It has the tokens, the credentials, the denials and the delays of this session, and counters
    /// of its own. The sender of an exchange in flight stays in the parent. In the child that
    /// exchange counts as [abandoned](super::Failure::abandoned), so that a sign-in has an unknown
    /// outcome. This session does not change.
    ///
    /// `seed` is a random number that each child draws for itself. It keeps the children of one
    /// parent from refreshing together.
    #[must_use]
    pub fn forked(&self, seed: u64, now: Now) -> Self {
        let mut jitter = Jitter::new(seed);
        let token = self.token.as_ref().map(|held| {
            let (age, share) = (held.age(now), jitter.next());
            let token = held.token.clone();
            let own = HeldToken::new(token, now, age, held.life, &self.policy, share);
            HeldToken { has_ended: held.has_ended, ..own }
        });
        let mut child = Self {
            base: self.base.clone(),
            owner: self.owner.clone(),
            given_owner: self.given_owner,
            credentials: self.credentials.clone(),
            policy: self.policy.clone(),
            jitter,
            token,
            refresh: self.refresh.clone(),
            rejected: self.rejected.clone(),
            in_flight: None,
            round: Round { last: self.round.last.clone(), ..Round::default() },
            schedule: self.schedule.clone(),
            ledger: self.ledger.clone(),
            starts_deferred: self.starts_deferred,
            counts: Counts::default(),
            next_id: self.next_id,
            stored_version: self.stored_version,
        };
        // Before its start nothing was sent.
        if let Some(in_flight) = self.in_flight.clone().filter(InFlight::has_started) {
            let _outcome = child.abandoned(in_flight, now, AttemptError::Abandoned);
            child.counts = Counts::default();
        }
        child
    }
}
