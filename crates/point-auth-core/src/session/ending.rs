//! The end of an exchange: renewed, refused, denied, failed or abandoned.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::exchange::{InFlight, With};
use super::held::{HeldRefresh, HeldToken, Phase};
use super::ledger::{Permit, SignInResult};
use super::outcome::{AttemptError, Outcome, SessionError};
use super::policy::Policy;
use super::schedule::{Event, Failed, Next};
use super::time::{Moment, Now};
use super::{SessionMachine, Source};
use crate::{Denial, RefreshToken, RequestError, ResponseError, TokenSet};

/// The facts about a failure besides its cause.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answer {
    /// Whether it was a sign-in that the server may have seen, with unknown outcome.
    pub(super) outcome_unknown: bool,
    /// Whether it was a sign-in that the server has answered.
    pub(super) is_answered_sign_in: bool,
    /// The delay that the server asked for.
    pub(super) retry_after: Option<Duration>,
    /// Whether another attempt would fail too.
    pub(super) is_hopeless: bool,
}

impl SessionMachine {
    pub(super) fn renewed(
        &mut self,
        mut in_flight: InFlight,
        now: Now,
        tokens: TokenSet,
    ) -> Outcome {
        let token = tokens.access_token().clone();
        let age = super::held::age(in_flight.asked_at, now);
        let share = self.jitter.next();
        let held = HeldToken::new(token, now, age, tokens.expires_in(), &self.policy, share);
        // Also with a useless access token: this response may have ended the refresh token that was
        // sent.
        self.keep_refresh_token(&in_flight, now, &tokens);
        let kind = in_flight.kind();
        let is_answered_sign_in = in_flight.is_sign_in_sent();
        if is_answered_sign_in {
            self.settle(in_flight.permit.take(), SignInResult::Accepted, now);
            self.let_go_of_credentials(&in_flight.with);
            let (asked_at, life) = (in_flight.asked_at, tokens.expires_in());
            self.schedule.on(Event::SignedIn { asked_at, life }, now, &self.policy);
        }
        let answer = Answer { is_answered_sign_in, ..Answer::default() };
        if held.phase(now) == Phase::Over {
            return self.failed(now, AttemptError::EndedOnArrival, answer);
        }
        if !self.is_better(&held, now) {
            // The new token lasts no longer. Another request now would start an endless loop.
            self.schedule.on(Event::GainedNothing, now, &self.policy);
            let answer = Answer { is_hopeless: true, ..answer };
            return self.failed(now, AttemptError::SameToken, answer);
        }
        let forgets_rejections =
            self.token.as_ref().is_some_and(|old| old.age(now) >= Policy::YOUNG_TOKEN);
        self.schedule.on(Event::Renewed { forgets_rejections }, now, &self.policy);
        self.token = Some(held);
        self.stored_version = self.stored_version.wrapping_add(1);
        self.counts.renewed = self.counts.renewed.saturating_add(1);
        self.next_round(None);
        Outcome::Renewed { kind, tokens, took: Duration::ZERO }
    }

    /// Returns whether this token is better than the current one: another one, or an equal one with
    /// a later end. A token that the API rejected is not better. But if the server sends it again
    /// after the backoff that follows, it is accepted.
    fn is_better(&mut self, new: &HeldToken, now: Now) -> bool {
        if self.rejected.take_if(|rejected| *rejected == new.token).is_some() {
            return false;
        }
        match &self.token {
            Some(old) if old.token == new.token => {
                // A server that counts down sends an equal end, within about a second.
                let gained = new.time_left(now).saturating_sub(old.time_left(now));
                gained > Policy::SHORTEST_BACKOFF.saturating_add(Duration::from_secs(1))
            }
            _ => true,
        }
    }

    /// The lifetime of a refresh token counts from its first arrival: if it arrives again, it does
    /// not restart. The token that was sent does not replace one that was restored meanwhile.
    fn keep_refresh_token(&mut self, in_flight: &InFlight, now: Now, tokens: &TokenSet) {
        let same = self.refresh.as_ref().map(|old| &old.token) == tokens.refresh_token();
        let was_sent = matches!(&in_flight.with, With::RefreshToken(sent)
            if tokens.refresh_token() == Some(sent));
        if same || (was_sent && self.refresh.is_some()) {
            return;
        }
        let age = super::held::age(in_flight.asked_at, now);
        self.refresh =
            tokens.refresh_token().map(|token| HeldRefresh::new(token.clone(), now, age));
        self.stored_version = self.stored_version.wrapping_add(1);
    }

