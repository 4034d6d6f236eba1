//! [`Snapshot`]: the state of a session, for people and dashboards. It holds no secret.

use std::time::Duration;

use super::SessionMachine;
use super::action::ExchangeKind;
use super::exchange::InFlight;
use super::held::Phase;
use super::outcome::AttemptError;
use super::time::{Moment, Now};
use crate::Denial;

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// There is a good token.
    Good,
    /// There is a good token, and the next one is due.
    Renewing,
    /// There is no good token, and an exchange for one is due or in flight.
    Waiting,
    /// There is no good token, and nothing is sent for a while.
    BackingOff,
    /// The server denied the sign-in. An operator must change the credentials or reset the session.
    Denied,
    /// There are no credentials and no refresh token. A user must sign in.
    SignInNeeded,
}

/// Counters of exchanges and their results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Sign-ins started.
    pub sign_ins: u64,
    /// Refreshes started.
    pub refreshes: u64,
    /// Exchanges that gave tokens.
    pub renewed: u64,
    /// Sign-ins that were denied.
    pub denied: u64,
    /// Refreshes that were refused.
    pub refused: u64,
    /// Exchanges that failed and may succeed later.
    pub failed: u64,
    /// Times that tokens of another process were adopted.
    pub adopted: u64,
    /// Exchanges that were abandoned: their sender ended or took too long.
    pub abandoned: u64,
}

impl Counts {
    pub(super) fn started(&mut self, kind: ExchangeKind) {
        let count = match kind {
            ExchangeKind::SignIn => &mut self.sign_ins,
            ExchangeKind::Refresh => &mut self.refreshes,
        };
        *count = count.saturating_add(1);
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.sign_ins = self.sign_ins.saturating_add(other.sign_ins);
        self.refreshes = self.refreshes.saturating_add(other.refreshes);
        self.renewed = self.renewed.saturating_add(other.renewed);
        self.denied = self.denied.saturating_add(other.denied);
        self.refused = self.refused.saturating_add(other.refused);
        self.failed = self.failed.saturating_add(other.failed);
        self.adopted = self.adopted.saturating_add(other.adopted);
        self.abandoned = self.abandoned.saturating_add(other.abandoned);
    }
}

/// The state of a session at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The state of the session.
    pub state: State,
    /// The time since the access token was requested, by the clock that shows the longer time.
    pub token_age: Option<Duration>,
    /// How long the access token will still be handed out.
    pub token_left: Option<Duration>,
    /// The next time to poll the session, by either clock, if a token can be handed out.
    pub next_look: Option<Moment>,
    /// Whether there is a refresh token that may be valid.
    pub has_refresh_token: bool,
    /// The kind of the exchange in flight.
    pub in_flight: Option<ExchangeKind>,
    /// Until when nothing is sent.
    pub backoff_until: Option<Moment>,
    /// Why the last attempt failed, if none has succeeded since.
    pub last_failure: Option<AttemptError>,
    /// The denial that stops sign-ins.
    pub denial: Option<Denial>,
    /// The counters so far.
    pub counts: Counts,
}

impl SessionMachine {
    /// Returns the denial that stops sign-ins, if there is one. A token that is still good is
    /// handed out meanwhile.
    pub fn denial(&self) -> Option<&Denial> {
        self.schedule.denial()
    }

    /// Returns the state of the session. Changes nothing, and is cheap.
    pub fn snapshot(&self, now: Now) -> Snapshot {
        let phase = self.token.as_ref().map_or(Phase::Over, |held| held.phase(now));
        let backoff_until = self.schedule.backoff_until(now);
        let in_flight =
            self.in_flight.as_ref().filter(|in_flight| now.monotonic < in_flight.abandoned_at());
        let next_kind = self.next_kind(now);
        let is_denied = self.denial().is_some();
        let state = match phase {
            Phase::Good => State::Good,
            Phase::Advisory | Phase::Mandatory => State::Renewing,
            Phase::Over if in_flight.is_some() => State::Waiting,
            Phase::Over if is_denied && next_kind != Some(ExchangeKind::Refresh) => State::Denied,
            Phase::Over if next_kind.is_none() => State::SignInNeeded,
            Phase::Over if backoff_until.is_some() => State::BackingOff,
            Phase::Over => State::Waiting,
        };
        let held = self.token.as_ref().filter(|_| phase != Phase::Over);
        Snapshot {
            state,
            token_age: held.map(|held| held.age(now)),
            token_left: held.map(|held| held.time_left(now)),
            next_look: self.lease(now).map(|lease| lease.look_again),
            has_refresh_token: self
                .refresh
                .as_ref()
                .is_some_and(|refresh| refresh.may_be_good(now)),
            in_flight: in_flight.map(InFlight::kind),
            backoff_until,
            last_failure: self.round.last.clone(),
            denial: self.denial().cloned(),
            counts: self.counts,
        }
    }
}
