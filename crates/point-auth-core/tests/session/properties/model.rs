//! What must hold whatever happens, reckoned from what was told to the session and from nothing of its own.

use std::collections::HashSet;
use std::time::Duration;

use point_auth_core::session::{
    Action, Exchange, ExchangeId, ExchangeKind, Moment, Now, Outcome, SessionError,
};

use super::clocks::{When, passed};

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) name: String,
    came_at: Now,
    /// How old it was then.
    age: Duration,
    /// Nobody may get it from here on: its life since it was asked for, by each clock for itself.
    forbidden: When,
    /// Until here everybody must get it: what was left of its life when it came.
    owed: When,
    /// Until here nobody may be made to wait.
    at_once: When,
}

#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) id: ExchangeId,
    pub(super) kind: ExchangeKind,
    asked_at: Now,
    deadline: Duration,
}

/// How an answer is meant.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    Tokens {
        access: String,
        refresh: Option<String>,
        life: Duration,
    },
    Denial,
    /// Refused without being denied.
    Refusal,
    /// It passes; how long the server asked for.
    Passing(Option<Duration>),
    /// It passes, and a sign-in may have counted.
    Lost,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) flight: Option<Flight>,
    token: Option<Token>,
    rejected: Option<String>,
    refresh: Option<(String, When)>,
    pub(super) has_credentials: bool,
    latched: bool,
    lost_sign_ins: u32,
    /// After three of them, by the monotonic clock.
    account_rests_until: Option<Duration>,
    /// Nothing is sent before the session's own word, nor before what the rules ask for at least.
    promised: Option<Moment>,
    at_least: Vec<When>,
    /// Nor need anything be sent before these.
    at_most: Vec<When>,
    promised_once: Option<Moment>,
    ids: HashSet<ExchangeId>,
    pub(super) sends: u64,
    /// The steps at which something ended that a call may be told of later.
    last_denial: Option<usize>,
    last_failure: Option<usize>,
    last_need: Option<usize>,
}

