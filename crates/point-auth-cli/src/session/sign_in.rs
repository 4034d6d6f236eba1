//! A sign-in with given credentials, although there may be good tokens: whether a password works.
//!
//! The session and the store of the library decide whether it is sent, as they do for a session
//! that runs by itself.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant, SystemTime};

use point_auth::http::Response;
use point_auth::session::{
    Action, Call, Exchange, Failure as Unanswered, Moment, Now, Outcome, Policy, Rejected,
    SessionMachine, SignInResult,
};
use point_auth::token_store::{Grant, Intent, Known, Refusal, Settled, Settlement, Verdict};
use point_auth::transport::{BlockingTransport, SendLimits, TransportError};
use point_auth::{Credentials, SecretBody, UserAgent};

use super::kept::{KeptTokens, block};
use super::lazy::LazyTransport;
use crate::failure::{Exit, Failure, Result};
use crate::profile::Profile;

/// Signs in once, and keeps the tokens in the store. Returns for how long the access token is good.
///
/// Tokens that are there stay if it fails.
pub(crate) fn sign_in(profile: &Profile, credentials: &Credentials) -> Result<Duration> {
    let kept = KeptTokens::open(profile)?;
    let policy = Policy::builder().with_attempts(1).build();
    let policy = policy.map_err(|error| Failure::other("usage", &error))?;
    let clock = Clock::new();
    let session = SessionMachine::new(
        profile.base_url.clone(),
        credentials.clone(),
        policy,
        RandomState::new().hash_one(()),
    );
    let mut signing = SigningIn { session: session.with_deferred_start(), clock, kept: &kept };
    let grant = signing.ask(credentials)?;
    let mut call = Call::new();
    let action = signing.session.poll(signing.clock.now(), &mut call);
    let exchange = match action {
        Ok(Action::Send(exchange)) => *exchange,
        Ok(_) => return Err(Failure::new(Exit::Other, "session", "there is nothing to send")),
        Err(error) => return Err(signing.failed(error)),
    };
    let transport = LazyTransport::new(profile.network.clone());
    signing.send(exchange, grant, |request, left| {
        let mut limits = SendLimits::new().with_total_timeout(left);
        if let Some(timeout) = profile.network.connect_timeout {
            limits = limits.with_connect_timeout(timeout);
        }
        transport.send(request, &limits)
    })?;
    match signing.session.poll(signing.clock.now(), &mut call) {
        Ok(Action::Ready(lease)) => {
            Ok(lease.expires_at.duration_since(SystemTime::now()).unwrap_or_default())
        }
        Ok(_) => Err(Failure::new(Exit::Temporary, "timeout", "there is no access token yet")),
        Err(error) => Err(signing.failed(error)),
    }
}

struct SigningIn<'a> {
    session: SessionMachine,
    clock: Clock,
    kept: &'a KeptTokens<'a>,
}

impl SigningIn<'_> {
    /// Asks the store for the permit to send the password.
    fn ask(&mut self, credentials: &Credentials) -> Result<Grant> {
        let (shared, owner) = (&self.kept.shared, self.kept.owner());
        let mut known = Known::default();
        loop {
            let intent = Intent::SignIn(credentials);
            let now = self.clock.now();
            let consultation = block(shared.consult(owner, intent, known, now.wall))?;
            return Err(match consultation.verdict {
                Verdict::Granted(grant) => return Ok(grant),
                // There are tokens, which say nothing of this password.
                Verdict::Newer(newer) => {
                    known.version = Some(newer.version);
                    continue;
                }
                Verdict::InUse(left) | Verdict::Busy(left) => {
                    let message = "another process signs in right now";
                    Failure::new(Exit::Temporary, "busy", message).with_retry_after(Some(left))
                }
                Verdict::Rejected(refusal) => self.rejected(refusal, now),
                Verdict::Alone(reason) => Failure::other("store", &reason),
            });
        }
    }

    /// What the session says after the store has refused to let it sign in.
    fn rejected(&mut self, refusal: Refusal, now: Now) -> Failure {
        let at = |left| Moment::after(now, left);
        let rejected = match refusal {
            Refusal::Denied(denial) => Rejected::Denied { denial, ask_again: None },
            Refusal::Held(left) => Rejected::Held { until: left.map(at) },
            Refusal::TooManyUnknown(left) => Rejected::TooManyUnknown { until: at(left) },
        };
        let mut call = Call::new();
        if let Ok(Action::Send(exchange)) = self.session.poll(now, &mut call) {
            let _outcome = self.session.reject(exchange.id, now, rejected);
        }
        match self.session.poll(now, &mut call) {
            Err(error) => self.failed(error),
            Ok(_) => Failure::new(Exit::Denied, "denied", "the store refuses the sign-in"),
        }
    }

    /// Sends the exchange, and tells the store what came of it.
    fn send(
        &mut self,
        exchange: Exchange,
        grant: Grant,
        send: impl FnOnce(
            point_auth::http::Request<SecretBody>,
            Duration,
        ) -> Result<Response<SecretBody>, TransportError>,
    ) -> Result<()> {
        let id = exchange.id;
        let (outcome, was_sent) = match self.session.start(id, self.clock.now()) {
            Err(outcome) => (*outcome, false),
            Ok(deadline) => {
                let mut request = exchange.request;
                UserAgent::new().set_on(request.headers_mut());
                let left = deadline.saturating_sub(self.clock.now().monotonic);
                match send(request, left) {
                    Ok(response) => {
                        (self.session.handle_response(id, self.clock.now(), &response), true)
                    }
                    Err(error) => {
                        let was_sent = error.may_have_been_sent();
                        let failure = match was_sent {
                            true => Unanswered::maybe_sent(),
                            false => Unanswered::not_sent(),
                        };
                        let failure = failure.with_source(error);
                        (self.session.handle_failure(id, self.clock.now(), &failure), was_sent)
                    }
                }
            }
        };
        let is_renewed = matches!(outcome, Outcome::Renewed { .. });
        let now = self.clock.now();
        let tokens = is_renewed.then(|| self.session.stored_tokens(now)).flatten();
        let sign_in = match was_sent {
            true => SignInResult::of(&outcome),
            false => SignInResult::Inconclusive,
        };
        let settlement = Settlement { tokens: tokens.as_ref(), sign_in, wall: now.wall };
        match block(self.kept.shared.settle(grant, settlement))? {
            Settled::Late if is_renewed => {
                let message = "the sign-in took too long, and its tokens were not kept";
                Err(Failure::new(Exit::Temporary, "store", message))
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, error: point_auth::session::SessionError) -> Failure {
        point_auth::Error::from_session(error, self.clock.now()).into()
    }
}

/// The time of a session.
struct Clock(Instant);

impl Clock {
    fn new() -> Self {
        Self(Instant::now())
    }

    fn now(&self) -> Now {
        // Not from zero, since some looks go a little back.
        const BEFORE: Duration = Duration::from_secs(60 * 60);
        Now::new(BEFORE.saturating_add(self.0.elapsed()), SystemTime::now())
    }
}
