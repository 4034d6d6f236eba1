//! A job: one exchange from its request to what came of it, and those that follow from it while somebody waits.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use point_auth_core::session::{
    Action, Call, Exchange, ExchangeId, Failure, Now, Outcome, Session, Wanted,
};
use point_auth_core::{Credentials, Operation, SignIn};
use point_auth_transport::{Runtime, TransportError, TransportErrorKind};

use super::gate::{Admitted, Refused};
use super::{Driver, wake};
use crate::panicked::caught;

/// What a session has told somebody to do.
pub(super) enum Job {
    Send(Box<Exchange>),
    GetCredentials(Box<Wanted>),
}

/// How much longer than its deadline an exchange is waited for. The transport ends by then, if it keeps its word.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// Carries out the job, and goes on while the session says so and somebody waits for it.
pub(super) fn run(driver: Arc<Driver>, number: u64, job: Job) -> impl Future<Output = ()> + Send {
    // Before there is a future: it may be dropped without ever being polled, and somebody has to say so.
    let at_work = AtWork { driver, number, exchange: Some(job.id()), may_be_sent: false };
    at_work.carry_out(job)
}

impl Job {
    const fn id(&self) -> ExchangeId {
        match self {
            Self::Send(exchange) => exchange.id,
            Self::GetCredentials(wanted) => wanted.id,
        }
    }
}

/// Whatever ends the job, a panic and a runtime that shuts down among it, everybody is told.
struct AtWork {
    driver: Arc<Driver>,
    number: u64,
    /// The exchange under way.
    exchange: Option<ExchangeId>,
    /// Whether its request may be on its way.
    may_be_sent: bool,
}

impl AtWork {
    async fn carry_out(mut self, job: Job) {
        let driver = Arc::clone(&self.driver);
        let mut next = Some(job);
        while let Some(job) = next.take() {
            self.exchange = Some(job.id());
            self.may_be_sent = false;
            let outcome = match job {
                Job::Send(exchange) => self.send(&driver, *exchange, None).await,
                Job::GetCredentials(wanted) => self.sign_in(&driver, *wanted).await,
            };
            driver.tell(&outcome);
            let goes_on_in = match &outcome {
                Outcome::Retrying { at, .. } => at.time_left(driver.now()),
                Outcome::RefreshRefused(_) => Duration::ZERO,
                _ => return,
            };
            if driver.waiters() == 0 {
                return;
            }
            if !goes_on_in.is_zero() {
                let until = driver.now().monotonic.saturating_add(goes_on_in);
                driver.runtime().sleep_until(until).await;
                // Nothing is sent for nobody.
                if driver.waiters() == 0 {
                    return;
                }
            }
            next = driver.next_job();
        }
    }

    async fn sign_in(&mut self, driver: &Driver, wanted: Wanted) -> Outcome {
        let admission = driver.common.gate.admit(driver, self.number);
        let admission = match by(driver.runtime(), wanted.deadline, admission).await {
            Some(admission) => admission,
            None => {
                let late = TransportError::new(TransportErrorKind::Timeout).not_sent();
                Err(Refused::Failed(Failure::not_sent().with_source(late)))
            }
        };
        let admitted = match admission {
            Ok(admitted) => admitted,
            Err(refused) => {
                return self.ended(|session, now| match &refused {
                    Refused::NotNow(not_now) => session.decline(wanted.id, now, not_now.clone()),
                    Refused::Failed(failure) => session.handle_failure(wanted.id, now, failure),
                    Refused::Withdrawn => {
                        session.withdraw(wanted.id);
                        Outcome::Ignored
                    }
                });
            }
        };
        let credentials = admitted.credentials().clone();
        match driver.begin_sign_in(wanted.id, credentials) {
            Ok(exchange) => {
                admitted.begins(exchange.deadline);
                self.send(driver, *exchange, Some(admitted)).await
            }
            Err(outcome) => self.ended(|_, _| *outcome),
        }
    }

