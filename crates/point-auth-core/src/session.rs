//! [`Session`]: always a good token, one exchange at a time, never a locked account; without a clock and without I/O.
//!
//! A session is a state machine. Callers ask it for a token by [`poll`](Session::poll) and it tells each what to do: use this token,
//! send this request, or wait. Whoever sent tells it what came of that. It reads no clock: both clocks are an argument, so that
//! an hour passes in a test in no time at all.
//!
//! ```text
//!                 poll: Send            handle_response: Renewed
//!   no token ───────────────▶ exchange ───────────────────────▶ good token ──┐
//!      ▲  ▲                    │  │  ▲                              │        │ poll: Ready
//!      │  │   Retrying (three  │  │  │ RefreshRefused: one          │ ◀──────┘
//!      │  │   in all, soon)    │  │  │ sign-in                      │ advisory window: one caller is
//!      │  └────────────────────┘  │  └──────────┐                   ▼ told to send, nobody waits
//!      │                          │             │            token and exchange
//!      │ pause over      Failed   ▼             └───────────────────┤ mandatory window: callers wait,
//!      └────────────────────── paused                               ▼ and still get it if that fails
//!                                               last use: no token any more
//!      Denied: latched, until the credentials change or somebody resets the session
//! ```
//!
//! # A walkthrough
//!
//! By hand, with no transport and no clock:
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use point_auth_core::session::{Action, Call, Now, Outcome, Policy, Session};
//! use point_auth_core::{BaseUrl, Credentials};
//!
//! let credentials = Credentials::new("user@example.com", "correct horse")?;
//! let mut session = Session::new(BaseUrl::production(), credentials, Policy::default(), 42);
//! let start = SystemTime::now();
//! let at = |seconds| Now::new(Duration::from_secs(seconds), start + Duration::from_secs(seconds));
//!
//! // Two callers want a token. One is told to send, the other to wait.
//! let (mut first, mut second) = (Call::new(), Call::new());
//! let Action::Send(exchange) = session.poll(at(0), &mut first)? else { panic!() };
//! let Action::WaitUntil(_) = session.poll(at(0), &mut second)? else { panic!() };
//!
//! // `exchange.request` is sent, by whatever sends requests here. This came back a second later.
//! let response = http::Response::new(r#"{"access_token": "first", "refresh_token": "again", "expires_in": 3600}"#);
//! let outcome = session.handle_response(exchange.id, at(1), &response);
//! assert!(matches!(outcome, Outcome::Renewed { .. }));
//!
//! // Everybody who waits is polled again, and gets the token.
//! let Action::Ready(lease) = session.poll(at(1), &mut second)? else { panic!() };
//! assert_eq!(lease.token.expose(), "first");
//! // Until then nobody needs to ask.
//! assert!(!lease.look_again.has_come(at(3000)));
//!
//! // Near its end the next caller is told to refresh, and has a token to use meanwhile.
//! let Action::Send(exchange) = session.poll(at(3500), &mut Call::new())? else { panic!() };
//! assert!(exchange.fallback.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod control;
mod exchange;
mod held;
mod jitter;
mod outcome;
mod policy;
mod snapshot;
mod stored;
mod time;

use std::time::Duration;

pub use action::{Action, Call, Exchange, ExchangeId, ExchangeKind, Lease};
pub use outcome::{AttemptError, Failure, Outcome, SessionError};
pub use policy::{Policy, PolicyBuilder, PolicyError};
pub use snapshot::{Counts, Snapshot, State};
pub use stored::{StoredTokens, StoredTokensError};
pub use time::{Moment, Now};

use crate::{AccessToken, BaseUrl, Credentials, Denial};
use exchange::Flight;
use held::{HeldRefresh, HeldToken, Phase};
use jitter::Jitter;
use policy::LOST_GRACE;
use stored::Owner;

/// One login's tokens, and every rule of when to get new ones.
pub struct Session {
    base: BaseUrl,
    /// Whom the tokens belong to.
    owner: Owner,
    credentials: Option<Credentials>,
    policy: Policy,
    jitter: Jitter,
    token: Option<HeldToken>,
    refresh: Option<HeldRefresh>,
    /// The access token that the API rejected last, so that it is known when it comes again.
    rejected: Option<AccessToken>,
    flight: Option<Flight>,
    round: Round,
    pause: Option<Pause>,
    latch: Option<Denial>,
    /// Rounds that failed in a row.
    failed_rounds: u32,
    /// Young tokens that were rejected in a row.
    rejections: u32,
    /// Sign-ins in a row whose answer was lost.
    lost_sign_ins: u32,
    counts: Counts,
    next_id: u64,
}

/// The attempts that everyone who is waiting waits for.
#[derive(Debug, Default)]
struct Round {
    number: u64,
    failed_attempts: u32,
    next_attempt: Option<Moment>,
    /// Why the round before this one failed, if it did.
    before: Option<SessionError>,
    /// Why the last attempt failed.
    last: Option<AttemptError>,
}

