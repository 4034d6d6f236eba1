//! An exchange from the outside: who sends it tells here what came of it.

use std::error::Error;
use std::time::Duration;

use http::Response;
use secrecy::ExposeSecret;

use super::action::{Exchange, ExchangeId, ExchangeKind};
use super::ending::{Answer, SignInSeen};
use super::outcome::{AttemptError, Failure, NotNow, Outcome};
use super::policy::LOST_GRACE;
use super::stored::Owner;
use super::time::{Moment, Now};
use super::{Pause, Session};
use crate::{Credentials, Operation, Refresh, RefreshToken, SignIn};

/// The exchange under way.
pub(super) struct Flight {
    pub(super) id: ExchangeId,
    pub(super) with: With,
    pub(super) asked_at: Now,
    pub(super) deadline: Duration,
}

impl Flight {
    pub(super) fn kind(&self) -> ExchangeKind {
        self.with.kind()
    }

    pub(super) fn lost_at(&self) -> Duration {
        self.deadline.saturating_add(LOST_GRACE)
    }

    /// Whether an answer to it says that the server has seen a sign-in.
    pub(super) fn sign_in_seen(&self) -> SignInSeen {
        match self.with {
            With::Credentials(_) => SignInSeen::Yes,
            With::CredentialsToCome | With::RefreshToken(_) => SignInSeen::No,
        }
    }

    /// Whether there is anything on its way to the server.
    pub(super) fn is_sent(&self) -> bool {
        !matches!(self.with, With::CredentialsToCome)
    }

    /// Whether it is a sign-in that may be on its way to the server.
    pub(super) fn is_sign_in_sent(&self) -> bool {
        self.sign_in_seen() == SignInSeen::Yes
    }
}

/// What an exchange is made with, kept for reading its answer.
pub(super) enum With {
    Credentials(Credentials),
    /// Somebody gets them; nothing has been sent.
    CredentialsToCome,
    RefreshToken(RefreshToken),
}

impl With {
    pub(super) fn kind(&self) -> ExchangeKind {
        match self {
            Self::Credentials(_) | Self::CredentialsToCome => ExchangeKind::SignIn,
            Self::RefreshToken(_) => ExchangeKind::Refresh,
        }
    }
}

impl Session {
    /// Gives the credentials that [`Action::GetCredentials`](super::Action::GetCredentials) asked for. The time of the exchange
    /// begins now.
    ///
    /// Another username or alias than before drops the tokens of the one before.
    ///
    /// # Errors
    /// The [`Outcome`] when there is nothing to be sent: [`Denied`](Outcome::Denied) for those that were denied before,
    /// [`Failed`](Outcome::Failed) when sign-ins with them got lost too often of late, [`Ignored`](Outcome::Ignored) when nobody asked or
    /// it is too late.
    pub fn sign_in_with(
        &mut self,
        id: ExchangeId,
        now: Now,
        credentials: Credentials,
    ) -> Result<Box<Exchange>, Box<Outcome>> {
        let asked =
            |flight: &mut Flight| flight.id == id && matches!(flight.with, With::CredentialsToCome);
        if self.flight.take_if(asked).is_none() {
            return Err(Box::new(Outcome::Ignored));
        }
        if let Err(not_now) = self.login.check(&credentials, now) {
            return Err(Box::new(self.declined(not_now, now)));
        }
        self.latch = None;
        let owner = Owner::new(&self.base, Some(&credentials));
        if owner != self.owner {
            self.drop_tokens(now);
            self.owner = owner;
        }
        let request = SignIn::new(&credentials).to_request(&self.base);
        match request {
            Ok(request) => Ok(self.take_off(id, now, With::Credentials(credentials), request)),
            Err(error) => {
                Err(Box::new(self.failed(now, AttemptError::Request(error), Answer::hopeless())))
            }
        }
    }