    async fn send(
        &mut self,
        driver: &Driver,
        exchange: Exchange,
        admitted: Option<Admitted<'_>>,
    ) -> Outcome {
        self.may_be_sent = true;
        let left = exchange.deadline.saturating_sub(driver.now().monotonic);
        let limits =
            driver.config().limits_within(left).with_max_response_bytes(SignIn::MAX_RESPONSE_BYTES);
        let request = driver.config().dress(exchange.request);
        let sending = caught(|| driver.common.carrier.send(request, limits));
        let result = by(driver.runtime(), exchange.deadline.saturating_add(GRACE), sending).await;
        let result = match result {
            Some(Ok(Ok(response))) => Ok(response),
            Some(Ok(Err(error))) if error.may_have_been_sent() => {
                Err(Failure::maybe_sent().with_source(error))
            }
            Some(Ok(Err(error))) => Err(Failure::not_sent().with_source(error)),
            None => Err(Failure::maybe_sent()),
            // Nobody knows how far it came, as if it had gone away.
            Some(Err(panicked)) => {
                let error = TransportError::new(TransportErrorKind::Other).with_source(panicked);
                return self.is_over(admitted, |session, now| {
                    session.abandon_because(exchange.id, now, error)
                });
            }
        };
        self.is_over(admitted, |session, now| match &result {
            Ok(response) => session.handle_response(exchange.id, now, response),
            Err(failure) => session.handle_failure(exchange.id, now, failure),
        })
    }

    fn is_over(
        &mut self,
        admitted: Option<Admitted<'_>>,
        tell: impl FnOnce(&mut Session, Now) -> Outcome,
    ) -> Outcome {
        let outcome = self.ended(tell);
        if let Some(admitted) = admitted {
            admitted.ended(&outcome);
        }
        outcome
    }

    /// Tells the session what came of the exchange, and the readers what there is now. Those who wait are woken if it is over.
    fn ended(&mut self, tell: impl FnOnce(&mut Session, Now) -> Outcome) -> Outcome {
        self.exchange = None;
        let now = self.driver.now();
        let mut state = self.driver.lock();
        let outcome = tell(&mut state.session, now);
        self.driver.publish(&state, now);
        let goes_on = match outcome {
            Outcome::Retrying { .. } => true,
            Outcome::RefreshRefused(_) => state.session.has_a_way_on(now),
            _ => false,
        };
        let woken = if goes_on { Vec::new() } else { state.take_all_wakers() };
        drop(state);
        wake(woken);
        outcome
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let now = self.driver.now();
        let mut state = self.driver.lock();
        let outcome = self.exchange.map(|id| match self.may_be_sent {
            true => state.session.abandon(id, now),
            false => state.session.handle_failure(id, now, &Failure::not_sent()),
        });
        state.running.take_if(|running| running.number == self.number);
        self.driver.publish(&state, now);
        let woken = state.take_all_wakers();
        drop(state);
        wake(woken);
        if let Some(outcome) = outcome {
            self.driver.tell(&outcome);
        }
    }
}

impl Driver {
    fn begin_sign_in(
        &self,
        id: ExchangeId,
        credentials: Credentials,
    ) -> Result<Box<Exchange>, Box<Outcome>> {
        let now = self.now();
        let mut state = self.lock();
        let begun = state.session.sign_in_with(id, now, credentials);
        // They may be somebody else's, and the tokens of the one before must not be read any longer.
        self.publish(&state, now);
        begun
    }

    /// What the session wants to be done now, if anything.
    fn next_job(&self) -> Option<Job> {
        let now = self.now();
        match self.lock().session.poll(now, &mut Call::new()) {
            Ok(Action::Send(exchange)) => Some(Job::Send(exchange)),
            Ok(Action::GetCredentials(wanted)) => Some(Job::GetCredentials(wanted)),
            _ => None,
        }
    }
}

/// What `future` ends with, or `None` if it has not by then.
async fn by<T>(
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
        // Made late, since most that do not have to wait need none.
        let timer = timer.get_or_insert_with(|| runtime.sleep_until(time));
        timer.as_mut().poll(cx).map(|()| None)
    })
    .await
}
