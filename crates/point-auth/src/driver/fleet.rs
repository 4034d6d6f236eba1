//! What a driver does with a store that it shares with other processes: before an exchange, after
//! it, and while it sends nothing.

mod settling;

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use point_auth_core::Credentials;
use point_auth_core::session::{
    AttemptError, ExchangeId, ExchangeKind, Failure, Moment, Now, Outcome, Rejected, SessionError,
};
use point_auth_store::{Fence, Grant, Intent, NewerTokens, Owner, Refusal, Verdict};

use super::Driver;
use super::job::AtWork;
use crate::store::{Link, StoreEvent, StoreUnavailable, random_part};

/// How often the store is asked whether another process is done: at first, and at last.
const FIRST_LOOK: Duration = Duration::from_millis(200);
const LONGEST_LOOK: Duration = Duration::from_secs(2);
/// How often a session that sends nothing looks for a reset or for tokens.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Over how long sign-ins are spread while the store cannot be asked.
const SPREAD: Duration = Duration::from_secs(120);
/// The same of refreshes without which callers have no token. They wait for three times as long.
const SHORT_SPREAD: Duration = Duration::from_secs(5);

/// What a session knows of the store.
#[derive(Default)]
pub(super) struct Memory {
    /// The version of the tokens that it has from there, or has put there.
    version: Option<Fence>,
    /// The fence of a question that got no answer.
    asked: Option<Fence>,
    /// How often in a row another process was at it.
    in_use: u32,
    /// What has been put off already because the store could not be asked.
    put_off: Option<ExchangeKind>,
    /// When it may look again while it sends nothing, and how often it has.
    next_look: Duration,
    looks: u32,
}

/// What a job has of the store.
#[derive(Default)]
pub(super) struct AtStore {
    /// The permit of the exchange.
    pub(super) granted: Option<Granted>,
    /// Whether the request of the exchange that ended last may have been sent.
    pub(super) was_sent: bool,
    /// The callers to be woken once the store knows what came of the exchange.
    pub(super) to_wake: Vec<Waker>,
}

/// A permit of the store, and when the store was asked for it.
pub(super) struct Granted {
    grant: Grant,
    asked_at: Now,
    credentials: Option<Credentials>,
}

impl Granted {
    /// Whether the exchange may still start.
    pub(super) fn is_fresh(&self, now: Now) -> bool {
        !Moment::after(self.asked_at, Grant::START_WITHIN).has_come(now)
    }
}

impl AtWork {
    /// Consults the store, if there is one. Returns the outcome where nothing is to be sent.
    /// `credentials` are those of a sign-in.
    pub(super) async fn consult(
        &mut self,
        driver: &Driver,
        id: ExchangeId,
        credentials: Option<&Credentials>,
    ) -> Option<Outcome> {
        let link = Arc::clone(driver.common.store.as_ref()?);
        let (username, user_alias, version) = {
            let state = driver.lock();
            let username = credentials.map(Credentials::username).or(state.session.username());
            // Without a name there is nothing to look for: the sign-in will tell it.
            let username = username?.to_owned();
            let user_alias = match credentials {
                Some(credentials) => credentials.user_alias(),
                None => state.session.user_alias(),
            };
            (username, user_alias.map(str::to_owned), state.fleet.version)
        };
        let fence = driver.lock().fleet.asked.map_or_else(Fence::random, Ok).ok();
        driver.lock().fleet.asked = fence;
        let owner = Owner { username: &username, user_alias: user_alias.as_deref() };
        let intent = credentials.map_or(Intent::Refresh, Intent::SignIn);
        let asked_at = driver.now();
        let said = match link.consult(driver.runtime(), owner, intent, version, fence).await {
            Ok(said) => said,
            Err(error) => {
                driver.notify_store(&StoreEvent::Unavailable(error.clone()));
                return self.without_store(driver, &link, id, credentials, error);
            }
        };
        driver.lock().fleet.asked = None;
        if let Some(problem) = said.problem {
            driver.notify_store(&StoreEvent::Unreadable(problem));
        }
        if said.was_reset {
            driver.was_reset_elsewhere();
        }
        match said.what {
            Verdict::Granted(grant) => {
                let mut state = driver.lock();
                (state.fleet.in_use, state.fleet.put_off) = (0, None);
                drop(state);
                let credentials = credentials.cloned();
                self.store.granted = Some(Granted { grant, asked_at, credentials });
                None
            }
            Verdict::Newer(NewerTokens { tokens, version, .. }) => {
                let mut state = driver.lock();
                state.fleet = Memory { version: Some(version), ..Memory::default() };
                drop(state);
                Some(self.ended(|session, now| session.adopt(id, now, tokens)))
            }
            Verdict::InUse(left) | Verdict::Busy(left) => {
                let delay = driver.look_again_in(left);
                Some(self.ended(|session, now| {
                    session.postpone(id, now, delay);
                    Outcome::Ignored
                }))
            }
            Verdict::Rejected(refusal) => Some(self.ended(|session, now| {
                let until = |left| Moment::after(now, left);
                let rejected = match refusal {
                    Refusal::Denied(denial) => Rejected::Denied {
                        denial,
                        // A source may have others by then.
                        ask_again: session
                            .credentials()
                            .is_none()
                            .then(|| Moment::after(now, LONGEST_REST)),
                    },
                    Refusal::Held(left) => Rejected::Held { until: left.map(until) },
                    Refusal::TooManyUnknown(left) => {
                        Rejected::TooManyUnknown { until: until(left) }
                    }
                };
                session.reject(id, now, rejected)
            })),
            Verdict::Alone(reason) => {
                driver.notify_store(&StoreEvent::Alone(reason));
                let error = StoreUnavailable::unreadable(reason);
                self.without_store(driver, &link, id, credentials, error)
            }
        }
    }