    /// Tells the session that the credentials for exchange `id` must not be sent now, as a [`Login`](super::Login) that it shares with
    /// other sessions says. Then poll every call that waits.
    ///
    /// What is told of an exchange that is not under way any more is ignored.
    pub fn decline(&mut self, id: ExchangeId, now: Now, not_now: NotNow) -> Outcome {
        match self.land(id) {
            Some(_) => self.declined(not_now, now),
            None => Outcome::Ignored,
        }
    }

    fn declined(&mut self, not_now: NotNow, now: Now) -> Outcome {
        match not_now {
            NotNow::Denied(denial) => self.denied(denial, None, now),
            NotNow::Until(until) => {
                let until = until.later(Moment::after(now, self.policy.shortest_pause));
                let error = AttemptError::TooManyLost;
                self.counts.failed = self.counts.failed.saturating_add(1);
                let other_login = Moment::after(now, Duration::ZERO);
                self.end_round(Pause { other_login, ..Pause::new(error.clone(), until) });
                Outcome::Failed { error, until, may_have_counted: false }
            }
        }
    }

    /// Tells the session that `response` came to exchange `id`.
    ///
    /// Call it once for each exchange that got a response, whatever it is; then poll every call that waits. What is told of an
    /// exchange that is not under way any more is ignored.
    pub fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        id: ExchangeId,
        now: Now,
        response: &Response<B>,
    ) -> Outcome {
        let Some(flight) = self.land(id) else { return Outcome::Ignored };
        // Whatever it knows that the request did not hold, so that no error shows it.
        let access_token = self.token.as_ref().map_or("", |held| held.token.expose());
        let refresh_token = self.refresh.as_ref().map_or("", |held| held.token.expose());
        let password =
            self.credentials.known().map_or("", |known| known.password().expose_secret());
        let tokens = match &flight.with {
            With::Credentials(credentials) => {
                SignIn::new(credentials).parse_beside(response, [access_token, refresh_token])
            }
            With::RefreshToken(token) => {
                Refresh::new(token).parse_beside(response, [access_token, password])
            }
            // Nothing was sent that could have been answered.
            With::CredentialsToCome => {
                return self.failed(now, AttemptError::Lost, Answer::default());
            }
        };
        match tokens {
            Ok(tokens) => self.renewed(&flight, now, tokens),
            Err(error) => self.refused_or_failed(flight, now, error),
        }
    }

    /// Tells the session that exchange `id` got no response.
    ///
    /// Call it once for each exchange that failed; then poll every call that waits. What is told of an exchange that is not
    /// under way any more is ignored.
    pub fn handle_failure(&mut self, id: ExchangeId, now: Now, failure: &Failure) -> Outcome {
        let Some(flight) = self.land(id) else { return Outcome::Ignored };
        let sign_in = match failure.may_have_been_sent() {
            true => self.count_lost(&flight, now),
            false => SignInSeen::No,
        };
        self.failed(now, AttemptError::Failure(failure.clone()), Answer::of(sign_in))
    }

    /// Tells the session that whoever was sending exchange `id` has gone away, and nothing more will be told of it.
    ///
    /// The next call that is polled takes over: at once after a refresh or where nothing had been sent, a pause later after a sign-in,
    /// which may have counted. Without this that happens two seconds after the exchange's deadline. Then poll every call that
    /// waits. What is told of an exchange that is not under way any more is ignored.
    pub fn abandon(&mut self, id: ExchangeId, now: Now) -> Outcome {
        match self.land(id) {
            Some(flight) => self.lost(&flight, now, AttemptError::Lost),
            None => Outcome::Ignored,
        }
    }

    /// The same where it is known why, such as a panic: callers find that as the source of their error. It must hold nothing
    /// secret.
    pub fn abandon_because(
        &mut self,
        id: ExchangeId,
        now: Now,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Outcome {
        let error = AttemptError::Failure(Failure::maybe_sent().with_source(cause));
        match self.land(id) {
            Some(flight) => self.lost(&flight, now, error),
            None => Outcome::Ignored,
        }
    }
}
