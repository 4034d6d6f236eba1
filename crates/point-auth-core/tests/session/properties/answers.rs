//! Updates the model at the end of an exchange.

use std::time::Duration;

use point_auth_core::session::{Now, Outcome};

use super::clocks::{When, passed};
use super::model::{InFlight, Latch, Meaning, Model, Source, Token, login, seconds};
use super::rates::End;

impl Model {
    /// The report for the exchange in flight, and the session's outcome.
    pub(super) fn answered(&mut self, meaning: &Meaning, outcome: &Outcome, now: Now, step: usize) {
        let in_flight = self.in_flight.take().unwrap();
        let is_sign_in = in_flight.who.is_some();
        // Only tokens or a denial reveal the results of the sign-ins before.
        if is_sign_in && matches!(meaning, Meaning::Tokens { .. } | Meaning::Denial) {
            self.unknown_sign_ins = 0;
            self.unknown_with = None;
            self.account_rests_until = None;
        }
        match meaning {
            Meaning::Tokens { access, refresh, life } => {
                if is_sign_in {
                    self.rates.ended(End::Tokens, now.monotonic);
                }
                if let Some(who) = in_flight.who {
                    self.denials.remove(&login(who));
                    self.unknown.remove(&login(who));
                }
                self.tokens(&in_flight, access, refresh.as_deref(), *life, outcome, now, step);
            }
            Meaning::Denial if is_sign_in => {
                assert!(matches!(outcome, Outcome::Denied { .. }), "{outcome:?}");
                self.rates.ended(End::Denied, now.monotonic);
                if let Some(who) = in_flight.who {
                    self.denied.insert(who);
                    let (denials, last) = self.denials.entry(login(who)).or_default();
                    (*denials, *last) = (*denials + 1, now.monotonic);
                }
                self.latches(now, step);
            }
            Meaning::Refusal(Some(delay)) if !is_sign_in => {
                self.refresh = None;
                self.failed(outcome, now, step);
                assert!(matches!(outcome, Outcome::Failed { .. }), "waited through: {outcome:?}");
                self.at_least.push(When::after(now, (*delay).min(seconds(3600))));
            }
            Meaning::Denial | Meaning::Refusal(_) if !is_sign_in => {
                self.is_last_try = true;
                assert!(matches!(outcome, Outcome::RefreshRefused { .. }), "{outcome:?}");
                self.refresh = None;
                match (self.latch, self.source) {
                    (Some(_), _) => self.last_denial = Some(step),
                    (None, Source::Nowhere) => self.last_need = Some(step),
                    (None, _) => {}
                }
            }
            Meaning::Denial | Meaning::Refusal(_) => {
                assert!(
                    matches!(outcome, Outcome::Failed { .. }),
                    "retried without a reason: {outcome:?}"
                );
                self.failed(outcome, now, step);
                self.sign_in_is_unknown(in_flight.who.unwrap(), now);
                if let Meaning::Refusal(Some(delay)) = meaning {
                    self.at_least.push(When::after(now, (*delay).min(seconds(3600))));
                }
            }
            Meaning::Passing(retry_after) => {
                if is_sign_in {
                    self.rates.ended(End::Passing, now.monotonic);
                }
                if is_sign_in && (self.unknown_sign_ins > 0 || self.is_last_try) {
                    assert!(
                        matches!(outcome, Outcome::Failed { .. }),
                        "a quick retry: {outcome:?}"
                    );
                }
                self.failed(outcome, now, step);
                if let Some(delay) = retry_after {
                    assert!(
                        matches!(outcome, Outcome::Failed { .. }),
                        "waited through: {outcome:?}"
                    );
                    self.at_least.push(When::after(now, (*delay).min(seconds(3600))));
                }
            }
            Meaning::Lost => {
                self.failed(outcome, now, step);
                if let Some(who) = in_flight.who {
                    assert!(
                        matches!(outcome, Outcome::Failed { .. }),
                        "a quick retry: {outcome:?}"
                    );
                    self.sign_in_is_unknown(who, now);
                }
            }
        }
    }

    /// The request was not sent, which reveals nothing about the account.
    pub(super) fn not_sent(&mut self, outcome: &Outcome, now: Now, step: usize) {
        let in_flight = self.in_flight.take();
        if in_flight.is_some_and(|in_flight| in_flight.who.is_some()) {
            self.rates.ended(End::Passing, now.monotonic);
        }
        self.failed(outcome, now, step);
    }

    pub(super) fn latches(&mut self, now: Now, step: usize) {
        self.is_last_try = false;
        self.last_denial = Some(step);
        let [rests, ends] = [1, 60].map(|backoff| When::after(now, seconds(backoff)));
        self.latch = Some(Latch { rests, ends });
    }

    pub(super) fn failed(&mut self, outcome: &Outcome, now: Now, step: usize) {
        match outcome {
            Outcome::Retrying { .. } => {
                assert!(!self.token_is_good(now), "retries with a good token");
            }
            Outcome::Failed { until, .. } => {
                self.is_last_try = false;
                self.last_failure = Some(step);
                self.promised = Some(*until);
                if !self.token_is_good(now) {
                    self.at_least.push(When::after(now, seconds(1)));
                }
            }
            other => panic!("it failed, and then {other:?}"),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of them are part of the report")]
    fn tokens(
        &mut self,
        in_flight: &InFlight,
        access: &str,
        refresh: Option<&str>,
        life: Duration,
        outcome: &Outcome,
        now: Now,
        step: usize,
    ) {
        let age = passed(in_flight.asked_at, now);
        match refresh {
            Some(name) if self.refresh.as_ref().is_none_or(|(old, _)| old != name) => {
                let dead = When::after(now, seconds(49 * 3600).saturating_sub(age));
                self.refresh = Some((name.to_owned(), dead));
            }
            None if in_flight.who.is_some() => self.refresh = None,
            _ => {}
        }
        let usable = life - seconds(5).min(life / 10);
        let is_over = age >= usable;
        let left = usable.saturating_sub(age);
        let is_rejected =
            !is_over && self.rejected.take_if(|rejected| rejected == access).is_some();
        let gains_little =
            |old: &Token| old.name == access && left <= old.owed.left(now) + seconds(2);
        let is_old = is_rejected || self.token.as_ref().is_some_and(gains_little);
        if is_over || is_old {
            self.failed(outcome, now, step);
            if !is_over {
                assert!(
                    matches!(outcome, Outcome::Failed { .. }),
                    "the identical token: {outcome:?}"
                );
            }
            return;
        }
        assert!(matches!(outcome, Outcome::Renewed { .. }), "good tokens, and then {outcome:?}");
        self.is_last_try = false;
        self.rates.tokens();
        let before_waiting = life - seconds(60).min(life / 4);
        self.token = Some(Token {
            name: access.to_owned(),
            came_at: now,
            age,
            forbidden: When::after(in_flight.asked_at, usable),
            owed: When::after(now, usable.saturating_sub(age)),
            at_once: When::after(now, before_waiting.saturating_sub(age)),
        });
    }
}
