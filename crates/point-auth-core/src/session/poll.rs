//! What a session tells each caller, and the beginning of exchanges.

use std::time::Duration;

use http::Request;

use super::action::{Action, Call, Exchange, ExchangeId, ExchangeKind, Lease, Wanted};
use super::exchange::{Flight, With};
use super::held::Phase;
use super::outcome::{AttemptError, SessionError};
use super::time::{Moment, Now};
use super::{Pause, Session, Source};
use crate::{Operation, Refresh, SecretBody, SignIn};

impl Session {
    /// Asks for a token on behalf of `call`.
    ///
    /// Call it when a caller wants a token, when the time of [`Action::WaitUntil`] has come, and whenever anything has been
    /// told to the session, for each call that waits. A call too many is harmless: it answers the same again, but for
    /// [`Action::Send`] and [`Action::GetCredentials`], which are answered once for each exchange.
    ///
    /// # Errors
    /// A [`SessionError`] when this call gets no token. The call is over then; a new one may fare better.
    pub fn poll(&mut self, now: Now, call: &mut Call) -> Result<Action, SessionError> {
        let deadline =
            *call.deadline.get_or_insert(now.monotonic.saturating_add(self.policy.patience));
        self.look_at_the_clock(now);

        let phase = self.token.as_ref().map_or(Phase::Over, |held| held.phase(now));
        match phase {
            Phase::Good => return Ok(self.ready(now)),
            Phase::Advisory => {
                return match self.can_begin(now) {
                    Some(kind) => self.begin(now, kind),
                    None => Ok(self.ready(now)),
                };
            }
            Phase::Mandatory => {
                // Nobody waits for a second exchange while there is a token: a short life may arrive in this window.
                let waits = now.monotonic < deadline
                    && call.round.is_none_or(|round| round == self.round.number);
                match (&self.flight, self.can_begin(now)) {
                    (Some(flight), _) if waits => {
                        call.round = Some(self.round.number);
                        return Ok(Action::WaitUntil(flight.lost_at().min(deadline)));
                    }
                    (None, Some(kind)) if waits => {
                        call.round = Some(self.round.number);
                        return self.begin(now, kind);
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
        match (kind, kind.and_then(|kind| self.not_before(now, kind))) {
            (_, Some(next)) => Ok(Action::WaitUntil(next.monotonic_from(now).min(deadline))),
            (Some(kind), None) => self.begin(now, kind),
            (None, None) => Err(self.no_way_on()),
        }
    }

    /// The token that can be handed out, and for how long without asking again. Changes nothing.
    ///
    /// For whoever keeps it where it can be read without the session: put there whatever this says, whenever anything has been told to the session.
    pub fn lease(&self, now: Now) -> Option<Lease> {
        let held = self.token.as_ref()?;
        let at_once = Moment::after(now, Duration::ZERO);
        let next = match (&self.flight, &self.pause, self.next_kind(now)) {
            (Some(flight), _, _) => Some(Moment::on_monotonic(flight.lost_at())),
            (None, Some(pause), _) => Some(pause.until),
            (None, None, Some(kind)) => Some(self.not_before(now, kind).unwrap_or(at_once)),
            (None, None, None) => self.ask_again(),
        };
        let look_again = match held.phase(now) {
            Phase::Good => held.advisory,
            Phase::Advisory => next.map_or(held.mandatory, |next| next.earlier(held.mandatory)),
            // Callers wait for the exchange, so that each has to ask.
            Phase::Mandatory if self.flight.is_some() => at_once,
            Phase::Mandatory => next.map_or(held.last_use, |next| next.earlier(held.last_use)),
            Phase::Over => return None,
        };
        Some(Lease { token: held.token.clone(), look_again })
    }

    /// Puts away what is over: a token, a driver that was lost, a pause that has ended.
    fn look_at_the_clock(&mut self, now: Now) {
        if let Some(flight) = self.flight.take_if(|flight| now.monotonic >= flight.lost_at()) {
            // Whoever polls is told the rest.
            let _lost = self.lost(&flight, now, AttemptError::Lost);
        }
        self.pause.take_if(|pause| pause.until.has_come(now));
        if let Some(held) =
            self.token.as_mut().filter(|held| !held.has_ended && held.phase(now) == Phase::Over)
        {
            // Kept only to be known again.
            held.has_ended = true;
            self.stored_version = self.stored_version.wrapping_add(1);
        }
    }

    /// Whether there is a way to another token at all: a refresh token that may be good, or credentials that were not denied.
    /// Where there is none, [`Outcome::RefreshRefused`](super::Outcome::RefreshRefused) ends what callers wait for.
    pub fn has_a_way_on(&self, now: Now) -> bool {
        self.next_kind(now).is_some()
    }

    /// What an exchange begun now would be, if there is a way to a token at all.
    pub(super) fn next_kind(&self, now: Now) -> Option<ExchangeKind> {
        if self.refresh.as_ref().is_some_and(|refresh| refresh.may_be_good(now)) {
            return Some(ExchangeKind::Refresh);
        }
        let may_sign_in = match self.credentials {
            Source::Nowhere => false,
            Source::Here(_) => self.latch.is_none(),
            Source::OnDemand => {
                self.latch.as_ref().is_none_or(|latch| latch.ask_again.has_come(now))
            }
        };
        may_sign_in.then_some(ExchangeKind::SignIn)
    }

    /// When credentials on demand are asked for again after a denial.
    fn ask_again(&self) -> Option<Moment> {
        let latch = self.latch.as_ref().filter(|_| matches!(self.credentials, Source::OnDemand))?;
        Some(latch.ask_again)
    }

    /// What the next exchange has to wait for, pauses aside.
    fn not_before(&self, now: Now, kind: ExchangeKind) -> Option<Moment> {
        let next_sign_in = self.next_sign_in.filter(|_| kind == ExchangeKind::SignIn);
        let waits = |moment: &Moment| !moment.has_come(now);
        match (self.round.next_attempt.filter(waits), next_sign_in.filter(waits)) {
            (Some(one), Some(other)) => Some(one.later(other)),
            (one, other) => one.or(other),
        }
    }

    fn can_begin(&self, now: Now) -> Option<ExchangeKind> {
        let free = self.flight.is_none() && self.pause.is_none();
        self.next_kind(now).filter(|kind| free && self.not_before(now, *kind).is_none())
    }

    pub(super) fn no_way_on(&self) -> SessionError {
        match &self.latch {
            Some(latch) => SessionError::Denied(latch.denial.clone()),
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

    fn begin(&mut self, now: Now, kind: ExchangeKind) -> Result<Action, SessionError> {
        let id = ExchangeId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        let (with, request) = match (kind, &self.refresh, &self.credentials) {
            (ExchangeKind::Refresh, Some(refresh), _) => {
                let token = refresh.token.clone();
                let request = Refresh::new(&token).to_request(&self.base);
                (With::RefreshToken(token), request)
            }
            (ExchangeKind::SignIn, _, Source::Here(credentials)) => {
                let credentials = credentials.clone();
                let request = SignIn::new(&credentials).to_request(&self.base);
                (With::Credentials(credentials), request)
            }
            (ExchangeKind::SignIn, _, Source::OnDemand) => {
                let deadline = self.under_way(id, now, With::CredentialsToCome);
                let fallback = self.fallback(now);
                return Ok(Action::GetCredentials(Box::new(Wanted { id, deadline, fallback })));
            }
            _ => return Err(self.no_way_on()),
        };
        match request {
            Ok(request) => Ok(Action::Send(self.take_off(id, now, with, request))),
            // Out of reach for a valid base URL; it pauses so that it could never spin.
            Err(error) => {
                let until = Moment::after(now, self.policy.longest_pause);
                self.end_round(Pause::new(AttemptError::Request(error), until));
                Err(SessionError::Failed { error: AttemptError::Request(error), until })
            }
        }
    }

    pub(super) fn take_off(
        &mut self,
        id: ExchangeId,
        now: Now,
        with: With,
        request: Request<SecretBody>,
    ) -> Box<Exchange> {
        let kind = with.kind();
        self.counts.begun(kind);
        let deadline = self.under_way(id, now, with);
        Box::new(Exchange { id, kind, request, deadline, fallback: self.fallback(now) })
    }

    /// The token that nobody need wait beside, now that an exchange is under way.
    fn fallback(&self, now: Now) -> Option<Lease> {
        let held = self.token.as_ref()?;
        matches!(held.phase(now), Phase::Good | Phase::Advisory).then(|| self.lease(now)).flatten()
    }

    /// When it must be done.
    fn under_way(&mut self, id: ExchangeId, now: Now, with: With) -> Duration {
        let deadline = now.monotonic.saturating_add(self.policy.exchange_timeout);
        self.round.next_attempt = None;
        self.flight = Some(Flight { id, with, asked_at: now, deadline });
        deadline
    }
}
