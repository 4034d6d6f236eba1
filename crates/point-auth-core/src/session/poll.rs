//! The poll of a session: the action of each caller, and the start of an exchange.

use std::time::Duration;

use super::action::{Action, Call, CredentialRequest, Exchange, ExchangeId, ExchangeKind, Lease};
use super::exchange::{InFlight, With};
use super::held::Phase;
use super::outcome::{AttemptError, SessionError};
use super::schedule::{Event, Start};
use super::time::{Moment, Now};
use super::{SessionMachine, Source};
use crate::{Operation, Refresh, SignIn};

impl SessionMachine {
    /// Asks for a token on behalf of `call`.
    ///
    /// Call it when a caller wants a token, and when the time of [`Action::WaitUntil`] has come.
    /// Call it for each waiting call after every report to the session. A spurious call is
    /// harmless: it gets an equal action, except for [`Action::Send`] and
    /// [`Action::GetCredentials`], which come once for each exchange.
    ///
    /// # Errors
    /// A [`SessionError`] when this call gets no token. The call is then over; a new one may
    /// succeed.
    pub fn poll(&mut self, now: Now, call: &mut Call) -> Result<Action, SessionError> {
        let timeout = self.policy.acquire_timeout();
        let deadline = *call.deadline.get_or_insert(now.monotonic.saturating_add(timeout));
        self.look_at_the_clock(now);

        let phase = self.token.as_ref().map_or(Phase::Over, |held| held.phase(now));
        match phase {
            Phase::Good => return Ok(self.ready(now)),
            Phase::Advisory => {
                return match self.can_begin(now) {
                    Some(kind) => self.begin_beside_a_token(now, kind),
                    None => Ok(self.ready(now)),
                };
            }
            Phase::Mandatory => {
                // No caller waits for a second exchange while there is a token, because a token
                // with a short lifetime may arrive in this window.
                let waits = now.monotonic < deadline
                    && call.round.is_none_or(|round| round == self.round.number);
                match (&self.in_flight, self.can_begin(now)) {
                    (Some(in_flight), _) if waits => {
                        call.round = Some(self.round.number);
                        return Ok(Action::WaitUntil(in_flight.abandoned_at().min(deadline)));
                    }
                    (None, Some(kind)) if waits => {
                        call.round = Some(self.round.number);
                        return self.begin_beside_a_token(now, kind);
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
        if kind.is_none() && self.in_flight.is_none() {
            return Err(self.no_way_on());
        }
        let start = self.schedule.start(kind.unwrap_or(ExchangeKind::Refresh), now);
        if let Start::Backoff(until, error) = start {
            return Err(SessionError::Failed { error: error.clone(), until });
        }
        if now.monotonic >= deadline {
            return Err(SessionError::TimedOut { last: self.round.last.clone() });
        }
        if let Some(in_flight) = &self.in_flight {
            return Ok(Action::WaitUntil(in_flight.abandoned_at().min(deadline)));
        }
        match (kind, start) {
            (Some(_), Start::At(moment)) => {
                Ok(Action::WaitUntil(moment.monotonic_from(now).min(deadline)))
            }
            (Some(kind), Start::Now) => self.begin(now, kind),
            _ => Err(self.no_way_on()),
        }
    }

    /// Returns the token that can be handed out, and for how long without a poll. Changes nothing.
    ///
    /// It is for a driver that caches the token outside of the session: update the cache after
    /// every report to the session.
    pub fn lease(&self, now: Now) -> Option<Lease> {
        let held = self.token.as_ref()?;
        let at_once = Moment::after(now, Duration::ZERO);
        let next = match (&self.in_flight, self.next_kind(now)) {
            (Some(in_flight), _) => Some(Moment::on_monotonic(in_flight.abandoned_at())),
            (None, kind) => match self.schedule.start(kind.unwrap_or(ExchangeKind::SignIn), now) {
                Start::Denied(ask_again) => ask_again,
                Start::Backoff(until, _) => Some(until),
                Start::At(moment) => kind.map(|_| moment),
                Start::Now => kind.map(|_| at_once),
            },
        };
        let look_again = match held.phase(now) {
            Phase::Good => held.advisory,
            Phase::Advisory => next.map_or(held.mandatory, |next| next.earlier(held.mandatory)),
            // Callers wait for the exchange, so each of them has to poll.
            Phase::Mandatory if self.in_flight.is_some() => at_once,
            Phase::Mandatory => next.map_or(held.last_use, |next| next.earlier(held.last_use)),
            Phase::Over => return None,
        };
        Some(Lease { token: held.token.clone(), expires_at: held.expires_at(), look_again })
    }

    /// Ends what is over: a token, an abandoned exchange, a backoff.
    fn look_at_the_clock(&mut self, now: Now) {
        let is_abandoned = |in_flight: &mut InFlight| now.monotonic >= in_flight.abandoned_at();
        if let Some(in_flight) = self.in_flight.take_if(is_abandoned) {
            // The poll that follows returns the result.
            let _outcome = self.abandoned(in_flight, now, AttemptError::Abandoned);
        }
        self.schedule.on(Event::Clock, now, &self.policy);
        let is_over =
            |held: &&mut super::held::HeldToken| !held.has_ended && held.phase(now) == Phase::Over;
        if let Some(held) = self.token.as_mut().filter(is_over) {
            // Kept only to recognize it when it arrives again.
            held.has_ended = true;
            self.stored_version = self.stored_version.wrapping_add(1);
        }
    }

    /// Returns the kind of an exchange started now, if there is any way to a token.
    pub(super) fn next_kind(&self, now: Now) -> Option<ExchangeKind> {
        if self.refresh.as_ref().is_some_and(|refresh| refresh.may_be_good(now)) {
            return Some(ExchangeKind::Refresh);
        }
        let has_credentials = !matches!(self.credentials, Source::Nowhere);
        let is_denied = matches!(self.schedule.start(ExchangeKind::SignIn, now), Start::Denied(..));
        (has_credentials && !is_denied).then_some(ExchangeKind::SignIn)
    }

    fn can_begin(&self, now: Now) -> Option<ExchangeKind> {
        let is_free = |kind: &ExchangeKind| {
            self.in_flight.is_none() && matches!(self.schedule.start(*kind, now), Start::Now)
        };
        self.next_kind(now).filter(is_free)
    }

    pub(super) fn no_way_on(&self) -> SessionError {
        match self.schedule.denial() {
            Some(denial) => SessionError::Denied(denial.clone()),
            None => SessionError::SignInNeeded,
        }
    }

    /// Returns why the round that `call` joined failed, if it is over. The call must not start the
    /// next one.
    fn round_that_ended(&self, call: &Call) -> Option<SessionError> {
        call.round
            .filter(|joined| call.in_need && *joined != self.round.number)
            .and(self.round.before.clone())
    }

    fn ready(&self, now: Now) -> Action {
        match self.lease(now) {
            Some(lease) => Action::Ready(lease),
            // Unreachable: the callers have checked the phase of the token.
            None => Action::WaitUntil(now.monotonic),
        }
    }

    /// Starts an exchange. If it is rejected, the token is still there.
    fn begin_beside_a_token(
        &mut self,
        now: Now,
        kind: ExchangeKind,
    ) -> Result<Action, SessionError> {
        self.begin(now, kind).or_else(|_| Ok(self.ready(now)))
    }

    fn begin(&mut self, now: Now, kind: ExchangeKind) -> Result<Action, SessionError> {
        let (with, request) = match (kind, &self.refresh, &self.credentials) {
            (ExchangeKind::Refresh, Some(refresh), _) => {
                let token = refresh.token.clone();
                let request = Refresh::new(&token).to_request(&self.base);
                (With::RefreshToken(token), Some(request))
            }
            (ExchangeKind::SignIn, _, Source::Here(credentials)) => {
                let credentials = credentials.clone();
                let request = SignIn::new(&credentials).to_request(&self.base);
                (With::Credentials(credentials), Some(request))
            }
            (ExchangeKind::SignIn, _, Source::OnDemand) => (With::CredentialsToCome, None),
            _ => return Err(self.no_way_on()),
        };
        if let Some(Err(rejected)) = self.ledger.as_ref().map(|ledger| match &with {
            With::Credentials(credentials) => ledger.class(credentials, now).map(|_| ()),
            With::CredentialsToCome => ledger.may_fetch(self.owner.user_alias.as_deref(), now),
            With::RefreshToken(_) => Ok(()),
        }) {
            let _outcome = self.rejected(rejected, now);
            return Err(self.ended());
        }
        let request = match request.transpose() {
            Ok(request) => request,
            Err(error) => {
                let _outcome = self.unbuildable(error, now);
                return Err(self.ended());
            }
        };
        let id = ExchangeId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        let in_flight = InFlight { id, with, asked_at: now, deadline: Duration::MAX, permit: None };
        let deadline = match self.starts_deferred {
            true => {
                self.in_flight = Some(in_flight);
                Duration::MAX
            }
            false => match self.launch(in_flight, now) {
                Ok(deadline) => deadline,
                Err(_) => return Err(self.ended()),
            },
        };
        let (fallback, attempt) = (self.fallback(now), self.schedule.attempt());
        Ok(match request {
            Some(request) => {
                Action::Send(Box::new(Exchange { id, kind, attempt, request, deadline, fallback }))
            }
            None => Action::GetCredentials(Box::new(CredentialRequest { id, deadline, fallback })),
        })
    }

    /// Returns why the previous round ended.
    fn ended(&self) -> SessionError {
        self.round.before.clone().unwrap_or(SessionError::SignInNeeded)
    }

    /// Returns the token to use instead of waiting, now that an exchange is in flight.
    pub(super) fn fallback(&self, now: Now) -> Option<Lease> {
        let held = self.token.as_ref()?;
        matches!(held.phase(now), Phase::Good | Phase::Advisory).then(|| self.lease(now)).flatten()
    }
}
