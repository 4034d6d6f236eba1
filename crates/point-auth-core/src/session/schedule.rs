//! [`Schedule`]: when an exchange may start.
//!
//! All delays and stops of a session's exchanges are here. [`start`](Schedule::start) returns when
//! one may start, and [`on`](Schedule::on) handles each event that changes this. The
//! [ledger](super::Ledger) decides who may send a password at all; its rejections arrive here as
//! events.
//!
//! | event | clears |
//! |---|---|
//! | tokens came | the backoff and the counts of failures |
//! | a sign-in started | the denial, which was of other credentials |
//! | a new password | the denial, the round, the delay between sign-ins, and a hold of the ledger, but not a backoff that failures or the server led to |
//! | another user or alias | the denial |
//! | a reset | everything |
//! | a changed ledger | a hold of the ledger |

mod event;

use std::time::Duration;

use super::action::ExchangeKind;
use super::jitter::Jitter;
use super::outcome::AttemptError;
use super::policy::Policy;
use super::time::{Moment, Now};
use crate::Denial;
pub(super) use event::{Event, Failed, Next};

#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    /// Stops sign-ins.
    denied: Option<Denied>,
    /// Stops everything for a while.
    backoff: Option<Backoff>,
    /// Delays the next attempt of this round.
    next_attempt: Option<Moment>,
    /// Delays sign-ins after one that gave tokens.
    next_sign_in: Option<Moment>,
    /// In this round.
    failed_attempts: u32,
    /// A refresh was refused in this round: one sign-in follows, and no second attempt.
    is_last_attempt: bool,
    /// In a row.
    failed_rounds: u32,
    /// Young tokens rejected in a row.
    rejections: u32,
}

/// The sign-in was denied.
#[derive(Clone, Debug)]
struct Denied {
    denial: Denial,
    /// When a credential source may be asked for other credentials.
    ask_again: Option<Moment>,
}

#[derive(Clone, Debug)]
struct Backoff {
    error: AttemptError,
    until: Moment,
    /// Its end without the token that is still valid.
    without_token: Moment,
    /// Its end once the password changes.
    with_other_password: Moment,
    /// Whether it is a hold of the ledger, which a change of the ledger may end.
    is_hold: bool,
}

/// When an exchange of one kind may start.
#[derive(Debug)]
pub(super) enum Start<'a> {
    Now,
    At(Moment),
    /// Not before then. Callers get the error.
    Backoff(Moment, &'a AttemptError),
    /// Not at all, or not before then.
    Denied(Option<Moment>),
}