/// What a call knows: its deadline and when it began.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallFacts {
    pub(super) deadline: Duration,
    pub(super) began: usize,
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Model {
    pub(super) fn new(has_credentials: bool) -> Self {
        Self { has_credentials, ..Self::default() }
    }

    /// A driver that is two seconds past its deadline is lost as soon as anybody asks, and a pause that is over then stays
    /// over, even if the wall clock is set back after that.
    pub(super) fn before_poll(&mut self, now: Now, step: usize) {
        self.promised.take_if(|until| until.has_come(now));
        self.promised_once.take_if(|until| until.has_come(now));
        self.at_least.retain(|until| !until.has_come(now));
        self.at_most.retain(|until| !until.has_come(now));
        let lost_at = |flight: &Flight| flight.deadline.saturating_add(seconds(2));
        if self.flight.as_ref().is_some_and(|flight| now.monotonic >= lost_at(flight)) {
            self.lost(now, step);
        }
    }

    /// The driver went away.
    pub(super) fn lost(&mut self, now: Now, step: usize) {
        let Some(flight) = self.flight.take() else { return };
        self.last_failure = Some(step);
        self.at_most.push(When::after(now, seconds(60)));
        if flight.kind == ExchangeKind::SignIn {
            self.sign_in_was_lost(now);
        }
    }

    fn sign_in_was_lost(&mut self, now: Now) {
        self.lost_sign_ins += 1;
        if self.lost_sign_ins >= 3 {
            self.account_rests_until = Some(now.monotonic + seconds(600));
        }
    }

    pub(super) fn token_is_good(&self, now: Now) -> bool {
        self.token.as_ref().is_some_and(|token| !token.owed.has_come(now))
    }

    pub(super) fn check_reply(&mut self, reply: &Result<Action, SessionError>, now: Now, call: CallFacts) {
        let expired = now.monotonic >= call.deadline;
        if let Some(token) = self.token.as_ref().filter(|token| !token.owed.has_come(now)) {
            assert!(reply.is_ok(), "an error beside a good token: {reply:?}");
            if !token.at_once.has_come(now) || expired {
                let waits = match reply {
                    Ok(Action::Send(exchange)) => exchange.fallback.is_none(),
                    Ok(Action::WaitUntil(_)) => true,
                    _ => false,
                };
                assert!(!waits, "made to wait beside a good token: {reply:?}");
            }
        }
        match reply {
            Ok(Action::Ready(lease)) => {
                self.check_token(lease.token.expose(), now);
                let token = self.token.as_ref().unwrap();
                if !token.at_once.has_come(now) {
                    let left = lease.look_again.time_left(now);
                    assert!(left <= token.at_once.left(now), "nobody would look in the mandatory window");
                }
                assert!(lease.look_again.time_left(now) <= token.owed.left(now), "used after its end");
            }
            Ok(Action::WaitUntil(time)) => {
                assert!(*time > now.monotonic, "waits for the past");
                assert!(*time <= call.deadline, "waits beyond its deadline");
                assert!(self.flight.is_some() || !self.in_pause(now), "waits through a pause");
            }
            Ok(Action::Send(exchange)) => self.check_send(exchange, now),
            Err(SessionError::Denied(_)) => {
                assert!(self.latched || self.last_denial.is_some_and(|last| last >= call.began));
            }
            Err(SessionError::SignInNeeded) => {
                let needed = !self.has_credentials && !self.can_refresh(now);
                assert!(needed || self.last_need.is_some_and(|last| last >= call.began), "somebody can");
            }
            Err(SessionError::Failed { .. }) => {
                let told_late = self.last_failure.is_some_and(|last| last >= call.began);
                assert!(
                    told_late || self.may_pause(now),
                    "fails for no reason: {reply:?} {now:?} {call:?} {self:?}"
                );
            }
            Err(SessionError::OutOfPatience { .. }) => assert!(expired, "has patience left"),
            other => panic!("an answer that nobody knows: {other:?}"),
        }
    }

    fn check_token(&self, name: &str, now: Now) {
        let token = self.token.as_ref().unwrap_or_else(|| panic!("{name} from nowhere"));
        assert_eq!(name, token.name);
        assert!(!token.forbidden.has_come(now), "a token that a clock knows to be over");
        assert_ne!(Some(name), self.rejected.as_deref(), "a token that was rejected");
    }

    fn in_pause(&self, now: Now) -> bool {
        self.promised.is_some_and(|until| !until.has_come(now))
            || self.at_least.iter().any(|until| !until.has_come(now))
            || self.account_rests(now)
    }

    fn account_rests(&self, now: Now) -> bool {
        self.account_rests_until.is_some_and(|until| now.monotonic < until)
    }

    fn may_pause(&self, now: Now) -> bool {
        self.in_pause(now)
            || self.at_most.iter().any(|until| !until.has_come(now))
            || self.account_rests(now)
            || self.promised_once.is_some_and(|until| !until.has_come(now))
    }

    fn can_refresh(&self, now: Now) -> bool {
        self.refresh.as_ref().is_some_and(|(_, dead)| !dead.has_come(now))
    }

    fn check_send(&mut self, exchange: &Exchange, now: Now) {
        assert!(self.flight.is_none(), "two live exchanges");
        assert!(self.ids.insert(exchange.id), "an id twice");
        assert!(!self.in_pause(now), "sent in a pause: {self:?}");
        match exchange.kind {
            ExchangeKind::Refresh => assert!(self.can_refresh(now), "refreshed with nothing good"),
            ExchangeKind::SignIn => {
                assert!(!self.can_refresh(now), "a sign-in beside a refresh token");
                assert!(self.has_credentials && !self.latched, "a second sign-in after a denial");
            }
            _ => panic!("a kind that nobody knows"),
        }
        if let Some(fallback) = &exchange.fallback {
            self.check_token(fallback.token.expose(), now);
        }
        assert!(exchange.deadline >= now.monotonic);
        self.sends += 1;
        self.no_pause();
        self.flight =
            Some(Flight { id: exchange.id, kind: exchange.kind, asked_at: now, deadline: exchange.deadline });
    }

    /// What was told of the exchange under way, and what the session made of that.
    pub(super) fn answered(&mut self, meaning: &Meaning, outcome: &Outcome, now: Now, step: usize) {
        let flight = self.flight.take().unwrap();
        let is_sign_in = flight.kind == ExchangeKind::SignIn;
        // Only tokens or a denial show what the sign-ins before it came to.
        if is_sign_in && matches!(meaning, Meaning::Tokens { .. } | Meaning::Denial) {
            self.lost_sign_ins = 0;
            self.account_rests_until = None;
        }
        match meaning {
            Meaning::Tokens { access, refresh, life } => {
                self.tokens(&flight, access, refresh.as_deref(), *life, outcome, now, step);
            }
            Meaning::Denial if is_sign_in => {
                assert!(matches!(outcome, Outcome::Denied(_)), "{outcome:?}");
                self.latched = true;
                self.last_denial = Some(step);
            }
            Meaning::Denial | Meaning::Refusal if !is_sign_in => {
                assert!(matches!(outcome, Outcome::RefreshRefused(_)), "{outcome:?}");
                self.refresh = None;
                match (self.latched, self.has_credentials) {
                    (true, _) => self.last_denial = Some(step),
                    (false, false) => self.last_need = Some(step),
                    (false, true) => {}
                }
            }
            Meaning::Denial | Meaning::Refusal => {
                assert!(matches!(outcome, Outcome::Failed { .. }), "tried again for nothing: {outcome:?}");
                self.failed(outcome, now, step);
                self.sign_in_was_lost(now);
            }
            Meaning::Passing(retry_after) => {
                if is_sign_in && self.lost_sign_ins > 0 {
                    assert!(matches!(outcome, Outcome::Failed { .. }), "a quick retry: {outcome:?}");
                }
                self.failed(outcome, now, step);
                if let Some(delay) = retry_after {
                    assert!(matches!(outcome, Outcome::Failed { .. }), "waited through: {outcome:?}");
                    self.at_least.push(When::after(now, (*delay).min(seconds(3600))));
                }
            }
            Meaning::Lost => {
                self.failed(outcome, now, step);
                if is_sign_in {
                    assert!(matches!(outcome, Outcome::Failed { .. }), "a quick retry: {outcome:?}");
                    self.sign_in_was_lost(now);
                }
            }
        }
    }

    /// The request was not sent, which says nothing of the account.
    pub(super) fn not_sent(&mut self, outcome: &Outcome, now: Now, step: usize) {
        self.flight = None;
        self.failed(outcome, now, step);
    }

    fn failed(&mut self, outcome: &Outcome, now: Now, step: usize) {
        match outcome {
            Outcome::Retrying { .. } => assert!(!self.token_is_good(now), "in a hurry for nothing"),
            Outcome::Failed { until, .. } => {
                self.last_failure = Some(step);
                self.promised = Some(*until);
                if !self.token_is_good(now) {
                    self.at_least.push(When::after(now, seconds(1)));
                }
            }
            other => panic!("it failed, and then {other:?}"),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of them are what was told")]
    fn tokens(
        &mut self,
        flight: &Flight,
        access: &str,
        refresh: Option<&str>,
        life: Duration,
        outcome: &Outcome,
        now: Now,
        step: usize,
    ) {
        let age = passed(flight.asked_at, now);
        match refresh {
            Some(name) if self.refresh.as_ref().is_none_or(|(old, _)| old != name) => {
                let dead = When::after(now, seconds(49 * 3600).saturating_sub(age));
                self.refresh = Some((name.to_owned(), dead));
            }
            None if flight.kind == ExchangeKind::SignIn => self.refresh = None,
            _ => {}
        }
        let usable = life - seconds(5).min(life / 10);
        let is_over = age >= usable;
        let left = usable.saturating_sub(age);
        let is_rejected = !is_over && self.rejected.take_if(|rejected| rejected == access).is_some();
        let gains_little = |old: &Token| old.name == access && left <= old.owed.left(now) + seconds(2);
        let is_old = is_rejected || self.token.as_ref().is_some_and(gains_little);
        if is_over || is_old {
            self.failed(outcome, now, step);
            if !is_over {
                assert!(matches!(outcome, Outcome::Failed { .. }), "the identical token: {outcome:?}");
            }
            return;
        }
        assert!(matches!(outcome, Outcome::Renewed { .. }), "good tokens, and then {outcome:?}");
        let before_waiting = life - seconds(60).min(life / 4);
        self.token = Some(Token {
            name: access.to_owned(),
            came_at: now,
            age,
            forbidden: When::after(flight.asked_at, usable),
            owed: When::after(now, usable.saturating_sub(age)),
            at_once: When::after(now, before_waiting.saturating_sub(age)),
        });
    }

    pub(super) fn rejected(&mut self, name: &str, now: Now, step: usize) {
        let Some(token) = self.token.take_if(|token| token.name == name) else { return };
        self.rejected = Some(token.name);
        self.promised_once = self.promised.take().or(self.promised_once);
        self.at_most.push(When::after(now, seconds(60)));
        if self.flight.is_none() && token.age + passed(token.came_at, now) < seconds(30) {
            self.at_least.push(When::after(now, seconds(1)));
        }
        // Even an old one may have been kept longer than its pause would be.
        self.last_failure = Some(step);
    }

    pub(super) fn new_credentials(
        &mut self,
        now: Now,
        step: usize,
        [same_username, same_alias, same_password]: [bool; 3],
    ) {
        let same_owner = same_username && same_alias;
        let void = self.flight.take_if(|flight| !same_owner || flight.kind == ExchangeKind::SignIn);
        if !(same_username && same_password && self.has_credentials) {
            self.latched = false;
            self.lost_sign_ins = 0;
            self.account_rests_until = None;
            self.promised_once = self.promised.take().or(self.promised_once);
        } else if void.is_some_and(|flight| flight.kind == ExchangeKind::SignIn) {
            self.last_failure = Some(step);
            self.sign_in_was_lost(now);
        }
        if !same_owner {
            self.token = None;
            self.refresh = None;
            self.rejected = None;
            self.promised_once = self.promised.take().or(self.promised_once);
        }
        self.has_credentials = true;
    }

    pub(super) fn reset(&mut self) {
        self.latched = false;
        self.lost_sign_ins = 0;
        self.account_rests_until = None;
        self.no_pause();
    }

    fn no_pause(&mut self) {
        self.promised = None;
        self.promised_once = None;
        self.at_least.clear();
        self.at_most.clear();
    }

    /// Tokens were taken up from a store.
    pub(super) fn restored(&mut self, access: &str, refresh: &str, life: Duration, now: Now) {
        let usable = life - seconds(5).min(life / 10);
        self.token = Some(Token {
            name: access.to_owned(),
            came_at: now,
            age: Duration::ZERO,
            forbidden: When::after(now, usable),
            owed: When::after(now, usable),
            at_once: When::after(now, life - seconds(60).min(life / 4)),
        });
        self.refresh = Some((refresh.to_owned(), When::after(now, seconds(49 * 3600))));
    }
}
