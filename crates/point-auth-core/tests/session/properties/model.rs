//! The invariants, computed only from the reports to the session and not from its own state.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use point_auth_core::session::{
    Action, AttemptError, CredentialRequest, Exchange, ExchangeId, ExchangeKind, Lease, Moment,
    Now, Outcome, SessionError,
};

use super::clocks::When;
use super::rates::{End, Login, Rates};

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) name: String,
    pub(super) came_at: Now,
    /// Its age at that time.
    pub(super) age: Duration,
    /// No caller may get it from here on: its lifetime since the request, on each clock separately.
    pub(super) forbidden: When,
    /// Until here every caller must get it: the lifetime left on arrival.
    pub(super) owed: When,
    /// Until here no caller may have to wait.
    pub(super) at_once: When,
}

#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub(super) id: ExchangeId,
    pub(super) kind: ExchangeKind,
    /// The credentials that were sent, if it is a sign-in.
    pub(super) who: Option<Who>,
    pub(super) asked_at: Now,
    pub(super) deadline: Duration,
}

/// Username, alias and password by number.
pub(super) type Who = [u8; 3];

pub(super) const fn login([username, _, password]: Who) -> Login {
    (username, password)
}

/// The source of the credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Source {
    #[default]
    Nowhere,
    Here(Who),
    OnDemand,
}

/// A denied sign-in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latch {
    /// On demand, the source is not asked before the first moment, and may be after the second.
    pub(super) rests: When,
    pub(super) ends: When,
}

/// The meaning of a response.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    Tokens {
        access: String,
        refresh: Option<String>,
        life: Duration,
    },
    Denial,
    /// Refused but not denied, with the delay that the server asked for.
    Refusal(Option<Duration>),
    /// Temporary, with the delay that the server asked for.
    Passing(Option<Duration>),
    /// Temporary, and a sign-in may have counted.
    Lost,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) in_flight: Option<InFlight>,
    pub(super) token: Option<Token>,
    pub(super) rejected: Option<String>,
    pub(super) refresh: Option<(String, When)>,
    pub(super) source: Source,
    /// Username and alias of the tokens.
    pub(super) owner: Option<(u8, u8)>,
    pub(super) latch: Option<Latch>,
    /// All credentials denied since a reset.
    pub(super) denied: HashSet<Who>,
    /// How often each password was denied in a row, and the last time, on the monotonic clock.
    pub(super) denials: BTreeMap<Login, (u32, Duration)>,
    /// How many outcomes in a row were unknown with each password since tokens came.
    pub(super) unknown: BTreeMap<Login, u32>,
    /// A refresh was refused.
    pub(super) is_last_try: bool,
    pub(super) rates: Rates,
    pub(super) unknown_sign_ins: u32,
    pub(super) unknown_with: Option<Login>,
    /// After three of them, on the monotonic clock.
    pub(super) account_rests_until: Option<Duration>,
    /// Nothing is sent before the session's own time, nor before the minimum of the rules.
    pub(super) promised: Option<Moment>,
    pub(super) at_least: Vec<When>,
    /// Nothing has to be sent before these.
    pub(super) at_most: Vec<When>,
    pub(super) promised_once: Option<Moment>,
    pub(super) ids: HashSet<ExchangeId>,
    pub(super) sends: u64,
    /// The steps at which something ended that a call may be notified of later.
    pub(super) last_denial: Option<usize>,
    pub(super) last_failure: Option<usize>,
    pub(super) last_need: Option<usize>,
    /// The current step.
    step: usize,
}