impl Schedule {
    /// Returns when an exchange of this kind may start.
    pub(super) fn start(&self, kind: ExchangeKind, now: Now) -> Start<'_> {
        if kind == ExchangeKind::SignIn
            && let Some(Denied { ask_again, .. }) = &self.denied
            && !ask_again.is_some_and(|moment| moment.has_come(now))
        {
            return Start::Denied(*ask_again);
        }
        if let Some(Backoff { until, error, .. }) = &self.backoff {
            return Start::Backoff(*until, error);
        }
        let next_sign_in = self.next_sign_in.filter(|_| kind == ExchangeKind::SignIn);
        let is_ahead = |moment: &Moment| !moment.has_come(now);
        match (self.next_attempt.filter(is_ahead), next_sign_in.filter(is_ahead)) {
            (Some(one), Some(other)) => Start::At(one.later(other)),
            (Some(one), None) | (None, Some(one)) => Start::At(one),
            (None, None) => Start::Now,
        }
    }

    /// Handles an event.
    pub(super) fn on(&mut self, event: Event, now: Now, policy: &Policy) {
        match event {
            Event::Clock => {
                // What has ended stays ended, even if the wall clock is set back.
                self.backoff.take_if(|backoff| backoff.until.has_come(now));
            }
            Event::Started { sends } => {
                self.next_attempt = None;
                // The ledger rejects denied credentials, so these are others.
                self.denied.take_if(|_| sends == Some(ExchangeKind::SignIn));
            }
            Event::SignedIn { asked_at, life } => {
                // Otherwise a server that refuses every refresh, or gives tokens of a few seconds,
                // would be sent the password without end.
                let apart = (life / 2).min(Policy::YOUNG_TOKEN).max(Policy::SHORTEST_BACKOFF);
                self.next_sign_in = Some(Moment::after(asked_at, apart));
            }
            Event::Renewed { forgets_rejections } => {
                let rejections = if forgets_rejections { 0 } else { self.rejections };
                let (denied, next_sign_in) = (self.denied.take(), self.next_sign_in);
                *self = Self { denied, rejections, next_sign_in, ..Self::default() };
            }
            Event::Postponed { delay } => self.next_attempt = Some(Moment::after(now, delay)),
            Event::GainedNothing => self.next_sign_in = None,
            Event::Denied { denial, ask_again } => {
                self.end_round();
                self.denied = Some(Denied { denial, ask_again });
            }
            Event::Held { error, until } => {
                self.end_round();
                let soonest = Moment::after(now, Policy::SHORTEST_BACKOFF);
                let until = until.map_or(Moment::NEVER, |until| until.later(soonest));
                let at_once = Moment::after(now, Duration::ZERO);
                self.backoff = Some(Backoff {
                    error,
                    until,
                    without_token: until,
                    with_other_password: at_once,
                    is_hold: true,
                });
            }
            Event::LedgerChanged => {
                self.backoff.take_if(|backoff| backoff.is_hold);
            }
            Event::RefreshRefused => self.is_last_attempt = true,
            Event::TokenRejected { is_young, in_flight } => {
                self.shorten_backoff();
                self.rejections = if is_young { self.rejections.saturating_add(1) } else { 0 };
                if is_young && !in_flight {
                    self.reject_young(now, policy);
                }
            }
            Event::OwnerChanged => {
                // The denial was of the previous user, whose token does not delay this user's
                // sign-in.
                self.denied = None;
                let soon = Moment::after(now, Policy::SHORTEST_BACKOFF);
                self.next_sign_in = self.next_sign_in.map(|next| next.earlier(soon));
                self.shorten_backoff();
            }
            Event::NewPassword => {
                self.end_round();
                self.denied = None;
                self.next_sign_in = None;
                if let Some(backoff) = &mut self.backoff {
                    backoff.until = backoff.until.earlier(backoff.with_other_password);
                    backoff.without_token =
                        backoff.without_token.earlier(backoff.with_other_password);
                }
            }
            Event::Reset => *self = Self::default(),
            Event::RoundOver => self.end_round(),
        }
    }

    /// Handles a failed attempt. Returns the result: another attempt soon, or a backoff.
    pub(super) fn failed(
        &mut self,
        failed: Failed,
        now: Now,
        policy: &Policy,
        jitter: &mut Jitter,
    ) -> Next {
        self.failed_attempts = self.failed_attempts.saturating_add(1);
        let attempts_left = self.failed_attempts < policy.attempts() && !self.is_last_attempt;
        let is_soon = failed.may_retry && !failed.is_hopeless && failed.retry_after.is_none();
        if attempts_left && is_soon && failed.last_use.is_none() {
            let at = Moment::after(now, self.retry_delay(policy, jitter));
            self.next_attempt = Some(at);
            return Next::RetryAt(at);
        }
        self.back_off(failed, now, policy, jitter)
    }

    /// Handles an abandoned attempt. The next caller takes over, as often as a failure is retried.
    pub(super) fn abandoned(
        &mut self,
        failed: Failed,
        now: Now,
        policy: &Policy,
        jitter: &mut Jitter,
    ) -> Next {
        self.failed_attempts = self.failed_attempts.saturating_add(1);
        let no_more = self.is_last_attempt || failed.unknown_until.is_some();
        if (failed.outcome_unknown && no_more) || self.failed_attempts >= policy.attempts() {
            return self.back_off(failed, now, policy, jitter);
        }
        // The account may have seen a sign-in.
        let delay = if failed.outcome_unknown { Policy::SHORTEST_BACKOFF } else { Duration::ZERO };
        let at = Moment::after(now, delay);
        self.next_attempt = Some(at);
        Next::RetryAt(at)
    }

    /// Delays the next attempt, because a sign-in of this account became void.
    pub(super) fn after_void_sign_in(&mut self, now: Now) {
        self.next_attempt = Some(Moment::after(now, Policy::SHORTEST_BACKOFF));
    }

    /// Ends the round and starts a backoff. With a good token the backoff is longer, but ends with
    /// the token, unless the server asked for more or the ledger holds the password.
    pub(super) fn back_off(
        &mut self,
        failed: Failed,
        now: Now,
        policy: &Policy,
        jitter: &mut Jitter,
    ) -> Next {
        self.failed_rounds = self.failed_rounds.saturating_add(1);
        let backoff = policy.backoff(Policy::SHORTEST_BACKOFF, self.failed_rounds);
        let mut without_token = Moment::after(now, backoff);
        let mut until = match failed.last_use {
            Some(last_use) => {
                let longer =
                    policy.backoff(Policy::SHORTEST_BACKOFF_WITH_TOKEN, self.failed_rounds);
                Moment::after(now, longer).earlier(last_use)
            }
            None => without_token,
        };
        if let Some(delay) = failed.retry_after {
            let asked_for = Moment::after(now, spread(delay, policy, jitter));
            (until, without_token) = (until.later(asked_for), without_token.later(asked_for));
        }
        let with_other_password = without_token;
        if let Some(held) = failed.unknown_until.filter(|_| failed.outcome_unknown) {
            (until, without_token) = (until.later(held), without_token.later(held));
        }
        self.end_round();
        // A backoff that ends with the token may have no length.
        let apart = match failed.outcome_unknown || failed.is_hopeless {
            true => Policy::SHORTEST_BACKOFF,
            false => self.retry_delay(policy, jitter),
        };
        self.next_attempt = Some(Moment::after(now, apart));
        let error = failed.error;
        self.backoff =
            Some(Backoff { error, until, without_token, with_other_password, is_hold: false });
        Next::BackoffUntil(until)
    }

    /// Returns the denial that stops sign-ins.
    pub(super) fn denial(&self) -> Option<&Denial> {
        self.denied.as_ref().map(|denied| &denied.denial)
    }

    /// The number of the attempt that comes next.
    pub(super) const fn attempt(&self) -> u32 {
        self.failed_attempts.saturating_add(1)
    }

    /// Returns until when nothing starts.
    pub(super) fn backoff_until(&self, now: Now) -> Option<Moment> {
        let until = self.backoff.as_ref()?.until;
        (!until.has_come(now)).then_some(until)
    }

    pub(super) fn backoff_error(&self) -> Option<&AttemptError> {
        self.backoff.as_ref().map(|backoff| &backoff.error)
    }

    /// Backs off after the rejection of a young token, so that an API that rejects every token
    /// causes no storm.
    fn reject_young(&mut self, now: Now, policy: &Policy) {
        // The backoff keeps sign-ins apart.
        self.next_sign_in = None;
        let length = policy.backoff(Policy::SHORTEST_BACKOFF, self.rejections);
        let mut until = Moment::after(now, length);
        let mut with_other_password = until;
        if let Some(before) = &self.backoff {
            with_other_password = until.later(before.with_other_password);
            until = until.later(before.until);
        }
        self.end_round();
        self.backoff = Some(Backoff {
            error: AttemptError::Rejected,
            until,
            without_token: until,
            with_other_password,
            is_hold: false,
        });
    }

    fn shorten_backoff(&mut self) {
        if let Some(backoff) = &mut self.backoff {
            backoff.until = backoff.until.earlier(backoff.without_token);
        }
    }

    fn end_round(&mut self) {
        self.failed_attempts = 0;
        self.next_attempt = None;
        self.is_last_attempt = false;
    }

    /// Returns 0.2 s, then 0.8 s, each plus or minus a quarter.
    fn retry_delay(&self, policy: &Policy, jitter: &mut Jitter) -> Duration {
        let doublings = self.failed_attempts.saturating_sub(1).saturating_mul(2);
        let fourfold = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let delay =
            Policy::FIRST_RETRY_DELAY.saturating_mul(fourfold).min(policy.longest_backoff());
        let jittered = delay.as_secs_f64() * (0.75 + jitter.next() / 2.0);
        Duration::try_from_secs_f64(jittered).unwrap_or(Duration::MAX)
    }
}

/// Adds up to a quarter to the server's delay, because other clients may have got an equal one.
fn spread(asked_for: Duration, policy: &Policy, jitter: &mut Jitter) -> Duration {
    let asked_for = asked_for.min(Policy::LONGEST_RETRY_AFTER);
    let more = (asked_for / 4).min(policy.longest_backoff()).mul_f64(jitter.next());
    asked_for.saturating_add(more)
}
