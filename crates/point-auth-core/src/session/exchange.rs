//! What an exchange does to a session when it ends: renewed, refused, denied, failed or lost.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};

use super::Session;
use super::action::{ExchangeId, ExchangeKind};
use super::held::{HeldRefresh, HeldToken, Phase};
use super::outcome::{AttemptError, Failure, Outcome, SessionError};
use super::time::{Moment, Now};
use crate::{
    BaseUrl, Credentials, Operation, Refresh, RefreshToken, RequestError, ResponseError, SecretBody, SignIn,
    TokenSet,
};

/// The exchange under way.
pub(super) struct Flight {
    pub(super) id: ExchangeId,
    pub(super) with: With,
    pub(super) asked_at: Now,
    pub(super) deadline: Duration,
}

impl Flight {
    pub(super) fn kind(&self) -> ExchangeKind {
        match self.with {
            With::Credentials(_) => ExchangeKind::SignIn,
            With::RefreshToken(_) => ExchangeKind::Refresh,
        }
    }

    /// Whether an answer to it says that the server has seen a sign-in.
    fn sign_in_seen(&self) -> SignInSeen {
        match self.kind() {
            ExchangeKind::SignIn => SignInSeen::Yes,
            ExchangeKind::Refresh => SignInSeen::No,
        }
    }
}

/// What an exchange is made with, kept for reading its answer.
pub(super) enum With {
    Credentials(Credentials),
    RefreshToken(RefreshToken),
}

impl With {
    pub(super) fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        match self {
            Self::Credentials(credentials) => SignIn::new(credentials).to_request(base),
            Self::RefreshToken(token) => Refresh::new(token).to_request(base),
        }
    }
}

/// What is known of a failure beside its cause.
#[derive(Clone, Copy, Debug, Default)]
struct Answer {
    sign_in: SignInSeen,
    /// How long the server asked to be left alone.
    retry_after: Option<Duration>,
    /// Another try would fail the same way.
    hopeless: bool,
}

/// Whether an exchange was a sign-in that the server has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SignInSeen {
    /// It was a refresh, or was not sent.
    #[default]
    No,
    /// It was, and the server answered.
    Yes,
    /// Its answer was lost, so that it may have counted against the account.
    Perhaps,
}