    pub(super) fn refused_or_failed(
        &mut self,
        in_flight: InFlight,
        now: Now,
        error: ResponseError,
    ) -> Outcome {
        let refused = is_refusal(&error);
        // A server that allows the next attempt at once does not ask for a delay.
        let retry_after = error
            .retry_after()
            .map(|after| after.delay_from(now.wall))
            .filter(|delay| !delay.is_zero());
        match (in_flight.with, error) {
            (With::Credentials(_), ResponseError::Denied(denial)) => {
                let ask_again = self.settle_denied(in_flight.permit, &denial, now);
                self.counts.denied = self.counts.denied.saturating_add(1);
                self.denied(denial, ask_again, now)
            }
            (With::RefreshToken(token), error) if refused => {
                self.refresh_refused(&token, now, error, retry_after)
            }
            (with, error) => {
                let is_sign_in = matches!(with, With::Credentials(_));
                // A refusal that is not a clear denial may be one, and may have counted.
                let outcome_unknown =
                    is_sign_in && (refused || is_unknown_behind_a_gateway(&error));
                let result = match outcome_unknown {
                    true => SignInResult::Unknown,
                    false => SignInResult::Inconclusive,
                };
                self.settle(in_flight.permit, result, now);
                let answer = Answer {
                    outcome_unknown,
                    is_answered_sign_in: is_sign_in,
                    retry_after,
                    is_hopeless: refused,
                };
                self.failed(now, AttemptError::Response(Arc::new(error)), answer)
            }
        }
    }

    /// Settles the permit with the session's own ledger.
    pub(super) fn settle(&mut self, permit: Option<Permit>, result: SignInResult<'_>, now: Now) {
        if let (Some(ledger), Some(permit)) = (&mut self.ledger, permit) {
            ledger.settle(permit, result, now);
        }
    }

    /// Drops credentials on demand once they have worked. The next sign-in requests them again.
    fn let_go_of_credentials(&mut self, with: &With) {
        if let (Some(ledger), Source::OnDemand, With::Credentials(credentials)) =
            (&mut self.ledger, &self.credentials, with)
        {
            ledger.forget(credentials);
        }
    }

    /// Settles a denied permit. Returns when the credential source may be asked for others.
    fn settle_denied(
        &mut self,
        permit: Option<Permit>,
        denial: &Denial,
        now: Now,
    ) -> Option<Moment> {
        self.settle(permit, SignInResult::Denied(denial), now);
        if self.credentials.known().is_some() {
            return None;
        }
        match &self.ledger {
            Some(ledger) => ledger.source_may_be_asked_at(),
            // The shared ledger decides when it is asked again.
            None => Some(Moment::after(now, Policy::SHORTEST_BACKOFF)),
        }
    }

    /// Handles a sign-in that was denied, now or earlier.
    pub(super) fn denied(
        &mut self,
        denial: Denial,
        ask_again: Option<Moment>,
        now: Now,
    ) -> Outcome {
        let event = Event::Denied { denial: denial.clone(), ask_again };
        self.schedule.on(event, now, &self.policy);
        self.next_round(Some(SessionError::Denied(denial.clone())));
        Outcome::Denied { denial, took: Duration::ZERO }
    }

    fn refresh_refused(
        &mut self,
        token: &RefreshToken,
        now: Now,
        error: ResponseError,
        retry_after: Option<Duration>,
    ) -> Outcome {
        // Another token may have been restored meanwhile.
        if self.refresh.take_if(|held| held.token == *token).is_some() {
            self.stored_version = self.stored_version.wrapping_add(1);
        }
        self.counts.refused = self.counts.refused.saturating_add(1);
        let error = Arc::new(error);
        if retry_after.is_some() {
            let answer = Answer { retry_after, ..Answer::default() };
            return self.back_off(now, AttemptError::Response(error), answer);
        }
        let goes_on = self.next_kind(now).is_some();
        if goes_on {
            self.schedule.on(Event::RefreshRefused, now, &self.policy);
        } else {
            let error = self.no_way_on();
            self.schedule.on(Event::RoundOver, now, &self.policy);
            self.next_round(Some(error));
        }
        Outcome::RefreshRefused { error, goes_on, took: Duration::ZERO }
    }

