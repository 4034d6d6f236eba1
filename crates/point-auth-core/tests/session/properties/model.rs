//! What must hold whatever happens, reckoned from what was told to the session and from nothing of
//! its own.

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
    /// How old it was then.
    pub(super) age: Duration,
    /// Nobody may get it from here on: its life since it was asked for, by each clock for itself.
    pub(super) forbidden: When,
    /// Until here everybody must get it: what was left of its life when it came.
    pub(super) owed: When,
    /// Until here nobody may be made to wait.
    pub(super) at_once: When,
}

#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) id: ExchangeId,
    pub(super) kind: ExchangeKind,
    /// With what it was sent, if it is a sign-in and was.
    pub(super) who: Option<Who>,
    pub(super) asked_at: Now,
    pub(super) deadline: Duration,
}

/// Username, alias and password by number.
pub(super) type Who = [u8; 3];

pub(super) const fn login([username, _, password]: Who) -> Login {
    (username, password)
}

/// Where credentials come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Source {
    #[default]
    Nowhere,
    Here(Who),
    OnDemand,
}

/// A sign-in was denied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latch {
    /// On demand nobody is asked before the first, and somebody may be after the second.
    pub(super) rests: When,
    pub(super) ends: When,
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
    /// Refused without being denied; how long the server asked for.
    Refusal(Option<Duration>),
    /// It passes; how long the server asked for.
    Passing(Option<Duration>),
    /// It passes, and a sign-in may have counted.
    Lost,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) flight: Option<Flight>,
    pub(super) token: Option<Token>,
    pub(super) rejected: Option<String>,
    pub(super) refresh: Option<(String, When)>,
    pub(super) source: Source,
    /// Username and alias of the tokens.
    pub(super) owner: Option<(u8, u8)>,
    pub(super) latch: Option<Latch>,
    /// All that were denied since a reset.
    pub(super) denied: HashSet<Who>,
    /// How often each password was denied in a row, and when last, by the monotonic clock.
    pub(super) denials: BTreeMap<Login, (u32, Duration)>,
    /// How many outcomes in a row were unknown with each password since tokens came.
    pub(super) unknown: BTreeMap<Login, u32>,
    /// A refresh was refused.
    pub(super) is_last_try: bool,
    pub(super) rates: Rates,
    pub(super) lost_sign_ins: u32,
    pub(super) lost_with: Option<Login>,
    /// After three of them, by the monotonic clock.
    pub(super) account_rests_until: Option<Duration>,
    /// Nothing is sent before the session's own word, nor before what the rules ask for at least.
    pub(super) promised: Option<Moment>,
    pub(super) at_least: Vec<When>,
    /// Nor need anything be sent before these.
    pub(super) at_most: Vec<When>,
    pub(super) promised_once: Option<Moment>,
    pub(super) ids: HashSet<ExchangeId>,
    pub(super) sends: u64,
    /// The steps at which something ended that a call may be told of later.
    pub(super) last_denial: Option<usize>,
    pub(super) last_failure: Option<usize>,
    pub(super) last_need: Option<usize>,
    /// The step that is being told.
    step: usize,
}

