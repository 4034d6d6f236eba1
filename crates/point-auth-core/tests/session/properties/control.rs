//! Updates the model from outside: rejections, credentials, a reset, a store.

use std::time::Duration;

use point_auth_core::session::{AttemptError, Exchange, ExchangeKind, Now, Outcome};

use super::clocks::{When, passed};
use super::model::{Model, Source, Token, Who, login, seconds};

impl Model {
    pub(super) fn rejected(&mut self, name: &str, now: Now, step: usize) {
        let Some(token) = self.token.take_if(|token| token.name == name) else { return };
        self.is_last_try = false;
        self.rejected = Some(token.name);
        self.promised_once = self.promised.take().or(self.promised_once);
        // Of two delays the later counts, on each clock by itself. Once the wall clock was set back,
        // the monotonic clock alone may end both.
        let is_second = self.promised_once.is_some_and(|until| !until.has_come(now));
        let pause = if is_second { When::on_monotonic } else { When::after };
        self.at_most.push(pause(now, seconds(60)));
        if self.in_flight.is_none() && token.age + passed(token.came_at, now) < seconds(30) {
            self.at_least.push(When::after(now, seconds(1)));
        }
        // Even an old token may have been kept for longer than its backoff would last.
        self.last_failure = Some(step);
    }

    pub(super) fn new_credentials(&mut self, who: Who, now: Now, step: usize) {
        let [username, alias, _] = who;
        let same_owner = self.owner == Some((username, alias));
        let same_login = matches!(self.source, Source::Here(old) if login(old) == login(who));
        if same_owner && same_login {
            return;
        }
        if !same_owner {
            self.latch = None;
        }
        let void = self
            .in_flight
            .take_if(|in_flight| !same_owner || in_flight.kind == ExchangeKind::SignIn);
        self.is_last_try = false;
        if !same_login {
            self.rates.reset();
            self.latch = None;
            self.unknown_sign_ins = 0;
            self.unknown_with = None;
            self.account_rests_until = None;
            self.promised_once = self.promised.take().or(self.promised_once);
        }
        let void = void.and_then(|in_flight| in_flight.who);
        if let Some(sent) = void.filter(|sent| login(*sent) != login(who)) {
            *self.unknown.entry(login(sent)).or_default() += 1;
        }
        if let Some(sent) = void.filter(|sent| login(*sent) == login(who)) {
            self.last_failure = Some(step);
            self.sign_in_is_unknown(sent, now);
        }
        self.belongs_to(username, alias);
        self.source = Source::Here(who);
    }

    /// Tokens of another user are dropped.
    pub(super) fn belongs_to(&mut self, username: u8, alias: u8) {
        if self.owner.replace((username, alias)) != Some((username, alias)) {
            self.token = None;
            self.refresh = None;
            self.rejected = None;
            self.promised_once = self.promised.take().or(self.promised_once);
        }
    }

    /// The result of these credentials, which were requested. Returns whether a sign-in started
    /// with them.
    pub(super) fn given(
        &mut self,
        who: Who,
        result: Result<&Exchange, &Outcome>,
        now: Now,
        step: usize,
    ) {
        assert!(self.in_flight.take().is_some_and(|in_flight| in_flight.who.is_none()));
        match result {
            Ok(exchange) => {
                self.latch = None;
                if self.unknown_with != Some(login(who)) {
                    self.unknown_sign_ins = 0;
                    self.unknown_with = None;
                    self.account_rests_until = None;
                }
                self.belongs_to(who[0], who[1]);
                self.sent(exchange, Some(who), now);
            }
            Err(outcome) => {
                let password = login(who);
                let denials = self.denials.get(&password).map_or(0, |(denials, _)| *denials);
                match outcome {
                    Outcome::Denied { .. } => {
                        assert!(self.denied.contains(&who), "not sent, but not denied either");
                        self.latches(now, step);
                    }
                    Outcome::Failed { error: AttemptError::Held, .. } => {
                        assert!(denials >= 3, "held without a reason");
                        self.rejected_for_now(outcome, step);
                    }
                    Outcome::Failed { error: AttemptError::TooManyUnknown, .. } => {
                        assert!(self.unknown[&password] >= 3, "held without a reason");
                        self.rejected_for_now(outcome, step);
                    }
                    other => panic!("not sent, and {other:?}"),
                }
            }
        }
    }

    /// The shared ledger rejected the credentials.
    pub(super) fn rejected_by_ledger(&mut self, outcome: &Outcome, now: Now, step: usize) {
        self.in_flight = None;
        match outcome {
            Outcome::Denied { .. } => self.latches(now, step),
            Outcome::Failed { .. } => self.rejected_for_now(outcome, step),
            other => panic!("rejected, and {other:?}"),
        }
    }

    fn rejected_for_now(&mut self, outcome: &Outcome, step: usize) {
        let Outcome::Failed { until, .. } = outcome else { panic!("{outcome:?}") };
        self.is_last_try = false;
        self.last_failure = Some(step);
        self.promised = Some(*until);
    }

    pub(super) fn reset(&mut self) {
        self.rates.reset();
        self.is_last_try = false;
        self.latch = None;
        self.denied.clear();
        self.denials.clear();
        self.unknown.clear();
        self.unknown_sign_ins = 0;
        self.unknown_with = None;
        self.account_rests_until = None;
        self.no_backoff();
    }

    pub(super) fn no_backoff(&mut self) {
        self.promised = None;
        self.promised_once = None;
        self.at_least.clear();
        self.at_most.clear();
    }

    /// Tokens were restored from a store.
    pub(super) fn restored(&mut self, access: &str, refresh: &str, life: Duration, now: Now) {
        self.owner = Some((0, 0));
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
