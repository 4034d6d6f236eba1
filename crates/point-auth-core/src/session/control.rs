//! Changes a session from outside: a token is rejected, credentials change, an operator resets it.

use super::SessionMachine;
use super::Source;
use super::action::ExchangeKind;
use super::exchange::With;
use super::ledger::{SignInResult, same_password};
use super::outcome::{AttemptError, SessionError};
use super::policy::Policy;
use super::schedule::Event;
use super::stored::Owner;
use super::time::Now;
use crate::{AccessToken, Credentials};

impl SessionMachine {
    /// Reports that the API answered 401 to a request with this token.
    ///
    /// Call it for each such response, however many there are. A report for a replaced token is
    /// ignored. Returns whether it was the current token. If so, poll all waiting calls.
    pub fn invalidate(&mut self, rejected: &AccessToken, now: Now) -> bool {
        let Some(held) = self.token.take_if(|held| held.token == *rejected) else { return false };
        self.stored_version = self.stored_version.wrapping_add(1);
        self.rejected = Some(held.token.clone());
        let is_young = held.age(now) < Policy::YOUNG_TOKEN;
        let in_flight = self.in_flight.is_some();
        self.schedule.on(Event::TokenRejected { is_young, in_flight }, now, &self.policy);
        if is_young && !in_flight {
            let error = AttemptError::Rejected;
            if let Some(until) = self.schedule.backoff_until(now) {
                self.next_round(Some(SessionError::Failed { error: error.clone(), until }));
                self.round.last = Some(error);
            }
        }
        true
    }

    /// Replaces the credentials. Then poll all waiting calls.
    ///
    /// The effects depend on what changes:
    ///
    /// - A changed username or alias drops all tokens; a changed password keeps them.
    /// - A changed username or password ends the wait after a denial, unless the username differs
    ///   only in case. The ledger decides whether the new credentials may be sent.
    /// - A sign-in in flight becomes void, and its outcome is unknown. A refresh for another user
    ///   becomes void too.
    /// - A backoff continues until [`reset`](Self::reset), except for a hold of the old password by
    ///   the ledger.
    /// - Equal credentials change nothing.
    pub fn set_credentials(&mut self, credentials: Credentials, now: Now) {
        let owner = Owner::new(&self.base, Some(&credentials));
        let same_owner = owner == self.owner;
        let same_password =
            self.credentials.known().is_some_and(|old| same_password(old, &credentials));
        if same_owner && same_password {
            return;
        }
        let is_void = |kind| !same_owner || kind == ExchangeKind::SignIn;
        let void = self.in_flight.take_if(|in_flight| is_void(in_flight.kind()));
        if !same_password || !same_owner {
            // The ledger also judges another alias of an unchanged password.
            self.schedule.on(Event::LedgerChanged, now, &self.policy);
        }
        if !same_password {
            self.schedule.on(Event::NewPassword, now, &self.policy);
        }
        if !same_owner {
            self.drop_tokens(now);
            self.owner = owner;
        }
        if let Some(in_flight) = void
            && let With::Credentials(sent) = &in_flight.with
        {
            let is_same_account = self::same_password(sent, &credentials);
            // Its response will be ignored, and it may have counted against the account.
            self.settle(in_flight.permit, SignInResult::Unknown, now);
            if is_same_account {
                self.counts.abandoned = self.counts.abandoned.saturating_add(1);
                let held = self.ledger.as_ref().and_then(|ledger| ledger.unknown_until(now));
                match held {
                    Some(until) => self.hold(AttemptError::TooManyUnknown, Some(until), now),
                    None => self.schedule.after_void_sign_in(now),
                }
            }
        }
        self.credentials = Source::Here(credentials);
    }

    /// Announces to a session on demand that its source now has other credentials.
    ///
    /// They are those of `username`, if that is known. Then poll all waiting calls. This ends the
    /// wait after a denial and for the ledger. Another username drops all tokens, and voids an
    /// exchange in flight; the alias stays. It has no effect on a session with credentials of its
    /// own.
    pub fn expect_credentials(&mut self, username: Option<&str>, now: Now) {
        if self.credentials.known().is_some() {
            return;
        }
        self.credentials = Source::OnDemand;
        self.schedule.on(Event::NewPassword, now, &self.policy);
        if let Some(ledger) = &mut self.ledger {
            ledger.expect_other_credentials();
        }
        let Some(username) = username else { return };
        if self.owner.username.as_deref().is_some_and(|old| old != username) {
            if let Some(in_flight) = self.in_flight.take() {
                self.settle(in_flight.permit, SignInResult::Unknown, now);
            }
            self.drop_tokens(now);
        }
        self.owner.username = Some(username.to_owned());
        self.given_owner.0 = true;
    }

    /// Reports that a [shared ledger](Self::with_shared_ledger) may allow a sign-in earlier than
    /// before. Then poll all waiting calls.
    pub fn ledger_changed(&mut self, now: Now) {
        self.schedule.on(Event::LedgerChanged, now, &self.policy);
    }

    /// Clears the denial, all backoff, and the session's own ledger. Then poll all waiting calls.
    ///
    /// Call it once an operator has confirmed the credentials. Tokens stay. An exchange in flight
    /// continues.
    pub fn reset(&mut self, now: Now) {
        if let Some(ledger) = &mut self.ledger {
            ledger.reset();
        }
        self.schedule.on(Event::Reset, now, &self.policy);
    }

    /// Drops the tokens, which belong to another user.
    pub(super) fn drop_tokens(&mut self, now: Now) {
        self.token = None;
        self.refresh = None;
        self.rejected = None;
        self.stored_version = self.stored_version.wrapping_add(1);
        self.schedule.on(Event::OwnerChanged, now, &self.policy);
    }
}