/// What a call knows: its deadline and when it began.
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

    /// A driver that is two seconds past its deadline is lost as soon as anybody asks, and a token
    /// or a pause that is over then stays over, even if the wall clock is set back after that.
    pub(super) fn before_poll(&mut self, now: Now, step: usize) {
        self.step = step;
        if let Some(token) = self.token.as_mut().filter(|token| token.owed.has_come(now)) {
            (token.owed, token.at_once, token.forbidden) = (When::PAST, When::PAST, When::PAST);
        }
        self.promised.take_if(|until| until.has_come(now));
        self.promised_once.take_if(|until| until.has_come(now));
        self.at_least.retain(|until| !until.has_come(now));
        self.at_most.retain(|until| !until.has_come(now));
        let lost_at = |flight: &Flight| flight.deadline.saturating_add(seconds(2));
        if self.flight.as_ref().is_some_and(|flight| now.monotonic >= lost_at(flight)) {
            self.lost(None, now, step);
        }
    }

    /// The driver went away.
    pub(super) fn lost(&mut self, outcome: Option<&Outcome>, now: Now, step: usize) {
        let Some(flight) = self.flight.take() else { return };
        self.last_failure = Some(step);
        self.at_most.push(When::after(now, seconds(60)));
        if let Some(who) = flight.who {
            self.sign_in_was_lost(who, now);
            let no_more = self.is_last_try || self.lost_sign_ins >= 3;
            let tries = matches!(outcome, Some(Outcome::Retrying { .. }));
            assert!(!(no_more && tries), "one too many: {outcome:?}");
        }
        // It may have been the last of its round.
        self.is_last_try &= matches!(outcome, Some(Outcome::Retrying { .. }));
    }

    pub(super) fn sign_in_was_lost(&mut self, who: Who, now: Now) {
        self.rates.ended(End::MayHaveCounted, now.monotonic);
        *self.unknown.entry(login(who)).or_default() += 1;
        if self.lost_with.replace(login(who)) != Some(login(who)) {
            self.lost_sign_ins = 0;
        }
        self.lost_sign_ins += 1;
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
            assert!(reply.is_ok(), "an error beside a good token: {reply:?}");
            if !token.at_once.has_come(now) || expired {
                let waits = match reply {
                    Ok(Action::Send(exchange)) => exchange.fallback.is_none(),
                    Ok(Action::GetCredentials(wanted)) => wanted.fallback.is_none(),
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
                    assert!(
                        left <= token.at_once.left(now),
                        "nobody would look in the mandatory window"
                    );
                }
                assert!(
                    lease.look_again.time_left(now) <= token.owed.left(now),
                    "used after its end"
                );
            }
            Ok(Action::WaitUntil(time)) => {
                assert!(*time > now.monotonic, "waits for the past");
                assert!(*time <= call.deadline, "waits beyond its deadline");
                assert!(self.flight.is_some() || !self.in_pause(now), "waits through a pause");
            }
            Ok(Action::Send(exchange)) => self.check_send(exchange, now),
            Ok(Action::GetCredentials(wanted)) => self.check_wanted(wanted, now),
            Err(SessionError::Denied(_)) => {
                assert!(
                    self.is_latched(now) || self.last_denial.is_some_and(|last| last >= call.began),
                    "denied for no reason: {reply:?} {now:?} {call:?} {self:?}"
                );
                // It may have been the ledger that said so just now.
                self.last_denial = Some(self.step);
            }
            Err(SessionError::SignInNeeded) => {
                let needed = self.source == Source::Nowhere && !self.can_refresh(now);
                assert!(
                    needed || self.last_need.is_some_and(|last| last >= call.began),
                    "somebody can"
                );
            }
            Err(SessionError::Failed { error: AttemptError::Held, .. }) => {
                assert!(
                    self.denials.values().any(|(denials, _)| *denials >= 3),
                    "held for nothing"
                );
            }
            Err(SessionError::Failed { error: AttemptError::TooManyUnknown, .. })
                if self.unknown.values().any(|unknown| *unknown >= 3) =>
            {
                self.last_failure = Some(self.step);
            }
            Err(SessionError::Failed { .. }) => {
                let told_late = self.last_failure.is_some_and(|last| last >= call.began);
                assert!(
                    told_late || self.may_pause(now),
                    "fails for no reason: {reply:?} {now:?} {call:?} {self:?}"
                );
            }
            Err(SessionError::TimedOut { .. }) => assert!(expired, "has patience left"),
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

    pub(super) fn can_refresh(&self, now: Now) -> bool {
        self.refresh.as_ref().is_some_and(|(_, dead)| !dead.has_come(now))
    }

    /// Whether callers may be told that a sign-in was denied.
    fn is_latched(&self, now: Now) -> bool {
        let own = matches!(self.source, Source::Here(who) if self.denied.contains(&who));
        own || self
            .latch
            .is_some_and(|latch| self.source != Source::OnDemand || !latch.ends.has_come(now))
    }

    fn check_begins(&mut self, id: ExchangeId, fallback: Option<&Lease>, now: Now) {
        assert!(self.flight.is_none(), "two live exchanges");
        assert!(self.ids.insert(id), "an id twice");
        assert!(!self.in_pause(now), "sent in a pause: {self:?}");
        if let Some(fallback) = fallback {
            self.check_token(fallback.token.expose(), now);
        }
        self.no_pause();
    }

    fn check_send(&mut self, exchange: &Exchange, now: Now) {
        self.check_begins(exchange.id, exchange.fallback.as_ref(), now);
        let who = match (exchange.kind, self.source) {
            (ExchangeKind::Refresh, _) => {
                assert!(self.can_refresh(now), "refreshed with nothing good");
                None
            }
            (ExchangeKind::SignIn, Source::Here(who)) => {
                assert!(!self.can_refresh(now), "a sign-in beside a refresh token");
                Some(who)
            }
            other => panic!("signs in with what? {other:?}"),
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
        self.flight = Some(Flight { id, kind, who, asked_at: now, deadline });
    }

    fn check_wanted(&mut self, wanted: &CredentialRequest, now: Now) {
        self.check_begins(wanted.id, wanted.fallback.as_ref(), now);
        assert_eq!(self.source, Source::OnDemand);
        assert!(!self.can_refresh(now), "a sign-in beside a refresh token");
        assert!(self.latch.is_none_or(|latch| latch.rests.has_come(now)), "asked again at once");
        let (id, deadline) = (wanted.id, wanted.deadline);
        assert!(deadline >= now.monotonic);
        self.flight =
            Some(Flight { id, kind: ExchangeKind::SignIn, who: None, asked_at: now, deadline });
    }
}
