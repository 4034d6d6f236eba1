//! A job: one exchange from its request to its outcome, and those that follow while callers wait.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

#[cfg(any(feature = "metrics", feature = "store"))]
use point_auth_core::session::ExchangeKind;
use point_auth_core::session::{
    Action, Call, Exchange, ExchangeId, Failure, Now, Outcome, Permit, Rejected, SessionMachine,
    SignInResult,
};
use point_auth_core::{Credentials, Operation, SignIn};
use point_auth_transport::{Runtime, TransportError, TransportErrorKind};

#[cfg(feature = "tracing")]
use super::trace;
use super::{Driver, FetchFrom, wake};
use crate::panicked::caught;
use crate::runtime::NotRun;

/// The action that a session returned to a caller.
pub(super) enum Job {
    Send(Box<Exchange>),
    /// Get the credentials and sign in. The permit is that of a shared login, once granted.
    SignIn(ExchangeId, Option<Permit>),
}

/// The time past its deadline for which an exchange is awaited. A transport that keeps the contract
/// ends by the deadline.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// Runs the job, and continues while the session returns further actions and callers wait.
pub(super) fn run(driver: Arc<Driver>, number: u64, job: Job) -> impl Future<Output = ()> + Send {
    // Created outside of the future, which may be dropped without a poll.
    let (exchange, permit, next) = match job {
        Job::Send(exchange) => (exchange.id, None, Some(Job::Send(exchange))),
        Job::SignIn(id, permit) => (id, permit, Some(Job::SignIn(id, None))),
    };
    let at_work = AtWork {
        driver,
        number,
        exchange: Some(exchange),
        permit,
        may_be_sent: false,
        #[cfg(feature = "tracing")]
        span: tracing::Span::none(),
        #[cfg(feature = "metrics")]
        began: None,
        #[cfg(feature = "store")]
        store: super::fleet::AtStore::default(),
    };
    at_work.carry_out(next)
}

/// Reports the end of the job, even after a panic or when the runtime shuts down.
pub(super) struct AtWork {
    driver: Arc<Driver>,
    number: u64,
    /// The exchange in flight.
    exchange: Option<ExchangeId>,
    /// Its permit, if the login is shared.
    permit: Option<Permit>,
    /// Whether its request may have been sent.
    may_be_sent: bool,
    /// The span of the exchange in flight.
    #[cfg(feature = "tracing")]
    span: tracing::Span,
    /// What its request is for, and when it was about to be sent.
    #[cfg(feature = "metrics")]
    began: Option<(ExchangeKind, Duration)>,
    /// What it has of a store that is shared with other processes.
    #[cfg(feature = "store")]
    pub(super) store: super::fleet::AtStore,
}

impl AtWork {
    async fn carry_out(mut self, mut next: Option<Job>) {
        let driver = Arc::clone(&self.driver);
        while let Some(job) = next.take() {
            let outcome = match job {
                Job::Send(exchange) => self.send(&driver, *exchange).await,
                Job::SignIn(id, _) => self.sign_in(&driver, id).await,
            };
            #[cfg(feature = "store")]
            self.settle_store(&driver, &outcome).await;
            driver.notify(&outcome);
            let goes_on_in = match &outcome {
                Outcome::Retrying { at, .. } => at.time_left(driver.now()),
                _ if outcome.goes_on() => Duration::ZERO,
                _ => return,
            };
            if driver.waiters() == 0 {
                return;
            }
            if !goes_on_in.is_zero() {
                let until = driver.now().monotonic.saturating_add(goes_on_in);
                driver.runtime().sleep_until(until).await;
                // Nothing is sent when no caller is left.
                if driver.waiters() == 0 {
                    return;
                }
            }
            next = match driver.next_job() {
                Some(Job::SignIn(id, None)) if driver.common.login().is_some() => {
                    // It becomes a separate job once it has its permit.
                    driver.begin(Job::SignIn(id, None));
                    return;
                }
                next => next,
            };
            match &next {
                Some(Job::Send(exchange)) => self.exchange = Some(exchange.id),
                Some(Job::SignIn(id, _)) => self.exchange = Some(*id),
                None => {}
            }
        }
    }