/// The deadline of a call, and when it started.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallFacts {
    pub(super) deadline: Duration,
    pub(super) began: usize,
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Model {
    pub(super) fn new(source: Source) -> Self {
        let owner = match source {
            Source::Here([username, alias, _]) => Some((username, alias)),
            _ => None,
        };
        Self { source, owner, ..Self::default() }
    }

    /// A driver that is two seconds past its deadline counts as vanished at the next poll. A token
    /// or a backoff that is over by then stays over, even if the wall clock is set back later.
    pub(super) fn before_poll(&mut self, now: Now, step: usize) {
        self.step = step;
        if let Some(token) = self.token.as_mut().filter(|token| token.owed.has_come(now)) {
            (token.owed, token.at_once, token.forbidden) = (When::PAST, When::PAST, When::PAST);
        }
        self.promised.take_if(|until| until.has_come(now));
        self.promised_once.take_if(|until| until.has_come(now));
        self.at_least.retain(|until| !until.has_come(now));
        self.at_most.retain(|until| !until.has_come(now));
        let abandoned_at = |in_flight: &InFlight| in_flight.deadline.saturating_add(seconds(2));
        if self.in_flight.as_ref().is_some_and(|in_flight| now.monotonic >= abandoned_at(in_flight))
        {
            self.abandoned(None, now, step);
        }
    }

    /// The driver vanished.
    pub(super) fn abandoned(&mut self, outcome: Option<&Outcome>, now: Now, step: usize) {
        let Some(in_flight) = self.in_flight.take() else { return };
        self.last_failure = Some(step);
        self.at_most.push(When::after(now, seconds(60)));
        if let Some(who) = in_flight.who {
            self.sign_in_is_unknown(who, now);
            let no_more = self.is_last_try || self.unknown_sign_ins >= 3;
            let tries = matches!(outcome, Some(Outcome::Retrying { .. }));
            assert!(!(no_more && tries), "one too many: {outcome:?}");
        }
        // It may have been the last attempt of its round.
        self.is_last_try &= matches!(outcome, Some(Outcome::Retrying { .. }));
    }

    pub(super) fn sign_in_is_unknown(&mut self, who: Who, now: Now) {
        self.rates.ended(End::MayHaveCounted, now.monotonic);
        *self.unknown.entry(login(who)).or_default() += 1;
        if self.unknown_with.replace(login(who)) != Some(login(who)) {
            self.unknown_sign_ins = 0;
        }
        self.unknown_sign_ins += 1;
        if self.unknown[&login(who)] >= 3 {
            self.account_rests_until = Some(now.monotonic + seconds(600));
        }
    }

    pub(super) fn token_is_good(&self, now: Now) -> bool {
        self.token.as_ref().is_some_and(|token| !token.owed.has_come(now))
    }

    pub(super) fn check_reply(
        &mut self,
        reply: &Result<Action, SessionError>,
        now: Now,
        call: CallFacts,
    ) {
        let expired = now.monotonic >= call.deadline;
        if let Some(token) = self.token.as_ref().filter(|token| !token.owed.has_come(now)) {
            assert!(reply.is_ok(), "an error with a good token: {reply:?}");
            if !token.at_once.has_come(now) || expired {
                let waits = match reply {
                    Ok(Action::Send(exchange)) => exchange.fallback.is_none(),
                    Ok(Action::GetCredentials(request)) => request.fallback.is_none(),
                    Ok(Action::WaitUntil(_)) => true,
                    _ => false,
                };
                assert!(!waits, "has to wait with a good token: {reply:?}");
            }
        }
        match reply {
            Ok(Action::Ready(lease)) => {
                self.check_token(lease.token.expose(), now);
                let token = self.token.as_ref().unwrap();
                if !token.at_once.has_come(now) {
                    let left = lease.look_again.time_left(now);
                    assert!(
                        left <= token.at_once.left(now),
                        "no caller would poll in the mandatory window"
                    );
                }
                assert!(
                    lease.look_again.time_left(now) <= token.owed.left(now),
                    "used after its end"
                );
            }
            Ok(Action::WaitUntil(time)) => {
                assert!(*time > now.monotonic, "waits for a past moment");
                assert!(*time <= call.deadline, "waits beyond its deadline");
                assert!(
                    self.in_flight.is_some() || !self.in_backoff(now),
                    "waits through a backoff"
                );
            }
            Ok(Action::Send(exchange)) => self.check_send(exchange, now),
            Ok(Action::GetCredentials(request)) => self.check_request(request, now),
            Err(SessionError::Denied(_)) => {
                assert!(
                    self.is_latched(now) || self.last_denial.is_some_and(|last| last >= call.began),
                    "denied without a reason: {reply:?} {now:?} {call:?} {self:?}"
                );
                // The ledger may have rejected it just now.
                self.last_denial = Some(self.step);
            }
            Err(SessionError::SignInNeeded) => {
                let needed = self.source == Source::Nowhere && !self.can_refresh(now);
                assert!(
                    needed || self.last_need.is_some_and(|last| last >= call.began),
                    "no sign-in is needed"
                );
            }
            Err(SessionError::Failed { error: AttemptError::Held, .. }) => {
                assert!(
                    self.denials.values().any(|(denials, _)| *denials >= 3),
                    "held without a reason"
                );
            }
            Err(SessionError::Failed { error: AttemptError::TooManyUnknown, .. })
                if self.unknown.values().any(|unknown| *unknown >= 3) =>
            {
                self.last_failure = Some(self.step);
            }
            Err(SessionError::Failed { .. }) => {
                let reported_late = self.last_failure.is_some_and(|last| last >= call.began);
                assert!(
                    reported_late || self.may_back_off(now),
                    "fails without a reason: {reply:?} {now:?} {call:?} {self:?}"
                );
            }
            Err(SessionError::TimedOut { .. }) => assert!(expired, "has time left"),
            other => panic!("an unexpected answer: {other:?}"),
        }
    }

    fn check_token(&self, name: &str, now: Now) {
        let token = self.token.as_ref().unwrap_or_else(|| panic!("{name} from nowhere"));
        assert_eq!(name, token.name);
        assert!(!token.forbidden.has_come(now), "a token that a clock knows to be over");
        assert_ne!(Some(name), self.rejected.as_deref(), "a token that was rejected");
    }

    fn in_backoff(&self, now: Now) -> bool {
        self.promised.is_some_and(|until| !until.has_come(now))
            || self.at_least.iter().any(|until| !until.has_come(now))
            || self.account_rests(now)
    }

    fn account_rests(&self, now: Now) -> bool {
        self.account_rests_until.is_some_and(|until| now.monotonic < until)
    }

    fn may_back_off(&self, now: Now) -> bool {
        self.in_backoff(now)
            || self.at_most.iter().any(|until| !until.has_come(now))
            || self.account_rests(now)
            || self.promised_once.is_some_and(|until| !until.has_come(now))
    }

    pub(super) fn can_refresh(&self, now: Now) -> bool {
        self.refresh.as_ref().is_some_and(|(_, dead)| !dead.has_come(now))
    }

    /// Returns whether callers may get a denial.
    fn is_latched(&self, now: Now) -> bool {
        let own = matches!(self.source, Source::Here(who) if self.denied.contains(&who));
        own || self
            .latch
            .is_some_and(|latch| self.source != Source::OnDemand || !latch.ends.has_come(now))
    }

    fn check_begins(&mut self, id: ExchangeId, fallback: Option<&Lease>, now: Now) {
        assert!(self.in_flight.is_none(), "two live exchanges");
        assert!(self.ids.insert(id), "a repeated id");
        assert!(!self.in_backoff(now), "sent in a backoff: {self:?}");
        if let Some(fallback) = fallback {
            self.check_token(fallback.token.expose(), now);
        }
        self.no_backoff();
    }

    fn check_send(&mut self, exchange: &Exchange, now: Now) {
        self.check_begins(exchange.id, exchange.fallback.as_ref(), now);
        let who = match (exchange.kind, self.source) {
            (ExchangeKind::Refresh, _) => {
                assert!(self.can_refresh(now), "refreshed without a good token");
                None
            }
            (ExchangeKind::SignIn, Source::Here(who)) => {
                assert!(!self.can_refresh(now), "a sign-in with a good refresh token");
                Some(who)
            }
            other => panic!("unexpected credentials: {other:?}"),
        };
        self.sent(exchange, who, now);
    }

    pub(super) fn sent(&mut self, exchange: &Exchange, who: Option<Who>, now: Now) {
        let Exchange { id, kind, deadline, .. } = *exchange;
        assert!(deadline >= now.monotonic);
        if let Some(who) = who {
            assert!(!self.denied.contains(&who), "sent again after a denial");
            let (denials, last) = self.denials.get(&login(who)).copied().unwrap_or_default();
            let distance = now.monotonic.saturating_sub(last);
            assert!(denials < 3 || distance >= seconds(600), "sent while it is held");
            self.rates.sent(login(who), now.monotonic);
        }
        self.sends += 1;
        self.in_flight = Some(InFlight { id, kind, who, asked_at: now, deadline });
    }

    fn check_request(&mut self, request: &CredentialRequest, now: Now) {
        self.check_begins(request.id, request.fallback.as_ref(), now);
        assert_eq!(self.source, Source::OnDemand);
        assert!(!self.can_refresh(now), "a sign-in with a good refresh token");
        assert!(self.latch.is_none_or(|latch| latch.rests.has_come(now)), "asked again at once");
        let (id, deadline) = (request.id, request.deadline);
        assert!(deadline >= now.monotonic);
        self.in_flight =
            Some(InFlight { id, kind: ExchangeKind::SignIn, who: None, asked_at: now, deadline });
    }
}
