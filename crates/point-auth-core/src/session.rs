//! [`SessionMachine`]: keeps the token of one login valid, without a clock and without I/O.
//!
//! It runs one exchange at a time, and it does not lock the account. Callers ask for a token with
//! [`poll`](SessionMachine::poll), and the returned [`Action`] says what to do: use this token,
//! send this request, or wait. The sender of a request reports its outcome. The time is an argument
//! of each call, so a test can let an hour pass at once.
//!
//! ```text
//!                 poll: Send            handle_response: Renewed
//!   no token ───────────────▶ exchange ───────────────────────▶ good token ──┐
//!      ▲  ▲                    │  │  ▲                              │        │ poll: Ready
//!      │  │   Retrying (three  │  │  │ RefreshRefused: one          │ ◀──────┘
//!      │  │   in all, soon)    │  │  │ sign-in                      │ advisory window: one
//!      │  └────────────────────┘  │  └──────────┐                   ▼ caller sends, none waits
//!      │                          │             │            token and exchange
//!      │ backoff over   Failed    ▼             └───────────────────┤ mandatory window: callers
//!      └──────────────────── backing off                            ▼ wait, and use it on failure
//!                                               last use: no token any more
//!      Denied: no sign-in until the credentials change or the session is reset
//!
//!   A session on demand gets its credentials at each sign-in: GetCredentials, then
//!   sign_in_with, then as after Send
//! ```
//!
//! Two parts hold the rules:
//!
//! - The [`Ledger`] decides who may send a password. A session has its own ledger, or
//!   [shares](SessionMachine::with_shared_ledger) one with the other aliases of its login.
//! - The schedule inside the session decides when an exchange may start.
//!
//! # A walkthrough
//!
//! This example drives a session by hand, without a transport and without a clock:
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use point_auth_core::session::{Action, Call, Now, Outcome, Policy, SessionMachine};
//! use point_auth_core::{BaseUrl, Credentials};
//!
//! let credentials = Credentials::new("user@example.com", "correct horse")?;
//! let mut session =
//!     SessionMachine::new(BaseUrl::production(), credentials, Policy::default(), 42);
//! let start = SystemTime::now();
//! let at = |seconds| {
//!     Now::new(Duration::from_secs(seconds), start + Duration::from_secs(seconds))
//! };
//!
//! // Two callers want a token. The first sends, the second waits.
//! let (mut first, mut second) = (Call::new(), Call::new());
//! let Action::Send(exchange) = session.poll(at(0), &mut first)? else { panic!() };
//! let Action::WaitUntil(_) = session.poll(at(0), &mut second)? else { panic!() };
//!
//! // Any HTTP stack sends `exchange.request`. The response arrives a second later.
//! let response = http::Response::new(
//!     r#"{"access_token": "first", "refresh_token": "again", "expires_in": 3600}"#,
//! );
//! let outcome = session.handle_response(exchange.id, at(1), &response);
//! assert!(matches!(outcome, Outcome::Renewed { .. }));
//!
//! // Each waiter is polled again, and gets the token.
//! let Action::Ready(lease) = session.poll(at(1), &mut second)? else { panic!() };
//! assert_eq!(lease.token.expose(), "first");
//! assert_eq!(lease.expires_at, start + Duration::from_secs(3600));
//! // Until `look_again` there is no need to poll.
//! assert!(!lease.look_again.has_come(at(3000)));
//!
//! // Near the end of its life the next caller refreshes the token, and can use it meanwhile.
//! let Action::Send(exchange) = session.poll(at(3500), &mut Call::new())? else { panic!() };
//! assert!(exchange.fallback.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod consult;
mod control;
mod ending;
mod exchange;
mod forked;
mod held;
mod jitter;
mod ledger;
mod outcome;
mod policy;
mod poll;
mod schedule;
mod snapshot;
mod stored;
mod time;

use std::sync::Arc;

pub use action::{Action, Call, CredentialRequest, Exchange, ExchangeId, ExchangeKind, Lease};
pub use ledger::{
    KeptAlias, KeptLedger, KeptPassword, KeptPermit, Ledger, LedgerSnapshot, Permit, Rejected,
    SignInResult,
};
pub use outcome::{AttemptError, Failure, Outcome, SessionError};
pub use policy::{Policy, PolicyBuilder, PolicyError};
pub use snapshot::{Counts, Snapshot, State};
pub use stored::{StoredTokens, StoredTokensError};
pub use time::{Moment, Now};

use crate::{AccessToken, BaseUrl, Credentials};
use exchange::InFlight;
use held::{HeldRefresh, HeldToken};
use jitter::Jitter;
use schedule::Schedule;
use stored::Owner;

/// The tokens of one login, and the rules for getting new ones.
pub struct SessionMachine {
    base: BaseUrl,
    /// The user that the tokens belong to.
    owner: Owner,
    /// Whether the driver set the username and the alias of the owner.
    given_owner: (bool, bool),
    credentials: Source,
    policy: Arc<Policy>,
    jitter: Jitter,
    token: Option<HeldToken>,
    refresh: Option<HeldRefresh>,
    /// The last access token that the API rejected, to recognize it when it arrives again.
    rejected: Option<AccessToken>,
    in_flight: Option<InFlight>,
    round: Round,
    schedule: Schedule,
    /// The session's own ledger, or `None` with a shared one. Boxed, because the sessions of a
    /// shared ledger are many.
    ledger: Option<Box<Ledger>>,
    starts_deferred: bool,
    counts: Counts,
    next_id: u64,
    /// Changes whenever the tokens to store change.
    stored_version: u64,
}