    async fn sign_in(&mut self, driver: &Driver, id: ExchangeId) -> Outcome {
        let deadline = match driver.start(id) {
            Ok(deadline) => deadline,
            Err(outcome) => return self.ended(|_, _| *outcome),
        };
        #[cfg(feature = "store")]
        if let Some(outcome) = self.find(driver, id).await {
            return outcome;
        }
        let fetching = async {
            match &driver.common.credentials {
                FetchFrom::Session => Err(Failure::not_sent()),
                FetchFrom::Source(source) => source.fetch().await.map_err(not_sent),
                FetchFrom::Login(login) => login.fetch(&driver.alias).await.map_err(not_sent),
            }
        };
        let credentials = match by(driver.runtime(), deadline, fetching).await {
            Some(Ok(credentials)) => credentials,
            Some(Err(failure)) => return self.failed(id, &failure),
            None => {
                let late = TransportError::new(TransportErrorKind::Timeout).not_sent();
                return self.failed(id, &Failure::not_sent().with_source(late));
            }
        };
        if let (Some(login), Some(permit)) = (driver.common.login(), &mut self.permit) {
            match login.present(permit, &credentials, driver.now()) {
                Ok(()) => {}
                // Another session tries these credentials first, so this one returns to the queue.
                Err(Rejected::Busy { .. }) => {
                    return self.ended(|session, _| {
                        session.withdraw(id);
                        Outcome::Ignored
                    });
                }
                Err(rejected) => {
                    return self.ended(|session, now| session.reject(id, now, rejected));
                }
            }
        }
        #[cfg(feature = "store")]
        if let Some(outcome) = self.consult(driver, id, Some(&credentials)).await {
            return outcome;
        }
        let exchange = match driver.begin_sign_in(id, credentials) {
            Ok(exchange) => exchange,
            Err(outcome) => return self.ended(|_, _| *outcome),
        };
        if let (Some(login), Some(permit)) = (driver.common.login(), &self.permit)
            && !login.start(permit, exchange.deadline, driver.now())
        {
            let late = TransportError::new(TransportErrorKind::Timeout).not_sent();
            return self.failed(id, &Failure::not_sent().with_source(late));
        }
        self.send_by(driver, *exchange).await
    }

    async fn send(&mut self, driver: &Driver, mut exchange: Exchange) -> Outcome {
        #[cfg(feature = "store")]
        {
            let credentials = match exchange.kind {
                ExchangeKind::SignIn => driver.lock().session.credentials().cloned(),
                _ => None,
            };
            if let Some(outcome) = self.consult(driver, exchange.id, credentials.as_ref()).await {
                return outcome;
            }
        }
        match driver.start(exchange.id) {
            Ok(deadline) => exchange.deadline = deadline,
            Err(outcome) => return self.ended(|_, _| *outcome),
        }
        self.send_by(driver, exchange).await
    }

    async fn send_by(&mut self, driver: &Driver, exchange: Exchange) -> Outcome {
        #[cfg(feature = "store")]
        if self.store.granted.as_ref().is_some_and(|granted| !granted.is_fresh(driver.now())) {
            // The machine has slept meanwhile.
            let late = TransportError::new(TransportErrorKind::Timeout).not_sent();
            return self.failed(exchange.id, &Failure::not_sent().with_source(late));
        }
        driver.notify_of_start(exchange.kind, exchange.attempt);
        #[cfg(feature = "tracing")]
        {
            let span = trace::span(driver, &exchange);
            self.span = span.clone();
            let sending = self.send_now(driver, exchange);
            let outcome = tracing::Instrument::instrument(sending, span.clone()).await;
            trace::ended(&span, &outcome);
            outcome
        }
        #[cfg(not(feature = "tracing"))]
        self.send_now(driver, exchange).await
    }

    async fn send_now(&mut self, driver: &Driver, exchange: Exchange) -> Outcome {
        self.may_be_sent = true;
        let now = driver.now().monotonic;
        #[cfg(feature = "metrics")]
        {
            self.began = Some((exchange.kind, now));
        }
        let left = exchange.deadline.saturating_sub(now);
        let limits = driver.config().limits_within(left);
        let limits = limits.with_max_response_bytes(SignIn::MAX_RESPONSE_BYTES);
        let mut request = exchange.request;
        driver.config().user_agent.set_on(request.headers_mut());
        let sending = caught(|| driver.common.transport.send(request, limits));
        let until = exchange.deadline.saturating_add(GRACE);
        let failure = match by(driver.runtime(), until, sending).await {
            Some(Ok(Ok(response))) => {
                #[cfg(feature = "tracing")]
                trace::status(&self.span, response.status().as_u16());
                return self
                    .ended(|session, now| session.handle_response(exchange.id, now, &response));
            }
            Some(Ok(Err(error))) if error.may_have_been_sent() => {
                Failure::maybe_sent().with_source(error)
            }
            Some(Ok(Err(error))) => Failure::not_sent().with_source(error),
            None => Failure::maybe_sent(),
            // Its progress is unknown, as if the sender had ended.
            Some(Err(panicked)) => {
                let error = TransportError::new(TransportErrorKind::Other).with_source(panicked);
                Failure::abandoned().with_source(error)
            }
        };
        self.failed(exchange.id, &failure)
    }

