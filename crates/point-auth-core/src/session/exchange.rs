//! An exchange from the outside: how it starts, and how its end is reported.

use std::time::Duration;

use http::Response;
use secrecy::ExposeSecret;

use super::SessionMachine;
use super::action::{Exchange, ExchangeId, ExchangeKind};
use super::ending::Answer;
use super::ledger::{Permit, Rejected, SignInResult};
use super::outcome::{AttemptError, Failure, Outcome, SessionError};
use super::policy::Policy;
use super::schedule::Event;
use super::stored::Owner;
use super::time::{Moment, Now};
use crate::{Credentials, Operation, Refresh, RefreshToken, SignIn};

/// The exchange in flight.
#[derive(Clone)]
pub(super) struct InFlight {
    pub(super) id: ExchangeId,
    pub(super) with: With,
    pub(super) asked_at: Now,
    /// On the monotonic clock. `Duration::MAX` as long as the exchange has not started.
    pub(super) deadline: Duration,
    /// The permit of the session's own ledger, for a sign-in.
    pub(super) permit: Option<Permit>,
}

/// The input of an exchange, kept to parse its response.
#[derive(Clone)]
pub(super) enum With {
    Credentials(Credentials),
    /// The driver fetches the credentials; nothing has been sent.
    CredentialsToCome,
    RefreshToken(RefreshToken),
}

impl InFlight {
    pub(super) const fn kind(&self) -> ExchangeKind {
        match self.with {
            With::Credentials(_) | With::CredentialsToCome => ExchangeKind::SignIn,
            With::RefreshToken(_) => ExchangeKind::Refresh,
        }
    }

    /// Returns when the exchange counts as abandoned.
    pub(super) fn abandoned_at(&self) -> Duration {
        self.deadline.saturating_add(Policy::GRACE)
    }

    /// Returns whether its sender has started.
    pub(super) fn has_started(&self) -> bool {
        self.deadline < Duration::MAX
    }

    /// Returns whether its request exists, and so may have been sent.
    pub(super) const fn is_sent(&self) -> bool {
        !matches!(self.with, With::CredentialsToCome)
    }

    /// Returns whether it is a sign-in that may have been sent.
    pub(super) const fn is_sign_in_sent(&self) -> bool {
        matches!(self.with, With::Credentials(_))
    }

    fn took(&self, now: Now) -> Duration {
        now.monotonic.saturating_sub(self.asked_at.monotonic)
    }
}

impl SessionMachine {
    /// Starts exchange `id` of a session with [deferred starts](Self::with_deferred_start).
    ///
    /// Returns its deadline on the monotonic clock, which counts from now. Call it right before the
    /// request is sent, or before the credentials are fetched.
    ///
    /// # Errors
    /// The [`Outcome`] when nothing may be sent: [`Ignored`](Outcome::Ignored) if the exchange is
    /// void.
    pub fn start(&mut self, id: ExchangeId, now: Now) -> Result<Duration, Box<Outcome>> {
        let Some(in_flight) = self.in_flight.take_if(|in_flight| in_flight.id == id) else {
            return Err(Box::new(Outcome::Ignored));
        };
        self.launch(in_flight, now)
    }

