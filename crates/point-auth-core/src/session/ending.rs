//! What an exchange does to a session when it ends: renewed, refused, denied, failed or lost.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::exchange::{Flight, With};
use super::held::{HeldRefresh, HeldToken, Phase};
use super::outcome::{AttemptError, Outcome, SessionError};
use super::time::{Moment, Now};
use super::{Latch, Pause, Session};
use crate::{Credentials, Denial, RefreshToken, ResponseError, TokenSet};

/// What is known of a failure beside its cause.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answer {
    sign_in: SignInSeen,
    /// How long the server asked to be left alone.
    retry_after: Option<Duration>,
    /// Another try would fail the same way.
    hopeless: bool,
}

impl Answer {
    pub(super) fn of(sign_in: SignInSeen) -> Self {
        Self { sign_in, ..Self::default() }
    }

    pub(super) fn hopeless() -> Self {
        Self { hopeless: true, ..Self::default() }
    }
}

/// Whether an exchange was a sign-in that the server has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SignInSeen {
    /// It was a refresh, or was not sent.
    #[default]
    No,
    /// It was, and the server answered.
    Yes,
    /// Its answer was lost, so that it may have counted against the account.
    Perhaps,
}

impl Session {
    pub(super) fn renewed(&mut self, flight: &Flight, now: Now, tokens: TokenSet) -> Outcome {
        let token = tokens.access_token().clone();
        let age = super::held::age(flight.asked_at, now);
        let share = self.jitter.next();
        let held = HeldToken::new(token, now, age, tokens.expires_in(), &self.policy, share);
        // Even beside an access token that is no use: the one that was sent may have ended with this answer.
        self.keep_refresh_token(flight, now, &tokens);
        let sign_in = flight.sign_in_seen();
        if let With::Credentials(credentials) = &flight.with {
            self.login.clear(credentials);
            self.next_sign_in =
                Some(Moment::after(flight.asked_at, self.between_sign_ins(tokens.expires_in())));
        }
        if held.phase(now) == Phase::Over {
            return self.failed(now, AttemptError::EndedOnArrival, Answer::of(sign_in));
        }
        if !self.is_better(&held, now) {
            // It has gained no life, so that asking at once again would go on for ever. The pause keeps sign-ins apart.
            self.next_sign_in = None;
            let answer = Answer { sign_in, hopeless: true, ..Answer::default() };
            return self.failed(now, AttemptError::SameToken, answer);
        }
        if self.token.as_ref().is_some_and(|old| old.age(now) >= self.policy.young_token) {
            self.rejections = 0;
        }
        self.token = Some(held);
        self.stored_version = self.stored_version.wrapping_add(1);
        self.pause = None;
        self.failed_rounds = 0;
        self.counts.renewed = self.counts.renewed.saturating_add(1);
        self.next_round(None);
        Outcome::Renewed { kind: flight.kind(), tokens }
    }

    /// Whether this token is worth more than what there is: another one, or the same with a later end. A token that the API
    /// rejected is not; but if it is given again after the pause that follows, the server means it.
    fn is_better(&mut self, new: &HeldToken, now: Now) -> bool {
        if self.rejected.take_if(|rejected| *rejected == new.token).is_some() {
            return false;
        }
        match &self.token {
            Some(old) if old.token == new.token => {
                // A server that counts down gives the same end again, give or take a second.
                let gained = new.time_left(now).saturating_sub(old.time_left(now));
                gained > self.policy.shortest_pause.saturating_add(Duration::from_secs(1))
            }
            _ => true,
        }
    }

    /// How long after a sign-in that gave tokens the next may begin: a server that lets nobody refresh, or gives tokens of a
    /// few seconds, would otherwise be sent the password without end.
    fn between_sign_ins(&self, life: Duration) -> Duration {
        (life / 2).min(self.policy.young_token).max(self.policy.shortest_pause)
    }

    /// Its life counts from when it first came: the same one again does not begin anew; nor does the one that was sent take the
    /// place of one that came out of a store meanwhile.
    fn keep_refresh_token(&mut self, flight: &Flight, now: Now, tokens: &TokenSet) {
        let same = self.refresh.as_ref().map(|old| &old.token) == tokens.refresh_token();
        let was_sent = matches!(&flight.with, With::RefreshToken(sent) if tokens.refresh_token() == Some(sent));
        if same || (was_sent && self.refresh.is_some()) {
            return;
        }
        let age = super::held::age(flight.asked_at, now);
        self.refresh = tokens
            .refresh_token()
            .map(|token| HeldRefresh::new(token.clone(), now, age, &self.policy));
        self.stored_version = self.stored_version.wrapping_add(1);
    }