    pub(super) fn failed(&mut self, id: ExchangeId, failure: &Failure) -> Outcome {
        self.ended(|session, now| session.handle_failure(id, now, failure))
    }

    /// Reports the end of the exchange to the session and to the login, and publishes the new
    /// token. Callers are woken unless another exchange follows.
    pub(super) fn ended(
        &mut self,
        report: impl FnOnce(&mut SessionMachine, Now) -> Outcome,
    ) -> Outcome {
        self.exchange = None;
        let may_have_been_sent = std::mem::take(&mut self.may_be_sent);
        #[cfg(feature = "store")]
        {
            self.store.was_sent = may_have_been_sent;
        }
        let now = self.driver.now();
        let mut state = self.driver.lock();
        let outcome = report(&mut state.session, now);
        self.driver.publish(&mut state, now);
        let woken = if outcome.goes_on() { Vec::new() } else { state.take_wakers() };
        drop(state);
        // Before any foreign code runs, such as a waker.
        self.settle(&outcome, may_have_been_sent, now);
        #[cfg(feature = "store")]
        let woken = self.keep_if_granted(woken);
        wake(woken);
        #[cfg(feature = "metrics")]
        self.record(&outcome, now);
        outcome
    }

    #[cfg(feature = "metrics")]
    fn record(&mut self, outcome: &Outcome, now: Now) {
        let meter = &self.driver.common.meter;
        match self.began.take() {
            Some((kind, at)) => {
                meter.exchange_ended(kind, outcome, now.monotonic.saturating_sub(at));
            }
            None => meter.nothing_sent(outcome),
        }
    }

    /// Reports the result of the sign-in to the login before the next one gets a permit.
    fn settle(&mut self, outcome: &Outcome, may_have_been_sent: bool, now: Now) {
        if let (Some(login), Some(permit)) = (self.driver.common.login(), self.permit.take()) {
            let result = match may_have_been_sent {
                true => SignInResult::of(outcome),
                false => SignInResult::Inconclusive,
            };
            login.settle(permit, result, now);
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let now = self.driver.now();
        let may_have_been_sent = self.may_be_sent;
        #[cfg(feature = "store")]
        if let Some(granted) = self.store.granted.take().filter(|_| !may_have_been_sent) {
            granted.give_back(&self.driver);
        }
        let mut state = self.driver.lock();
        let outcome = self.exchange.map(|id| {
            let failure = match may_have_been_sent {
                true => Failure::abandoned(),
                false => Failure::not_sent().with_source(NotRun::error()),
            };
            state.session.handle_failure(id, now, &failure)
        });
        state.running.take_if(|running| *running == self.number);
        self.driver.publish(&mut state, now);
        let woken = state.take_wakers();
        drop(state);
        #[cfg(feature = "store")]
        wake(std::mem::take(&mut self.store.to_wake));
        wake(woken);
        if let Some(outcome) = outcome {
            self.settle(&outcome, may_have_been_sent, now);
            #[cfg(feature = "tracing")]
            if may_have_been_sent {
                trace::ended(&self.span, &outcome);
            }
            #[cfg(feature = "metrics")]
            self.record(&outcome, now);
            self.driver.notify(&outcome);
        }
    }
}

fn not_sent(error: crate::credential_source::SourceError) -> Failure {
    Failure::not_sent().with_source(error)
}

impl Driver {
    /// Starts the clock of an exchange.
    fn start(&self, id: ExchangeId) -> Result<Duration, Box<Outcome>> {
        let now = self.now();
        self.lock().session.start(id, now)
    }

    fn begin_sign_in(
        &self,
        id: ExchangeId,
        credentials: Credentials,
    ) -> Result<Box<Exchange>, Box<Outcome>> {
        let now = self.now();
        let mut state = self.lock();
        let begun = state.session.sign_in_with(id, now, credentials);
        // They may be another user's, and then the previous user's tokens must not be read.
        self.publish(&mut state, now);
        begun
    }

    /// Returns the next action of the session, if any.
    fn next_job(&self) -> Option<Job> {
        let now = self.now();
        match self.lock().session.poll(now, &mut Call::new()) {
            Ok(Action::Send(exchange)) => Some(Job::Send(exchange)),
            Ok(Action::GetCredentials(request)) => Some(Job::SignIn(request.id, None)),
            _ => None,
        }
    }
}

/// Returns the output of `future`, or `None` if it has not ended by `time`.
pub(crate) async fn by<T>(
    runtime: &dyn Runtime,
    time: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    let mut timer = None;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(done) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        // Created late, because an exchange that does not have to wait needs none.
        let timer = timer.get_or_insert_with(|| runtime.sleep_until(time));
        timer.as_mut().poll(cx).map(|()| None)
    })
    .await
}