    /// Looks for tokens in the store before the credentials of the first sign-in are fetched.
    pub(super) async fn find(&mut self, driver: &Driver, id: ExchangeId) -> Option<Outcome> {
        let link = Arc::clone(driver.common.store.as_ref()?);
        let (username, user_alias) = {
            let state = driver.lock();
            if state.fleet.version.is_some() {
                return None;
            }
            let username = state.session.username()?.to_owned();
            (username, state.session.user_alias().map(str::to_owned))
        };
        let owner = Owner { username: &username, user_alias: user_alias.as_deref() };
        // A store that cannot say is asked again once the credentials are there.
        let said = link.look(driver.runtime(), owner, None, None).await.ok()?;
        let NewerTokens { tokens, version, .. } = said.what.newer?;
        driver.lock().fleet.version = Some(version);
        Some(self.ended(|session, now| session.adopt(id, now, tokens)))
    }

    /// Goes on without the store: refreshes and proven passwords, each put off once so that not all
    /// processes go on together. Other passwords wait for the store.
    fn without_store(
        &mut self,
        driver: &Driver,
        link: &Link,
        id: ExchangeId,
        credentials: Option<&Credentials>,
        error: StoreUnavailable,
    ) -> Option<Outcome> {
        let kind = match credentials {
            None => ExchangeKind::Refresh,
            Some(credentials) if link.may_sign_in_without(credentials) => ExchangeKind::SignIn,
            Some(_) => {
                return Some(self.failed(id, &Failure::not_sent().with_source(error)));
            }
        };
        let now = driver.now();
        let mut state = driver.lock();
        if state.fleet.put_off == Some(kind) {
            return None;
        }
        let spread = match (kind, state.session.lease(now)) {
            (ExchangeKind::SignIn, None) => SPREAD,
            // What is left of the token, but for the last minute.
            (_, lease) => lease.map_or(Duration::ZERO, |lease| {
                let left = lease.expires_at.duration_since(now.wall).unwrap_or_default();
                left.saturating_sub(Duration::from_secs(60))
            }),
        };
        let spread = spread.max(SHORT_SPREAD);
        state.fleet.put_off = Some(kind);
        drop(state);
        let delay = random_part(spread);
        Some(self.ended(|session, now| {
            session.postpone(id, now, delay);
            Outcome::Ignored
        }))
    }
}

impl Driver {
    /// When to ask again while another process is at it.
    fn look_again_in(&self, left: Duration) -> Duration {
        let now = self.now();
        let mut state = self.lock();
        let has_token = state.session.lease(now).is_some();
        let doublings = state.fleet.in_use.min(10);
        state.fleet.in_use = state.fleet.in_use.saturating_add(1);
        drop(state);
        let delay = match has_token {
            // No caller waits.
            true => LONGEST_LOOK,
            false => FIRST_LOOK.saturating_mul(1 << doublings).min(LONGEST_LOOK),
        };
        let delay = delay.min(left.max(FIRST_LOOK));
        delay / 2 + random_part(delay / 2)
    }

    /// Looks into the store, now and then, for tokens and for a reset, when the session sends
    /// nothing because of `error`.
    pub(super) fn look_while_stopped(&self, error: &SessionError) {
        let denial = match error {
            SessionError::Denied(denial) => Some(denial.clone()),
            SessionError::Failed {
                error: AttemptError::Held | AttemptError::TooManyUnknown,
                ..
            }
            | SessionError::SignInNeeded => None,
            _ => return,
        };
        let (Some(link), Some(this)) = (&self.common.store, self.this.upgrade()) else { return };
        let link = Arc::clone(link);
        let now = self.now().monotonic;
        let mut state = self.lock();
        let Some(username) = state.session.username().map(str::to_owned) else { return };
        if now < state.fleet.next_look {
            return;
        }
        let doublings = state.fleet.looks.min(10);
        let rest = FIRST_REST.saturating_mul(1 << doublings).min(LONGEST_REST);
        state.fleet.looks = state.fleet.looks.saturating_add(1);
        state.fleet.next_look = now.saturating_add(rest);
        let user_alias = state.session.user_alias().map(str::to_owned);
        let credentials = state.session.credentials().cloned();
        let version = state.fleet.version;
        drop(state);
        self.common.runtime.spawn(Box::pin(async move {
            let owner = Owner { username: &username, user_alias: user_alias.as_deref() };
            let denied = credentials.as_ref().zip(denial.as_ref());
            let said = match link.look(this.runtime(), owner, denied, version).await {
                Ok(said) => said,
                Err(error) => return this.notify_store(&StoreEvent::Unavailable(error)),
            };
            if said.was_reset {
                this.was_reset_elsewhere();
            }
            if let Some(NewerTokens { tokens, version, .. }) = said.what.newer {
                this.lock().fleet = Memory { version: Some(version), ..Memory::default() };
                // Those of another user, or that are over, help nothing.
                let _is_refused = this.restore(tokens);
            }
        }));
    }

    /// An operator has reset the login in another process.
    fn was_reset_elsewhere(&self) {
        match self.common.login() {
            Some(login) => login.reset(),
            None => self.change(point_auth_core::session::SessionMachine::reset),
        }
        self.notify_store(&StoreEvent::Reset);
    }
}