    /// Handles a failed attempt: retries soon, or ends the round and backs off.
    pub(super) fn failed(&mut self, now: Now, error: AttemptError, answer: Answer) -> Outcome {
        self.counts.failed = self.counts.failed.saturating_add(1);
        self.round.last = Some(error.clone());
        let failed = self.attempt(now, error.clone(), answer);
        let next = self.schedule.failed(failed, now, &self.policy, &mut self.jitter);
        self.follow(next, error, answer)
    }

    /// Handles the loss of a sender whose request may have been sent. The next caller takes over,
    /// as often as a failure is retried.
    pub(super) fn abandoned(
        &mut self,
        in_flight: InFlight,
        now: Now,
        error: AttemptError,
    ) -> Outcome {
        let outcome_unknown = in_flight.is_sign_in_sent();
        let result = match outcome_unknown {
            true => SignInResult::Unknown,
            false => SignInResult::Inconclusive,
        };
        self.settle(in_flight.permit, result, now);
        self.counts.abandoned = self.counts.abandoned.saturating_add(1);
        self.round.last = Some(error.clone());
        let answer = Answer { outcome_unknown, ..Answer::default() };
        let failed = self.attempt(now, error.clone(), answer);
        let next = self.schedule.abandoned(failed, now, &self.policy, &mut self.jitter);
        self.follow(next, error, answer)
    }

    /// Backs off without another attempt.
    fn back_off(&mut self, now: Now, error: AttemptError, answer: Answer) -> Outcome {
        let failed = self.attempt(now, error.clone(), answer);
        let next = self.schedule.back_off(failed, now, &self.policy, &mut self.jitter);
        self.follow(next, error, answer)
    }

    /// Handles a request that could not be built, which a valid base URL rules out. The backoff
    /// prevents a busy loop nevertheless.
    pub(super) fn unbuildable(&mut self, error: RequestError, now: Now) -> Outcome {
        let answer = Answer { is_hopeless: true, ..Answer::default() };
        self.failed(now, AttemptError::Request(error), answer)
    }

    fn attempt(&self, now: Now, error: AttemptError, answer: Answer) -> Failed {
        let own = self.ledger.as_deref();
        let has_unknown = own.is_some_and(super::Ledger::has_unknown);
        Failed {
            error,
            retry_after: answer.retry_after,
            may_retry: !(answer.outcome_unknown || answer.is_answered_sign_in && has_unknown),
            outcome_unknown: answer.outcome_unknown,
            is_hopeless: answer.is_hopeless,
            last_use: self.last_use(now),
            unknown_until: own.and_then(|ledger| ledger.unknown_until(now)),
        }
    }

    fn follow(&mut self, next: Next, error: AttemptError, answer: Answer) -> Outcome {
        let outcome_unknown = answer.outcome_unknown;
        let took = Duration::ZERO;
        match next {
            Next::RetryAt(at) => Outcome::Retrying { error, at, outcome_unknown, took },
            Next::BackoffUntil(until) => {
                self.next_round(Some(SessionError::Failed { error: error.clone(), until }));
                self.round.last = Some(error.clone());
                Outcome::Failed { error, until, outcome_unknown, took }
            }
        }
    }

    /// Returns the last use of the token that is still valid.
    pub(super) fn last_use(&self, now: Now) -> Option<Moment> {
        self.token.as_ref().filter(|held| held.phase(now) != Phase::Over).map(|held| held.last_use)
    }
}

/// Returns whether the server refused the request itself: a denial, a malformed response, or a
/// permanent 4xx. A 403 without this API's error object comes from an intermediary, such as a
/// firewall, and is temporary.
fn is_refusal(error: &ResponseError) -> bool {
    match error {
        ResponseError::Denied(_) | ResponseError::Malformed { .. } => true,
        ResponseError::Unexpected { status, .. } => {
            status.is_client_error() && *status != StatusCode::FORBIDDEN && !error.is_retryable()
        }
    }
}

/// Returns whether a gateway passed the request on and got no valid response: 504, and 520 and 524
/// beyond RFC 9110. A 502 is as often an unreachable server, and is retried like any other failure.
fn is_unknown_behind_a_gateway(error: &ResponseError) -> bool {
    matches!(error, ResponseError::Unexpected { status, .. }
        if matches!(status.as_u16(), 504 | 520 | 524))
}