    /// Supplies the credentials that [`Action::GetCredentials`](super::Action::GetCredentials)
    /// requested.
    ///
    /// The deadline of the exchange counts from now. If the username or the alias changes, the
    /// tokens of the previous one are dropped.
    ///
    /// # Errors
    /// The [`Outcome`] when nothing may be sent: [`Denied`](Outcome::Denied) for credentials that
    /// were denied before, [`Failed`](Outcome::Failed) while the ledger holds them,
    /// [`Ignored`](Outcome::Ignored) if the request is void.
    pub fn sign_in_with(
        &mut self,
        id: ExchangeId,
        now: Now,
        credentials: Credentials,
    ) -> Result<Box<Exchange>, Box<Outcome>> {
        let is_asked = |in_flight: &mut InFlight| in_flight.id == id && !in_flight.is_sent();
        if self.in_flight.take_if(is_asked).is_none() {
            return Err(Box::new(Outcome::Ignored));
        }
        let permit = match self.ledger.as_mut().map(|ledger| ledger.fetched(&credentials, now)) {
            Some(Err(rejected)) => return Err(Box::new(self.rejected(rejected, now))),
            Some(Ok(permit)) => Some(permit),
            None => None,
        };
        let owner = Owner::new(&self.base, Some(&credentials));
        if owner != self.owner {
            self.drop_tokens(now);
            self.owner = owner;
        }
        let request = SignIn::new(&credentials).to_request(&self.base);
        let with = With::Credentials(credentials);
        let in_flight = InFlight { id, with, asked_at: now, deadline: Duration::MAX, permit };
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                self.settle(in_flight.permit, SignInResult::Inconclusive, now);
                return Err(Box::new(self.unbuildable(error, now)));
            }
        };
        let deadline = self.launch(in_flight, now)?;
        let (kind, attempt) = (ExchangeKind::SignIn, self.schedule.attempt());
        let fallback = self.fallback(now);
        Ok(Box::new(Exchange { id, kind, attempt, request, deadline, fallback }))
    }

    /// Starts the clock of an exchange. With the session's own ledger, a sign-in needs a permit.
    pub(super) fn launch(
        &mut self,
        mut in_flight: InFlight,
        now: Now,
    ) -> Result<Duration, Box<Outcome>> {
        let deadline = now.monotonic.saturating_add(self.policy.exchange_timeout());
        if let (Some(ledger), With::Credentials(credentials)) = (&mut self.ledger, &in_flight.with)
        {
            let permit = match in_flight.permit.take() {
                Some(permit) => Ok(permit),
                None => ledger.ask(credentials, now),
            };
            match permit {
                Ok(permit) => {
                    // The permit was granted just now, so it cannot have expired.
                    let _is_valid = ledger.start(&permit, deadline, now);
                    in_flight.permit = Some(permit);
                }
                Err(rejected) => return Err(Box::new(self.rejected(rejected, now))),
            }
        }
        let kind = in_flight.kind();
        if in_flight.is_sent() {
            self.counts.started(kind);
        }
        self.schedule.on(
            Event::Started { sends: in_flight.is_sent().then_some(kind) },
            now,
            &self.policy,
        );
        in_flight.asked_at = now;
        in_flight.deadline = deadline;
        self.in_flight = Some(in_flight);
        Ok(deadline)
    }

    /// Reports that a shared [`Ledger`](super::Ledger) rejected exchange `id`. Then poll all
    /// waiting calls.
    ///
    /// A report for an exchange that is not in flight is ignored.
    pub fn reject(&mut self, id: ExchangeId, now: Now, rejected: Rejected) -> Outcome {
        match self.finish(id) {
            Some(_) => self.rejected(rejected, now),
            None => Outcome::Ignored,
        }
    }

    /// Takes back exchange `id`, of which nothing was sent, as if it had never started.
    #[doc(hidden)]
    pub fn withdraw(&mut self, id: ExchangeId) {
        self.in_flight.take_if(|in_flight| in_flight.id == id && in_flight.can_yet_end());
    }

    pub(super) fn rejected(&mut self, rejected: Rejected, now: Now) -> Outcome {
        let (error, until) = match rejected {
            Rejected::Denied { denial, ask_again } => return self.denied(denial, ask_again, now),
            Rejected::TooManyUnknown { until } => (AttemptError::TooManyUnknown, Some(until)),
            Rejected::Held { until } => (AttemptError::Held, until),
            Rejected::Busy { until } => (AttemptError::Held, Some(until)),
        };
        self.counts.failed = self.counts.failed.saturating_add(1);
        self.hold(error.clone(), until, now);
        let until = self.schedule.backoff_until(now).unwrap_or(Moment::NEVER);
        Outcome::Failed { error, until, outcome_unknown: false, took: Duration::ZERO }
    }

    /// Reports the response to exchange `id`. Then poll all waiting calls.
    ///
    /// Call it once for each exchange that got a response, of any kind. A report for an exchange
    /// that is not in flight is ignored.
    pub fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        id: ExchangeId,
        now: Now,
        response: &Response<B>,
    ) -> Outcome {
        let Some(in_flight) = self.finish(id) else { return Outcome::Ignored };
        let took = in_flight.took(now);
        // A secret that the session knows and the request does not hold, so that no error shows it.
        let access_token = self.token.as_ref().map_or("", |held| held.token.expose());
        let refresh_token = self.refresh.as_ref().map_or("", |held| held.token.expose());
        let password =
            self.credentials.known().map_or("", |known| known.password().expose_secret());
        let tokens = match &in_flight.with {
            With::Credentials(credentials) => {
                SignIn::new(credentials).parse_beside(response, [access_token, refresh_token])
            }
            With::RefreshToken(token) => {
                Refresh::new(token).parse_beside(response, [access_token, password])
            }
            // Nothing was sent, so there can be no response.
            With::CredentialsToCome => {
                return self.failed(now, AttemptError::Abandoned, Answer::default());
            }
        };
        let outcome = match tokens {
            Ok(tokens) => self.renewed(in_flight, now, tokens),
            Err(error) => self.refused_or_failed(in_flight, now, error),
        };
        outcome.that_took(took)
    }

    /// Reports that exchange `id` got no response. Then poll all waiting calls.
    ///
    /// Call it once for each exchange that failed or was [abandoned](Failure::abandoned). A report
    /// for an exchange that is not in flight is ignored.
    pub fn handle_failure(&mut self, id: ExchangeId, now: Now, failure: &Failure) -> Outcome {
        let Some(in_flight) = self.finish(id) else { return Outcome::Ignored };
        let took = in_flight.took(now);
        if failure.is_abandoned() {
            let error = match failure.source() {
                Some(_) => AttemptError::Failure(failure.clone()),
                None => AttemptError::Abandoned,
            };
            return self.abandoned(in_flight, now, error).that_took(took);
        }
        let outcome_unknown = failure.may_have_been_sent() && in_flight.is_sign_in_sent();
        let result = match outcome_unknown {
            true => SignInResult::Unknown,
            false => SignInResult::Inconclusive,
        };
        self.settle(in_flight.permit, result, now);
        let answer = Answer { outcome_unknown, ..Answer::default() };
        self.failed(now, AttemptError::Failure(failure.clone()), answer).that_took(took)
    }

    /// Ends the round, because the ledger rejects the sign-in.
    pub(super) fn hold(&mut self, error: AttemptError, until: Option<Moment>, now: Now) {
        self.schedule.on(Event::Held { error: error.clone(), until }, now, &self.policy);
        let until = self.schedule.backoff_until(now).unwrap_or(Moment::NEVER);
        self.next_round(Some(SessionError::Failed { error: error.clone(), until }));
        self.round.last = Some(error);
    }
}