impl Session {
    /// Tells the session that `response` came to exchange `id`.
    ///
    /// Call it once for each exchange that got a response, whatever it is; then poll every call that waits. What is told of an
    /// exchange that is not under way any more is ignored.
    pub fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        id: ExchangeId,
        now: Now,
        response: &Response<B>,
    ) -> Outcome {
        let Some(flight) = self.land(id) else { return Outcome::Ignored };
        let tokens = match &flight.with {
            With::Credentials(credentials) => SignIn::new(credentials).parse_response(response),
            With::RefreshToken(token) => Refresh::new(token).parse_response(response),
        };
        match tokens {
            Ok(tokens) => self.renewed(&flight, now, tokens),
            Err(error) => self.refused_or_failed(&flight, now, error),
        }
    }

    /// Tells the session that exchange `id` got no response.
    ///
    /// Call it once for each exchange that failed; then poll every call that waits. What is told of an exchange that is not
    /// under way any more is ignored.
    pub fn handle_failure(&mut self, id: ExchangeId, now: Now, failure: &Failure) -> Outcome {
        let Some(flight) = self.land(id) else { return Outcome::Ignored };
        let sign_in = match (flight.kind(), failure.may_have_been_sent()) {
            (ExchangeKind::Refresh, _) | (_, false) => SignInSeen::No,
            (ExchangeKind::SignIn, true) => SignInSeen::Perhaps,
        };
        self.failed(now, AttemptError::Failure(failure.clone()), Answer { sign_in, ..Answer::default() })
    }

    /// Tells the session that whoever was sending exchange `id` has gone away, and nothing more will be told of it.
    ///
    /// The next call that is polled takes over. Without this that happens two seconds after the exchange's deadline. What is
    /// told of an exchange that is not under way any more is ignored.
    pub fn abandon(&mut self, id: ExchangeId, now: Now) {
        if let Some(flight) = self.land(id) {
            self.lost(&flight, now);
        }
    }

    fn renewed(&mut self, flight: &Flight, now: Now, tokens: TokenSet) -> Outcome {
        let token = tokens.access_token().clone();
        let age = super::held::age(flight.asked_at, now);
        let share = self.jitter.next();
        let held = HeldToken::new(token, now, age, tokens.expires_in(), &self.policy, share);
        // Even beside an access token that is no use: the one that was sent may have ended with this answer.
        self.keep_refresh_token(flight, now, &tokens);
        let sign_in = flight.sign_in_seen();
        if sign_in == SignInSeen::Yes {
            self.lost_sign_ins = 0;
        }
        if held.phase(now) == Phase::Over {
            return self.failed(now, AttemptError::EndedOnArrival, Answer { sign_in, ..Answer::default() });
        }
        let there_was = self.token.as_ref().map(|old| &old.token);
        if [self.rejected.as_ref(), there_was].contains(&Some(&held.token)) {
            // It has gained no life, so that asking at once again would go on for ever.
            let answer = Answer { sign_in, hopeless: true, ..Answer::default() };
            return self.failed(now, AttemptError::SameToken, answer);
        }
        if self.token.as_ref().is_some_and(|old| old.age(now) >= self.policy.young_token) {
            self.rejections = 0;
        }
        self.token = Some(held);
        self.pause = None;
        self.failed_rounds = 0;
        self.counts.renewed = self.counts.renewed.saturating_add(1);
        self.next_round(None);
        Outcome::Renewed { kind: flight.kind(), tokens }
    }

    /// Its life counts from when it first came: the same one again does not begin anew.
    fn keep_refresh_token(&mut self, flight: &Flight, now: Now, tokens: &TokenSet) {
        let Some(token) = tokens.refresh_token() else {
            self.refresh = None;
            return;
        };
        if self.refresh.as_ref().is_none_or(|old| old.token != *token) {
            let age = super::held::age(flight.asked_at, now);
            self.refresh = Some(HeldRefresh::new(token.clone(), now, age, &self.policy));
        }
    }

    fn refused_or_failed(&mut self, flight: &Flight, now: Now, error: ResponseError) -> Outcome {
        let refused = is_refusal(&error);
        match (flight.kind(), &error) {
            (ExchangeKind::SignIn, ResponseError::Denied(denial)) => {
                let denial = denial.clone();
                self.latch = Some(denial.clone());
                self.lost_sign_ins = 0;
                self.counts.denied = self.counts.denied.saturating_add(1);
                self.next_round(Some(SessionError::Denied(denial.clone())));
                Outcome::Denied(denial)
            }
            (ExchangeKind::Refresh, _) if refused => {
                self.refresh = None;
                self.counts.refused = self.counts.refused.saturating_add(1);
                if self.next_kind(now).is_none() {
                    let error = self.no_way_on();
                    self.next_round(Some(error));
                }
                Outcome::RefreshRefused(Arc::new(error))
            }
            (kind, _) => {
                // Who may come back at once is not asked to stay away.
                let retry_after = error
                    .retry_after()
                    .map(|after| after.delay_from(now.wall))
                    .filter(|delay| !delay.is_zero());
                let sign_in = match kind {
                    // A refusal that does not say it is a denial may be one all the same, and have counted.
                    ExchangeKind::SignIn if refused || is_lost_behind_a_gateway(&error) => {
                        SignInSeen::Perhaps
                    }
                    _ => flight.sign_in_seen(),
                };
                let answer = Answer { sign_in, retry_after, hopeless: refused };
                self.failed(now, AttemptError::Response(Arc::new(error)), answer)
            }
        }
    }

    /// An attempt failed in passing: try again soon, or end the round and pause.
    fn failed(&mut self, now: Now, error: AttemptError, answer: Answer) -> Outcome {
        self.counts.failed = self.counts.failed.saturating_add(1);
        match answer.sign_in {
            // Neither says anything of those before it: only tokens or a denial show what they came to.
            SignInSeen::No | SignInSeen::Yes => {}
            SignInSeen::Perhaps => self.lost_sign_ins = self.lost_sign_ins.saturating_add(1),
        }
        self.round.failed_attempts = self.round.failed_attempts.saturating_add(1);
        self.round.last = Some(error.clone());

        let attempts_left = self.round.failed_attempts < self.policy.attempts;
        let lost = answer.sign_in == SignInSeen::Perhaps;
        let may_count = answer.sign_in == SignInSeen::Yes && self.lost_sign_ins > 0;
        let soon = !lost && !may_count && !answer.hopeless && answer.retry_after.is_none();
        let in_need = self.last_use(now).is_none();
        if attempts_left && soon && in_need {
            let gap = self.gap();
            self.round.next_attempt = Some(Moment::after(now, gap));
            return Outcome::Retrying(error);
        }
        let until = self.give_up(now, error.clone(), answer);
        Outcome::Failed { error, until }
    }

    /// Whoever was sending is gone, and the request may have been sent all the same. The next caller takes over, but for as many
    /// times as a failure is tried again.
    pub(super) fn lost(&mut self, flight: &Flight, now: Now) {
        self.counts.lost = self.counts.lost.saturating_add(1);
        self.round.failed_attempts = self.round.failed_attempts.saturating_add(1);
        self.round.last = Some(AttemptError::Lost);
        let is_sign_in = flight.kind() == ExchangeKind::SignIn;
        if is_sign_in {
            self.lost_sign_ins = self.lost_sign_ins.saturating_add(1);
        }
        let too_often = self.round.failed_attempts >= self.policy.attempts;
        if too_often || is_sign_in && self.lost_sign_ins >= self.policy.lost_sign_ins {
            let sign_in = if is_sign_in { SignInSeen::Perhaps } else { SignInSeen::No };
            self.give_up(now, AttemptError::Lost, Answer { sign_in, ..Answer::default() });
        }
    }

    /// Ends the round and begins a pause: a longer one while there is a good token, but then not beyond it, unless the server
    /// asked for that or sign-ins may have been counted.
    fn give_up(&mut self, now: Now, error: AttemptError, answer: Answer) -> Moment {
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
        let asked_for = answer.retry_after.map(|delay| delay.min(self.policy.longest_retry_after));
        let lost_too_often =
            answer.sign_in == SignInSeen::Perhaps && self.lost_sign_ins >= self.policy.lost_sign_ins;
        let for_the_account = lost_too_often.then_some(self.policy.lost_pause);
        for at_least in [asked_for, for_the_account].into_iter().flatten() {
            let at_least = Moment::after(now, at_least);
            (until, without_token) = (until.later(at_least), without_token.later(at_least));
        }
        self.end_round(error, until, without_token);
        until
    }

    /// When the token that there is ends, if it has not.
    fn last_use(&self, now: Now) -> Option<Moment> {
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

/// A gateway that timed out has sent the request on, and nobody knows what came of it.
fn is_lost_behind_a_gateway(error: &ResponseError) -> bool {
    matches!(error, ResponseError::Unexpected { status: StatusCode::GATEWAY_TIMEOUT, .. })
}
