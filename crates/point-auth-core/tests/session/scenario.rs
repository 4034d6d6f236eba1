//! A session, its callers, the server and two clocks, told as a story.

mod caller;
mod server;
mod source;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use point_auth_core::session::{
    Action, Call, Exchange, ExchangeId, Failure, Moment, Now, Outcome, Policy, SessionError,
    SessionMachine, Snapshot, State,
};
use point_auth_core::{AccessToken, BaseUrl, Credentials, Denial};

use caller::Caller;
use server::Server;
use source::Source;

/// Seconds, whole or not, as they stand in a test.
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

/// What the wall shows when a scenario begins: 2026-01-01.
pub(crate) fn new_year() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

pub(crate) fn jane() -> Credentials {
    Credentials::new("jane@tenant.com", "jane's password").unwrap()
}

/// One session, told what happens around it. What it asks to be sent is kept until the server
/// answers.
pub(crate) struct Scenario {
    pub(crate) session: SessionMachine,
    pub(crate) now: Now,
    start: Duration,
    calls: BTreeMap<String, Call>,
    in_flight: Option<Exchange>,
    wanted: Option<ExchangeId>,
    /// What came of the last exchange.
    pub(crate) outcome: Option<Outcome>,
}

impl Scenario {
    /// Jane's session with the default policy.
    pub(crate) fn new() -> Self {
        Self::with_policy(Policy::default())
    }

    pub(crate) fn with_policy(policy: Policy) -> Self {
        Self::of(SessionMachine::new(BaseUrl::production(), jane(), policy, 7))
    }

    /// A session that asks for credentials at each sign-in.
    pub(crate) fn on_demand() -> Self {
        Self::of(SessionMachine::on_demand(BaseUrl::production(), Policy::default(), 7))
    }

    pub(crate) fn with_seed(seed: u64) -> Self {
        Self::of(SessionMachine::new(BaseUrl::production(), jane(), Policy::default(), seed))
    }

    pub(crate) fn of(session: SessionMachine) -> Self {
        // Not zero, so that a time is not taken for a span.
        let start = Duration::from_secs(1_000_000);
        Self {
            session,
            now: Now::new(start, new_year()),
            start,
            calls: BTreeMap::new(),
            in_flight: None,
            wanted: None,
            outcome: None,
        }
    }

    /// A session that has signed in at 0 and got `token`, without a refresh token, which lives so
    /// long.
    pub(crate) fn signed_in(token: &str, life: u32) -> Self {
        let mut scenario = Self::new();
        scenario.someone().signs_in();
        scenario.server().gives(token, life);
        scenario
    }

    /// The same with a refresh token.
    pub(crate) fn refreshable(token: &str, life: u32) -> Self {
        let mut scenario = Self::new();
        scenario.someone().signs_in();
        scenario.server().gives_refreshable(token, life);
        scenario
    }

    /// So many seconds after the beginning, by the monotonic clock; the other one goes along.
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

    /// Only the monotonic clock, as if somebody held the hands of the other one.
    pub(crate) fn wall_clock_stands_still_for(&mut self, seconds: impl Seconds) -> &mut Self {
        self.now.monotonic += seconds.seconds();
        self
    }

    /// The time until `moment`.
    pub(crate) fn until(&self, moment: Moment) -> f64 {
        moment.time_left(self.now).as_secs_f64()
    }

    /// A caller of this name, the same one each time, who asks now.
    pub(crate) fn caller(&mut self, name: &str) -> Caller<'_> {
        let mut call = self.calls.remove(name).unwrap_or_default();
        let reply = self.poll(&mut call);
        self.calls.insert(name.to_owned(), call);
        Caller { scenario: self, reply }
    }

    /// Somebody who has not asked before.
    pub(crate) fn someone(&mut self) -> Caller<'_> {
        let reply = self.poll(&mut Call::new());
        Caller { scenario: self, reply }
    }

    /// Somebody who has not asked before, and has so many seconds.
    pub(crate) fn someone_with(&mut self, seconds: impl Seconds) -> Caller<'_> {
        let reply = self.poll(&mut Call::until(self.now.monotonic + seconds.seconds()));
        Caller { scenario: self, reply }
    }

    /// The next caller of this name is another one.
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

    pub(crate) fn nobody_sends(&mut self) -> &mut Self {
        assert!(self.session.snapshot(self.now).in_flight.is_none());
        self.someone().does_not_send()
    }

    /// What becomes of the exchange that was sent last.
    pub(crate) fn server(&mut self) -> Server<'_> {
        let exchange = self.in_flight.take();
        let id = exchange.unwrap_or_else(|| panic!("nothing was sent")).id;
        Server { scenario: self, id }
    }

    /// What becomes, later, of an exchange that was sent once.
    pub(crate) fn server_of(&mut self, id: ExchangeId) -> Server<'_> {
        Server { scenario: self, id }
    }

    /// What becomes of the wish for credentials that was last.
    pub(crate) fn source(&mut self) -> Source<'_> {
        let id = self.wanted.take().unwrap_or_else(|| panic!("nobody has asked for credentials"));
        Source { scenario: self, id }
    }

    pub(crate) fn exchange(&self) -> &Exchange {
        self.in_flight.as_ref().unwrap_or_else(|| panic!("nothing was sent"))
    }

    /// Whoever was sending is gone, and says so.
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

    /// One whole round that fails, answered by `attempt` each time, until nobody sends any more.
    /// How many there were.
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

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.session.snapshot(self.now)
    }

    pub(crate) fn state(&self) -> State {
        self.snapshot().state
    }

    /// How long the pause is from now.
    pub(crate) fn pause(&self) -> f64 {
        let until = self.snapshot().backoff_until;
        self.until(until.unwrap_or_else(|| panic!("there is no pause")))
    }

    #[track_caller]
    pub(crate) fn pauses_for(&mut self, seconds: impl Seconds) -> &mut Self {
        assert_eq!(Duration::from_secs_f64(self.pause()), seconds.seconds());
        self
    }

    /// As long as the server asked for, or up to a quarter and a minute more.
    #[track_caller]
    pub(crate) fn pauses_as_asked_for(&mut self, seconds: u32) -> &mut Self {
        let asked_for = f64::from(seconds);
        let pause = self.pause();
        assert!((asked_for..=asked_for + (asked_for / 4.0).min(60.0)).contains(&pause), "{pause}");
        self
    }

    /// All of the pause passes, and nobody sends until then.
    #[track_caller]
    pub(crate) fn after_the_pause(&mut self) -> &mut Self {
        let until = self.snapshot().backoff_until.unwrap_or_else(|| panic!("there is no pause"));
        let left = until.time_left(self.now);
        self.after(left - Duration::from_nanos(1)).nobody_sends().after(Duration::from_nanos(1))
    }

    #[track_caller]
    pub(crate) fn does_not_pause(&mut self) -> &mut Self {
        assert_eq!(self.snapshot().backoff_until, None);
        self
    }

    /// How many sign-ins and refreshes were begun.
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
