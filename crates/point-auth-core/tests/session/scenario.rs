//! A scenario of a session, its callers, the server and two clocks.

mod caller;
mod server;
mod source;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use point_auth_core::session::{
    Action, Call, Exchange, ExchangeId, Failure, Moment, Now, Outcome, Policy, SessionError,
    SessionMachine, Snapshot, State, StoredTokens,
};
use point_auth_core::{AccessToken, BaseUrl, Credentials, Denial};

use caller::Caller;
use server::Server;
use source::Source;

/// Seconds, whole or not, as in the source of a test.
pub(crate) trait Seconds {
    fn seconds(self) -> Duration;
}

impl Seconds for u32 {
    fn seconds(self) -> Duration {
        Duration::from_secs(self.into())
    }
}

impl Seconds for f64 {
    fn seconds(self) -> Duration {
        Duration::from_secs_f64(self)
    }
}

impl Seconds for Duration {
    fn seconds(self) -> Duration {
        self
    }
}

/// The wall clock at the start of a scenario: 2026-01-01.
pub(crate) fn new_year() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

pub(crate) fn jane() -> Credentials {
    Credentials::new("jane@tenant.com", "jane's password").unwrap()
}

/// One session and the events around it. A request is kept until the server answers it.
pub(crate) struct Scenario {
    pub(crate) session: SessionMachine,
    pub(crate) now: Now,
    start: Duration,
    calls: BTreeMap<String, Call>,
    in_flight: Option<Exchange>,
    request: Option<ExchangeId>,
    /// The outcome of the last exchange.
    pub(crate) outcome: Option<Outcome>,
}

impl Scenario {
    /// Creates Jane's session with the default policy.
    pub(crate) fn new() -> Self {
        Self::with_policy(Policy::default())
    }

    pub(crate) fn with_policy(policy: Policy) -> Self {
        Self::of(SessionMachine::new(BaseUrl::production(), jane(), policy, 7))
    }

    /// Creates a session that requests credentials at each sign-in.
    pub(crate) fn on_demand() -> Self {
        Self::of(SessionMachine::on_demand(BaseUrl::production(), Policy::default(), 7))
    }

    pub(crate) fn with_seed(seed: u64) -> Self {
        Self::of(SessionMachine::new(BaseUrl::production(), jane(), Policy::default(), seed))
    }

    pub(crate) fn of(session: SessionMachine) -> Self {
        // Not zero, so that a moment is not mistaken for a duration.
        let start = Duration::from_secs(1_000_000);
        Self {
            session,
            now: Now::new(start, new_year()),
            start,
            calls: BTreeMap::new(),
            in_flight: None,
            request: None,
            outcome: None,
        }
    }

    /// Creates a session that has signed in at 0 and got `token` with this lifetime, without a
    /// refresh token.
    pub(crate) fn signed_in(token: &str, life: u32) -> Self {
        let mut scenario = Self::new();
        scenario.new_caller().signs_in();
        scenario.server().gives(token, life);
        scenario
    }

    /// Creates a session that has signed in at 0 and got `token` and a refresh token.
    pub(crate) fn refreshable(token: &str, life: u32) -> Self {
        let mut scenario = Self::new();
        scenario.new_caller().signs_in();
        scenario.server().gives_refreshable(token, life);
        scenario
    }

    /// Sets the time to this many seconds after the start, on both clocks.
    pub(crate) fn at(&mut self, seconds: impl Seconds) -> &mut Self {
        let passed = (self.start + seconds.seconds()).checked_sub(self.now.monotonic);
        self.after(passed.unwrap_or_else(|| panic!("the story has gone past that")))
    }

    pub(crate) fn after(&mut self, seconds: impl Seconds) -> &mut Self {
        let passed = seconds.seconds();
        self.now.monotonic += passed;
        self.now.wall += passed;
        self
    }