    pub(super) fn refused_or_failed(
        &mut self,
        flight: Flight,
        now: Now,
        error: ResponseError,
    ) -> Outcome {
        let refused = is_refusal(&error);
        // Who may come back at once is not asked to stay away.
        let retry_after = error
            .retry_after()
            .map(|after| after.delay_from(now.wall))
            .filter(|delay| !delay.is_zero());
        // A refusal that does not say it is a denial may be one all the same, and have counted.
        let denied = matches!(error, ResponseError::Denied(_));
        let may_have_counted = !denied && (refused || is_lost_behind_a_gateway(&error));
        let sign_in = match flight.sign_in_seen() {
            SignInSeen::Yes if may_have_counted => self.count_lost(&flight, now),
            seen => seen,
        };
        match (flight.with, error) {
            (With::Credentials(credentials), ResponseError::Denied(denial)) => {
                self.denied(denial, Some(credentials), now)
            }
            (With::RefreshToken(token), error) if refused => {
                self.refresh_refused(&token, now, error, retry_after)
            }
            (_, error) => {
                let answer = Answer { sign_in, retry_after, hopeless: refused };
                self.failed(now, AttemptError::Response(Arc::new(error)), answer)
            }
        }
    }

    /// A sign-in was denied: just now with `credentials`, or with the same before.
    pub(super) fn denied(
        &mut self,
        denial: Denial,
        credentials: Option<Credentials>,
        now: Now,
    ) -> Outcome {
        if let Some(credentials) = credentials {
            self.login.denied(denial.clone(), credentials);
            self.counts.denied = self.counts.denied.saturating_add(1);
        }
        // Only whoever hands them out knows whether they have changed since; not to be asked by every caller.
        self.failed_rounds = self.failed_rounds.saturating_add(1);
        let pause = self.doubled(self.policy.shortest_pause, self.failed_rounds);
        self.latch = Some(Latch { denial: denial.clone(), ask_again: Moment::after(now, pause) });
        self.next_round(Some(SessionError::Denied(denial.clone())));
        Outcome::Denied(denial)
    }

    fn refresh_refused(
        &mut self,
        token: &RefreshToken,
        now: Now,
        error: ResponseError,
        retry_after: Option<Duration>,
    ) -> Outcome {
        // Another may have come out of a store meanwhile.
        if self.refresh.take_if(|held| held.token == *token).is_some() {
            self.stored_version = self.stored_version.wrapping_add(1);
        }
        self.counts.refused = self.counts.refused.saturating_add(1);
        let error = Arc::new(error);
        if retry_after.is_some() {
            let answer = Answer { retry_after, ..Answer::default() };
            return self.give_up(now, AttemptError::Response(error), answer);
        }
        if self.next_kind(now).is_none() {
            let error = self.no_way_on();
            self.next_round(Some(error));
        } else {
            self.round.is_last_try = true;
        }
        Outcome::RefreshRefused(error)
    }

    /// An attempt failed in passing: try again soon, or end the round and pause.
    pub(super) fn failed(&mut self, now: Now, error: AttemptError, answer: Answer) -> Outcome {
        self.counts.failed = self.counts.failed.saturating_add(1);
        let may_have_counted = answer.sign_in == SignInSeen::Perhaps;
        self.round.failed_attempts = self.round.failed_attempts.saturating_add(1);
        self.round.last = Some(error.clone());

        let attempts_left =
            self.round.failed_attempts < self.policy.attempts && !self.round.is_last_try;
        let may_count = answer.sign_in == SignInSeen::Yes && self.login.has_lost();
        let soon =
            !may_have_counted && !may_count && !answer.hopeless && answer.retry_after.is_none();
        let in_need = self.last_use(now).is_none();
        if attempts_left && soon && in_need {
            let at = Moment::after(now, self.gap());
            self.round.next_attempt = Some(at);
            return Outcome::Retrying { error, at, may_have_counted };
        }
        self.give_up(now, error, answer)
    }

    /// Whoever was sending is gone, and the request may have been sent all the same. The next caller takes over, but for as many
    /// times as a failure is tried again.
    pub(super) fn lost(&mut self, flight: &Flight, now: Now, error: AttemptError) -> Outcome {
        let may_have_counted = flight.is_sign_in_sent();
        self.counts.lost = self.counts.lost.saturating_add(1);
        self.round.failed_attempts = self.round.failed_attempts.saturating_add(1);
        self.round.last = Some(error.clone());
        if may_have_counted {
            self.count_lost(flight, now);
        }
        let no_more = self.round.is_last_try || self.login.paused_until(now).is_some();
        if (may_have_counted && no_more) || self.round.failed_attempts >= self.policy.attempts {
            let sign_in = if may_have_counted { SignInSeen::Perhaps } else { SignInSeen::No };
            return self.give_up(now, error, Answer::of(sign_in));
        }
        // Nobody can say that the account did not see it.
        let gap = if may_have_counted { self.policy.shortest_pause } else { Duration::ZERO };
        let at = Moment::after(now, gap);
        self.round.next_attempt = Some(at);
        Outcome::Retrying { error, at, may_have_counted }
    }