/// Nothing is sent until then.
#[derive(Debug)]
struct Pause {
    until: Moment,
    /// The same without the token that there was when it began.
    without_token: Moment,
    error: AttemptError,
}

impl Session {
    /// A session that signs in with `credentials` when it is first asked for a token.
    ///
    /// `seed` is any random number, drawn for each session by the caller: it spreads the refreshes of sessions that began
    /// together.
    pub fn new(base: BaseUrl, credentials: Credentials, policy: Policy, seed: u64) -> Self {
        Self::begin_with(base, Some(credentials), policy, seed)
    }

    /// A session without credentials, which lives on the refresh token that is [restored](Self::restore) into it. When that has
    /// ended, callers get [`SessionError::SignInNeeded`] until [credentials are set](Self::set_credentials).
    pub fn without_credentials(base: BaseUrl, policy: Policy, seed: u64) -> Self {
        Self::begin_with(base, None, policy, seed)
    }

    fn begin_with(base: BaseUrl, credentials: Option<Credentials>, policy: Policy, seed: u64) -> Self {
        Self {
            owner: Owner::new(&base, credentials.as_ref()),
            base,
            credentials,
            policy,
            jitter: Jitter::new(seed),
            token: None,
            refresh: None,
            rejected: None,
            flight: None,
            round: Round::default(),
            pause: None,
            latch: None,
            failed_rounds: 0,
            rejections: 0,
            lost_sign_ins: 0,
            counts: Counts::default(),
            next_id: 0,
        }
    }

    /// Asks for a token on behalf of `call`.
    ///
    /// Call it when a caller wants a token, when the time of [`Action::WaitUntil`] has come, and whenever anything has been
    /// told to the session, for each call that waits. A call too many is harmless: it answers the same again, but for
    /// [`Action::Send`], which is answered once for each exchange.
    ///
    /// # Errors
    /// A [`SessionError`] when this call gets no token. The call is over then; a new one may fare better.
    pub fn poll(&mut self, now: Now, call: &mut Call) -> Result<Action, SessionError> {
        let deadline = *call.deadline.get_or_insert(now.monotonic.saturating_add(self.policy.patience));
        self.look_at_the_clock(now);

        let phase = self.token.as_ref().map_or(Phase::Over, |held| held.phase(now));
        match phase {
            Phase::Good => return Ok(self.ready(now)),
            Phase::Advisory => {
                return match self.can_begin(now) {
                    Some(kind) => self.begin(now, kind, true),
                    None => Ok(self.ready(now)),
                };
            }
            Phase::Mandatory => {
                // Nobody waits for a second exchange while there is a token: a short life may arrive in this window.
                let waits =
                    now.monotonic < deadline && call.round.is_none_or(|round| round == self.round.number);
                match (&self.flight, self.can_begin(now)) {
                    (Some(flight), _) if waits => {
                        call.round = Some(self.round.number);
                        return Ok(Action::WaitUntil(flight.lost_at().min(deadline)));
                    }
                    (None, Some(kind)) if waits => {
                        call.round = Some(self.round.number);
                        return self.begin(now, kind, false);
                    }
                    _ => return Ok(self.ready(now)),
                }
            }
            Phase::Over => {}
        }

        if let Some(error) = self.round_that_ended(call) {
            return Err(error);
        }
        call.round = Some(self.round.number);
        call.in_need = true;
        let kind = self.next_kind(now);
        if kind.is_none() && self.flight.is_none() {
            return Err(self.no_way_on());
        }
        if let Some(pause) = &self.pause {
            return Err(SessionError::Failed { error: pause.error.clone(), until: pause.until });
        }
        if now.monotonic >= deadline {
            return Err(SessionError::OutOfPatience { last: self.round.last.clone() });
        }
        if let Some(flight) = &self.flight {
            return Ok(Action::WaitUntil(flight.lost_at().min(deadline)));
        }
        match (self.round.next_attempt, kind) {
            (Some(next), _) if !next.has_come(now) => {
                Ok(Action::WaitUntil(next.monotonic_from(now).min(deadline)))
            }
            (_, Some(kind)) => self.begin(now, kind, false),
            (_, None) => Err(self.no_way_on()),
        }
    }