    /// The monotonic clock stops meanwhile.
    pub(crate) fn sleeps_for(&mut self, seconds: impl Seconds) -> &mut Self {
        self.now.wall += seconds.seconds();
        self
    }

    pub(crate) fn wall_clock_goes_back(&mut self, seconds: impl Seconds) -> &mut Self {
        self.now.wall -= seconds.seconds();
        self
    }

    /// Only the monotonic clock advances.
    pub(crate) fn wall_clock_stands_still_for(&mut self, seconds: impl Seconds) -> &mut Self {
        self.now.monotonic += seconds.seconds();
        self
    }

    /// Returns the time until `moment`.
    pub(crate) fn until(&self, moment: Moment) -> f64 {
        moment.time_left(self.now).as_secs_f64()
    }

    /// Returns the caller of this name, which polls now.
    pub(crate) fn caller(&mut self, name: &str) -> Caller<'_> {
        let mut call = self.calls.remove(name).unwrap_or_default();
        let reply = self.poll(&mut call);
        self.calls.insert(name.to_owned(), call);
        Caller { scenario: self, reply }
    }

    /// Returns a caller that has not polled before.
    pub(crate) fn new_caller(&mut self) -> Caller<'_> {
        let reply = self.poll(&mut Call::new());
        Caller { scenario: self, reply }
    }

    /// Returns a caller that has not polled before, with this timeout in seconds.
    pub(crate) fn new_caller_with(&mut self, seconds: impl Seconds) -> Caller<'_> {
        let reply = self.poll(&mut Call::until(self.now.monotonic + seconds.seconds()));
        Caller { scenario: self, reply }
    }

    /// The next caller of this name is a new one.
    pub(crate) fn forget(&mut self, name: &str) -> &mut Self {
        self.calls.remove(name);
        self
    }

    fn poll(&mut self, call: &mut Call) -> Result<Action, SessionError> {
        let before = format!("{:?}", self.session.snapshot(self.now).in_flight);
        let reply = self.session.poll(self.now, call);
        if let Ok(Action::Send(_) | Action::GetCredentials(_)) = &reply {
            assert_eq!(before, "None", "two exchanges at once");
        }
        reply
    }

    pub(crate) fn no_caller_sends(&mut self) -> &mut Self {
        assert!(self.session.snapshot(self.now).in_flight.is_none());
        self.new_caller().does_not_send()
    }

    /// Returns the server for the exchange that was sent last.
    pub(crate) fn server(&mut self) -> Server<'_> {
        let exchange = self.in_flight.take();
        let id = exchange.unwrap_or_else(|| panic!("nothing was sent")).id;
        Server { scenario: self, id }
    }

    /// Returns the server for an exchange that was sent earlier.
    pub(crate) fn server_of(&mut self, id: ExchangeId) -> Server<'_> {
        Server { scenario: self, id }
    }

    /// Returns the source for the last credential request.
    pub(crate) fn source(&mut self) -> Source<'_> {
        let id = self.request.take().unwrap_or_else(|| panic!("no credentials were requested"));
        Source { scenario: self, id }
    }

    pub(crate) fn exchange(&self) -> &Exchange {
        self.in_flight.as_ref().unwrap_or_else(|| panic!("nothing was sent"))
    }

    /// The sender vanishes, and reports it.
    pub(crate) fn abandons(&mut self) -> &mut Self {
        let exchange = self.in_flight.take().unwrap();
        self.outcome =
            Some(self.session.handle_failure(exchange.id, self.now, &Failure::abandoned()));
        self
    }

    /// The API answers 401 to a request with this token.
    pub(crate) fn api_rejects(&mut self, token: &str) -> &mut Self {
        self.session.invalidate(&AccessToken::new(token).unwrap(), self.now);
        self
    }

    /// Runs one round that fails, answered by `attempt` each time, until no caller sends. Returns
    /// the number of attempts.
    pub(crate) fn round_fails(&mut self, attempt: impl Fn(&mut Scenario)) -> u32 {
        let mut call = Call::until(self.now.monotonic + Duration::from_secs(60));
        let mut attempts = 0;
        loop {
            match self.session.poll(self.now, &mut call) {
                Ok(Action::Send(exchange)) => {
                    self.in_flight = Some(*exchange);
                    attempts += 1;
                    assert!(attempts < 100, "a round that never ends");
                    attempt(self);
                }
                Ok(Action::WaitUntil(time)) => {
                    let passed = time - self.now.monotonic;
                    self.after(passed);
                }
                Ok(Action::GetCredentials(_)) => panic!("it has credentials"),
                Ok(Action::Ready(_)) | Err(_) => return attempts,
            }
        }
    }

    pub(crate) fn stored_tokens(&self) -> Option<StoredTokens> {
        self.session.stored_tokens(self.now)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.session.snapshot(self.now)
    }

    pub(crate) fn state(&self) -> State {
        self.snapshot().state
    }

    /// Returns the length of the backoff from now.
    pub(crate) fn backoff(&self) -> f64 {
        let until = self.snapshot().backoff_until;
        self.until(until.unwrap_or_else(|| panic!("there is no backoff")))
    }

    #[track_caller]
    pub(crate) fn backs_off_for(&mut self, seconds: impl Seconds) -> &mut Self {
        assert_eq!(Duration::from_secs_f64(self.backoff()), seconds.seconds());
        self
    }

    /// The backoff is as long as the server asked for, plus at most a quarter or a minute.
    #[track_caller]
    pub(crate) fn backs_off_as_asked_for(&mut self, seconds: u32) -> &mut Self {
        let asked_for = f64::from(seconds);
        let backoff = self.backoff();
        assert!(
            (asked_for..=asked_for + (asked_for / 4.0).min(60.0)).contains(&backoff),
            "{backoff}"
        );
        self
    }

    /// The whole backoff passes, and no caller sends before its end.
    #[track_caller]
    pub(crate) fn after_the_backoff(&mut self) -> &mut Self {
        let until = self.snapshot().backoff_until.unwrap_or_else(|| panic!("there is no backoff"));
        let left = until.time_left(self.now);
        self.after(left - Duration::from_nanos(1)).no_caller_sends().after(Duration::from_nanos(1))
    }

    #[track_caller]
    pub(crate) fn does_not_back_off(&mut self) -> &mut Self {
        assert_eq!(self.snapshot().backoff_until, None);
        self
    }

    /// Checks how many sign-ins and refreshes were started.
    #[track_caller]
    pub(crate) fn has_sent(&mut self, sign_ins: u64, refreshes: u64) -> &mut Self {
        let counts = self.snapshot().counts;
        assert_eq!((counts.sign_ins, counts.refreshes), (sign_ins, refreshes));
        self
    }
}

impl Scenario {
    #[track_caller]
    pub(crate) fn retries(&mut self) -> &mut Self {
        assert!(matches!(self.outcome, Some(Outcome::Retrying { .. })), "{:?}", self.outcome);
        self
    }

    #[track_caller]
    pub(crate) fn gives_up(&mut self) -> &mut Self {
        assert!(matches!(self.outcome, Some(Outcome::Failed { .. })), "{:?}", self.outcome);
        self
    }

    #[track_caller]
    pub(crate) fn is_refused(&mut self) -> &mut Self {
        assert!(matches!(self.outcome, Some(Outcome::RefreshRefused { .. })), "{:?}", self.outcome);
        self
    }

    #[track_caller]
    pub(crate) fn is_ignored(&mut self) -> &mut Self {
        assert!(matches!(self.outcome, Some(Outcome::Ignored)), "{:?}", self.outcome);
        self
    }

    #[track_caller]
    pub(crate) fn latches(&mut self) -> Denial {
        match &self.outcome {
            Some(Outcome::Denied { denial, .. }) => denial.clone(),
            other => panic!("not denied, but {other:?}"),
        }
    }
}