/// The source of the credentials.
#[derive(Clone)]
enum Source {
    Nowhere,
    Here(Credentials),
    /// From the driver, at each sign-in.
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

/// The attempts that all current waiters share.
#[derive(Debug, Default)]
struct Round {
    number: u64,
    /// Why the previous round failed, if it did.
    before: Option<SessionError>,
    /// Why the last attempt failed.
    last: Option<AttemptError>,
}

impl SessionMachine {
    /// Creates a session that signs in with `credentials` on the first request for a token.
    ///
    /// `seed` is any random number, drawn by the caller for each session. It spreads the refreshes
    /// of sessions that started together.
    pub fn new(
        base: BaseUrl,
        credentials: Credentials,
        policy: impl Into<Arc<Policy>>,
        seed: u64,
    ) -> Self {
        Self::begin_with(base, Source::Here(credentials), policy.into(), seed)
    }

    /// Creates a session that requests credentials at each sign-in, and does not hold them.
    ///
    /// It requests them with [`Action::GetCredentials`]. After a denial it requests them again at
    /// growing intervals (1 second up to the longest backoff), and continues if it gets other
    /// credentials. It holds denied credentials, to recognize them.
    pub fn on_demand(base: BaseUrl, policy: impl Into<Arc<Policy>>, seed: u64) -> Self {
        Self::begin_with(base, Source::OnDemand, policy.into(), seed)
    }

    /// Creates a session without credentials, which depends on a [restored](Self::restore) refresh
    /// token.
    ///
    /// Once that token has expired, callers get [`SessionError::SignInNeeded`] until [credentials
    /// are set](Self::set_credentials).
    pub fn without_credentials(base: BaseUrl, policy: impl Into<Arc<Policy>>, seed: u64) -> Self {
        Self::begin_with(base, Source::Nowhere, policy.into(), seed)
    }

    /// Sets the owner of the tokens that a session without credentials [restores](Self::restore),
    /// as far as it is known.
    #[must_use]
    pub fn with_owner(mut self, username: Option<&str>, user_alias: Option<&str>) -> Self {
        if self.credentials.known().is_none() {
            self.owner.username = username.map(str::to_owned);
            self.owner.user_alias = user_alias.map(str::to_owned);
            self.given_owner = (username.is_some(), user_alias.is_some());
        }
        self
    }

    /// Uses a [`Ledger`] that the sessions of many aliases share, and that the driver asks.
    ///
    /// It is for a session on demand. At [`Action::GetCredentials`] the driver asks the ledger for
    /// a permit. It then continues with [`sign_in_with`](Self::sign_in_with), or
    /// [rejects](Self::reject) the request. Afterwards it settles the permit with the result of the
    /// sign-in.
    #[must_use]
    pub fn with_shared_ledger(mut self) -> Self {
        self.ledger = None;
        self
    }

    /// Makes each exchange wait for [`start`](Self::start), from which its times are counted.
    ///
    /// These are the deadline of the exchange and the lifetime of its tokens. Use it in a driver
    /// that may queue an exchange before it sends it. Until the start, an exchange never counts as
    /// abandoned.
    #[must_use]
    pub fn with_deferred_start(mut self) -> Self {
        self.starts_deferred = true;
        self
    }

    fn begin_with(base: BaseUrl, credentials: Source, policy: Arc<Policy>, seed: u64) -> Self {
        Self {
            owner: Owner::new(&base, credentials.known()),
            given_owner: (false, false),
            base,
            credentials,
            ledger: Some(Box::new(Ledger::new(&policy))),
            policy,
            jitter: Jitter::new(seed),
            token: None,
            refresh: None,
            rejected: None,
            in_flight: None,
            round: Round::default(),
            schedule: Schedule::default(),
            starts_deferred: false,
            counts: Counts::default(),
            next_id: 0,
            stored_version: 0,
        }
    }

    /// Returns the alias of the tokens, if they have one.
    pub fn user_alias(&self) -> Option<&str> {
        self.owner.user_alias.as_deref()
    }

    /// Returns the base URL of the session's API.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base
    }

    /// Returns the errors that the session holds, for a driver that keeps it behind a lock. Held
    /// until the lock is released, they keep an error's `Drop`, which may be foreign code, from
    /// running under the lock.
    #[doc(hidden)]
    pub fn held_errors(&self) -> [Option<AttemptError>; 3] {
        let before = match &self.round.before {
            Some(SessionError::Failed { error, .. }) => Some(error),
            Some(SessionError::TimedOut { last }) => last.as_ref(),
            _ => None,
        };
        [self.round.last.as_ref(), before, self.schedule.backoff_error()]
            .map(|error| error.cloned())
    }

    /// Takes exchange `id` if it is the one in flight.
    fn finish(&mut self, id: ExchangeId) -> Option<InFlight> {
        self.in_flight.take_if(|in_flight| in_flight.id == id)
    }

    /// Starts the next round. All callers of the current round get `before`, if there is one.
    fn next_round(&mut self, before: Option<SessionError>) {
        let number = self.round.number.wrapping_add(1);
        self.round = Round { number, before, ..Round::default() };
    }
}

impl std::fmt::Debug for SessionMachine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionMachine")
            .field("base", &self.base)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