    /// A sign-in may have counted against the account, and nobody will tell.
    pub(super) fn count_lost(&mut self, flight: &Flight, now: Now) -> SignInSeen {
        match &flight.with {
            With::Credentials(credentials) => {
                self.login.lost(credentials, now);
                SignInSeen::Perhaps
            }
            With::CredentialsToCome | With::RefreshToken(_) => SignInSeen::No,
        }
    }

    /// Ends the round and begins a pause: a longer one while there is a good token, but then not beyond it, unless the server
    /// asked for that or sign-ins may have been counted.
    fn give_up(&mut self, now: Now, error: AttemptError, answer: Answer) -> Outcome {
        self.failed_rounds = self.failed_rounds.saturating_add(1);
        let pause = self.doubled(self.policy.shortest_pause, self.failed_rounds);
        let mut without_token = Moment::after(now, pause);
        let mut until = match self.last_use(now) {
            Some(last_use) => {
                let pause = self.doubled(self.policy.shortest_pause_with_token, self.failed_rounds);
                Moment::after(now, pause).earlier(last_use)
            }
            None => without_token,
        };
        let may_have_counted = answer.sign_in == SignInSeen::Perhaps;
        let asked_for = answer.retry_after.map(|delay| Moment::after(now, self.spread(delay)));
        if let Some(asked_for) = asked_for {
            (until, without_token) = (until.later(asked_for), without_token.later(asked_for));
        }
        let other_login = without_token;
        if let Some(paused) = self.login.paused_until(now).filter(|_| may_have_counted) {
            (until, without_token) = (until.later(paused), without_token.later(paused));
        }
        self.end_round(Pause { until, without_token, other_login, error: error.clone() });
        // A pause that ends with the token may be none at all, and the account has seen a sign-in just now.
        let gap = if may_have_counted || answer.hopeless {
            self.policy.shortest_pause
        } else {
            self.gap()
        };
        self.round.next_attempt = Some(Moment::after(now, gap));
        Outcome::Failed { error, until, may_have_counted }
    }

    /// What the server asked for and a little more, by the jitter: it may have told the same to a thousand others.
    fn spread(&mut self, asked_for: Duration) -> Duration {
        let asked_for = asked_for.min(self.policy.longest_retry_after);
        let more = (asked_for / 4).min(self.policy.longest_pause).mul_f64(self.jitter.next());
        asked_for.saturating_add(more)
    }

    /// When the token that there is ends, if it has not.
    pub(super) fn last_use(&self, now: Now) -> Option<Moment> {
        self.token.as_ref().filter(|held| held.phase(now) != Phase::Over).map(|held| held.last_use)
    }

    /// 0.2 s, then 0.8 s, each give or take a quarter, with the defaults.
    fn gap(&mut self) -> Duration {
        let doublings = self.round.failed_attempts.saturating_sub(1).saturating_mul(2);
        let fourfold = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let gap = self.policy.first_gap.saturating_mul(fourfold).min(self.policy.longest_pause);
        let jittered = gap.as_secs_f64() * (0.75 + self.jitter.next() / 2.0);
        Duration::try_from_secs_f64(jittered).unwrap_or(Duration::MAX)
    }
}

/// Whether the server refused what it was sent, rather than failed: denied, malformed, or a 4xx that does not pass. A 403
/// without this API's error object is somebody else's, such as a firewall's, and so passes.
fn is_refusal(error: &ResponseError) -> bool {
    match error {
        ResponseError::Denied(_) | ResponseError::Malformed { .. } => true,
        ResponseError::Unexpected { status, .. } => {
            status.is_client_error() && *status != StatusCode::FORBIDDEN && !error.is_retryable()
        }
    }
}

/// A gateway that says it got no answer, or none that it understood, has sent the request on: 504, and 520 and 524 of those beyond
/// RFC 9110. A 502 is as often a server that is not there, so that it is tried again as any other failure.
fn is_lost_behind_a_gateway(error: &ResponseError) -> bool {
    matches!(error, ResponseError::Unexpected { status, .. } if matches!(status.as_u16(), 504 | 520 | 524))
}
