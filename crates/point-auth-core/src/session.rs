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
//!
//!   A session on demand is told the credentials at each sign-in: GetCredentials, then sign_in_with, then as after Send
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
mod ending;
mod exchange;
mod held;
mod jitter;
mod login;
mod outcome;
mod policy;
mod poll;
mod snapshot;
mod stored;
mod time;

use std::sync::Arc;
use std::time::Duration;

pub use action::{Action, Call, Exchange, ExchangeId, ExchangeKind, Lease, Wanted};
pub use login::Login;
pub use outcome::{AttemptError, Failure, NotNow, Outcome, SessionError};
pub use policy::{Policy, PolicyBuilder, PolicyError};
pub use snapshot::{Counts, Snapshot, State};
pub use stored::{StoredTokens, StoredTokensError};
pub use time::{Moment, Now};

use crate::{AccessToken, BaseUrl, Credentials, Denial};
use exchange::Flight;
use held::{HeldRefresh, HeldToken};
use jitter::Jitter;
use stored::Owner;

/// One login's tokens, and every rule of when to get new ones.
pub struct Session {
    base: BaseUrl,
    /// Whom the tokens belong to.
    owner: Owner,
    /// Whether somebody has said the username and the alias of that, where the credentials do not.
    told_owner: (bool, bool),
    credentials: Source,
    policy: Arc<Policy>,
    jitter: Jitter,
    token: Option<HeldToken>,
    refresh: Option<HeldRefresh>,
    /// The access token that the API rejected last, so that it is known when it comes again.
    rejected: Option<AccessToken>,
    flight: Option<Flight>,
    round: Round,
    pause: Option<Pause>,
    latch: Option<Latch>,
    login: Login,
    /// When the next sign-in may begin after the last one that gave tokens.
    next_sign_in: Option<Moment>,
    /// Rounds that failed in a row.
    failed_rounds: u32,
    /// Young tokens that were rejected in a row.
    rejections: u32,
    counts: Counts,
    next_id: u64,
    /// Changes with what is to be stored.
    stored_version: u64,
}

/// Where the credentials come from.
enum Source {
    Nowhere,
    Here(Credentials),
    /// From whoever drives the session, at each sign-in.
    OnDemand,
}

impl Source {
    const fn known(&self) -> Option<&Credentials> {
        match self {
            Self::Here(credentials) => Some(credentials),
            Self::Nowhere | Self::OnDemand => None,
        }
    }
}

/// A sign-in was denied.
#[derive(Debug)]
struct Latch {
    denial: Denial,
    /// When credentials on demand are asked for again, to see whether they have changed.
    ask_again: Moment,
}

/// The attempts that everyone who is waiting waits for.
#[derive(Debug, Default)]
struct Round {
    number: u64,
    failed_attempts: u32,
    next_attempt: Option<Moment>,
    /// A refresh was refused: one sign-in, and no second try.
    is_last_try: bool,
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
    /// The same for another login than the one whose sign-ins got lost.
    other_login: Moment,
    error: AttemptError,
}

impl Pause {
    /// For everybody, whatever there is.
    fn new(error: AttemptError, until: Moment) -> Self {
        Self { until, without_token: until, other_login: until, error }
    }
}

impl Session {
    /// A session that signs in with `credentials` when it is first asked for a token.
    ///
    /// `seed` is any random number, drawn for each session by the caller: it spreads the refreshes of sessions that began
    /// together.
    pub fn new(
        base: BaseUrl,
        credentials: Credentials,
        policy: impl Into<Arc<Policy>>,
        seed: u64,
    ) -> Self {
        Self::begin_with(base, Source::Here(credentials), policy.into(), seed)
    }

    /// A session that asks for credentials at each sign-in by [`Action::GetCredentials`], so that nobody needs to hold them.
    ///
    /// Whoever drives it may do more before it [goes on](Self::sign_in_with), such as waiting for its turn. After a denial it asks again
    /// at most once in a pause, and goes on by itself if it is given others. It holds those that were denied, so as to
    /// know.
    pub fn on_demand(base: BaseUrl, policy: impl Into<Arc<Policy>>, seed: u64) -> Self {
        Self::begin_with(base, Source::OnDemand, policy.into(), seed)
    }

    /// A session without credentials, which lives on the refresh token that is [restored](Self::restore) into it. When that has
    /// ended, callers get [`SessionError::SignInNeeded`] until [credentials are set](Self::set_credentials).
    pub fn without_credentials(base: BaseUrl, policy: impl Into<Arc<Policy>>, seed: u64) -> Self {
        Self::begin_with(base, Source::Nowhere, policy.into(), seed)
    }

    /// Says whose tokens a session without credentials of its own [takes up](Self::restore), as far as that is known.
    #[must_use]
    pub fn with_owner(mut self, username: Option<&str>, user_alias: Option<&str>) -> Self {
        if self.credentials.known().is_none() {
            self.owner.username = username.map(str::to_owned);
            self.owner.user_alias = user_alias.map(str::to_owned);
            self.told_owner = (username.is_some(), user_alias.is_some());
        }
        self
    }

    fn begin_with(base: BaseUrl, credentials: Source, policy: Arc<Policy>, seed: u64) -> Self {
        Self {
            owner: Owner::new(&base, credentials.known()),
            told_owner: (false, false),
            base,
            credentials,
            login: Login::new(&policy),
            policy,
            jitter: Jitter::new(seed),
            token: None,
            refresh: None,
            rejected: None,
            flight: None,
            round: Round::default(),
            pause: None,
            latch: None,
            next_sign_in: None,
            failed_rounds: 0,
            rejections: 0,
            counts: Counts::default(),
            next_id: 0,
            stored_version: 0,
        }
    }

    /// The alias that its tokens are of, if they are of one.
    pub fn user_alias(&self) -> Option<&str> {
        self.owner.user_alias.as_deref()
    }

    /// Where the session's API is.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base
    }

    /// The errors that it holds now, for whoever keeps it behind a lock: hold them until after that, and no error is dropped
    /// within, of which nobody knows what its `Drop` does.
    pub fn held_errors(&self) -> [Option<AttemptError>; 3] {
        let before = match &self.round.before {
            Some(SessionError::Failed { error, .. }) => Some(error),
            Some(SessionError::OutOfPatience { last }) => last.as_ref(),
            _ => None,
        };
        [self.round.last.as_ref(), before, self.pause.as_ref().map(|pause| &pause.error)]
            .map(|error| error.cloned())
    }

    /// Takes exchange `id` off what is under way, if it is that.
    fn land(&mut self, id: ExchangeId) -> Option<Flight> {
        self.flight.take_if(|flight| flight.id == id)
    }

    /// Ends the round: all who have joined it get this error, and nothing is sent until then.
    fn end_round(&mut self, pause: Pause) {
        let failed = SessionError::Failed { error: pause.error.clone(), until: pause.until };
        self.next_round(Some(failed));
        self.round.last = Some(pause.error.clone());
        self.pause = Some(pause);
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