    /// Where the session's API is.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base
    }

    /// Puts away what is over: a driver that was lost, a pause that has ended.
    fn look_at_the_clock(&mut self, now: Now) {
        if let Some(flight) = self.flight.take_if(|flight| now.monotonic >= flight.lost_at()) {
            self.lost(&flight, now);
        }
        self.pause.take_if(|pause| pause.until.has_come(now));
    }

    /// What an exchange begun now would be, if there is a way to a token at all.
    fn next_kind(&self, now: Now) -> Option<ExchangeKind> {
        if self.refresh.as_ref().is_some_and(|refresh| refresh.may_be_good(now)) {
            return Some(ExchangeKind::Refresh);
        }
        (self.credentials.is_some() && self.latch.is_none()).then_some(ExchangeKind::SignIn)
    }

    fn can_begin(&self, now: Now) -> Option<ExchangeKind> {
        let waits = self.round.next_attempt.is_some_and(|next| !next.has_come(now));
        let free = self.flight.is_none() && self.pause.is_none() && !waits;
        self.next_kind(now).filter(|_| free)
    }

    fn no_way_on(&self) -> SessionError {
        match &self.latch {
            Some(denial) => SessionError::Denied(denial.clone()),
            None => SessionError::SignInNeeded,
        }
    }

    /// Why the round that `call` has joined failed, if that is over. It must not begin the next one.
    fn round_that_ended(&self, call: &Call) -> Option<SessionError> {
        call.round
            .filter(|joined| call.in_need && *joined != self.round.number)
            .and(self.round.before.clone())
    }

    fn ready(&self, now: Now) -> Action {
        match self.lease(now) {
            Some(lease) => Action::Ready(lease),
            // Out of reach: whoever calls this has looked at the phase of the token.
            None => Action::WaitUntil(now.monotonic),
        }
    }

    /// The token and how long nobody needs to ask again.
    fn lease(&self, now: Now) -> Option<Lease> {
        let held = self.token.as_ref()?;
        let look_again = match held.phase(now) {
            Phase::Good => held.advisory,
            Phase::Advisory => match (&self.flight, &self.pause) {
                (Some(flight), _) => Moment::on_monotonic(flight.lost_at()).earlier(held.mandatory),
                (None, Some(pause)) => pause.until.earlier(held.mandatory),
                (None, None) if self.next_kind(now).is_none() => held.mandatory,
                (None, None) => Moment::after(now, Duration::ZERO),
            },
            Phase::Mandatory => match (&self.flight, &self.pause) {
                (None, Some(pause)) => pause.until.earlier(held.last_use),
                (None, None) if self.next_kind(now).is_none() => held.last_use,
                _ => Moment::after(now, Duration::ZERO),
            },
            Phase::Over => return None,
        };
        Some(Lease { token: held.token.clone(), look_again })
    }

    fn begin(&mut self, now: Now, kind: ExchangeKind, with_fallback: bool) -> Result<Action, SessionError> {
        let with = match (kind, &self.refresh, &self.credentials) {
            (ExchangeKind::Refresh, Some(refresh), _) => exchange::With::RefreshToken(refresh.token.clone()),
            (ExchangeKind::SignIn, _, Some(credentials)) => exchange::With::Credentials(credentials.clone()),
            _ => return Err(self.no_way_on()),
        };
        let request = match with.to_request(&self.base) {
            Ok(request) => request,
            // Out of reach for a valid base URL; it pauses so that it could never spin.
            Err(error) => {
                let until = Moment::after(now, self.policy.longest_pause);
                self.end_round(AttemptError::Request(error), until, until);
                return Err(SessionError::Failed { error: AttemptError::Request(error), until });
            }
        };
        let id = ExchangeId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        let deadline = now.monotonic.saturating_add(self.policy.exchange_timeout);
        self.counts.begun(kind);
        self.round.next_attempt = None;
        self.flight = Some(Flight { id, with, asked_at: now, deadline });
        let fallback = if with_fallback { self.lease(now) } else { None };
        Ok(Action::Send(Box::new(Exchange { id, kind, request, deadline, fallback })))
    }

    /// Takes exchange `id` off what is under way, if it is that.
    fn land(&mut self, id: ExchangeId) -> Option<Flight> {
        self.flight.take_if(|flight| flight.id == id)
    }

    /// Ends the round: all who have joined it get this error, and nothing is sent until then.
    fn end_round(&mut self, error: AttemptError, until: Moment, without_token: Moment) {
        let failed = SessionError::Failed { error: error.clone(), until };
        self.pause = Some(Pause { until, without_token, error: error.clone() });
        self.next_round(Some(failed));
        self.round.last = Some(error);
    }

    fn next_round(&mut self, before: Option<SessionError>) {
        let number = self.round.number.wrapping_add(1);
        self.round = Round { number, before, ..Round::default() };
    }

    /// `shortest`, doubled for each time after the first, up to the longest pause.
    fn doubled(&self, shortest: Duration, times: u32) -> Duration {
        let doublings = times.saturating_sub(1).min(20);
        shortest.saturating_mul(1 << doublings).min(self.policy.longest_pause)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("base", &self.base)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl Flight {
    fn lost_at(&self) -> Duration {
        self.deadline.saturating_add(LOST_GRACE)
    }
}
