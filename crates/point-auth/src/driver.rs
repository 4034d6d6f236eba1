//! Drives a session, async or blocking: one [`SessionMachine`], its waiters and its exchange.
//!
//! Callers [wait](waiting) as futures, which a blocking caller runs on its own thread. An exchange
//! is a [job](job) that the runtime runs in the background. If many sessions share a
//! [login](crate::login), a sign-in waits there for its permit before it becomes a job.

#[cfg(feature = "store")]
mod fleet;
#[cfg(feature = "blocking")]
mod forked;
mod holds;
mod job;
mod member;
#[cfg(feature = "metrics")]
pub(crate) mod meter;
#[cfg(any(feature = "metrics", feature = "tracing"))]
mod names;
mod notify;
mod published;
pub(crate) mod refreshing;
mod state;
#[cfg(feature = "tracing")]
mod trace;
pub(crate) mod waiting;

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

use http::{Request, Response};
use point_auth_core::session::{
    Action, Call, Lease, Now, Policy, SessionError, SessionMachine, Snapshot, StoredTokens,
    StoredTokensError,
};
use point_auth_core::{AccessToken, Credentials, Operation, SecretBody};
use point_auth_transport::{Runtime, SendLimits, TransportError};

use crate::config::Config;
use crate::credential_source::Source;
use crate::login::{Login, Member};
use crate::runtime::Clock;
use crate::{Error, Observer};
use job::Job;
#[cfg(feature = "store")]
pub(crate) use job::by;
use notify::Notified;
use published::Published;
use state::{Locked, State};

pub(crate) type Sending<'a> =
    Pin<Box<dyn Future<Output = Result<Response<SecretBody>, TransportError>> + Send + 'a>>;

/// A transport of either kind.
pub(crate) trait DynTransport: Send + Sync {
    fn send(&self, request: Request<SecretBody>, limits: SendLimits) -> Sending<'_>;
}

/// What the sessions of one login have in common.
pub(crate) struct Common {
    pub(crate) transport: Arc<dyn DynTransport>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) clock: Clock,
    pub(crate) config: Config,
    pub(crate) credentials: FetchFrom,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
    /// Whether spans show the alias.
    #[cfg(feature = "tracing")]
    pub(crate) traces_aliases: bool,
    #[cfg(feature = "metrics")]
    pub(crate) meter: meter::Meter,
    /// Where the tokens are shared with other processes.
    #[cfg(feature = "store")]
    pub(crate) store: Option<Arc<crate::store::Link>>,
    /// The exchange timeout of the policy.
    pub(crate) exchange_timeout: Duration,
}

/// The source of the credentials of a sign-in.
pub(crate) enum FetchFrom {
    /// The session has them, or there are none.
    Session,
    Source(Arc<dyn Source>),
    /// A login, shared with the sessions of other aliases.
    Login(Arc<Login>),
}

impl Common {
    fn login(&self) -> Option<&Arc<Login>> {
        match &self.credentials {
            FetchFrom::Login(login) => Some(login),
            FetchFrom::Session | FetchFrom::Source(_) => None,
        }
    }
}

pub(crate) struct Driver {
    this: Weak<Self>,
    common: Arc<Common>,
    alias: Arc<str>,
    /// Its key among the members of a shared login.
    membership: Option<usize>,
    /// The token while there is no need to poll, for readers without a lock.
    published: Published,
    state: Mutex<State>,
    notified: Mutex<Notified>,
    #[cfg(feature = "metrics")]
    gauges: meter::Gauges,
    /// The number of `Session`s that users hold.
    handles: AtomicUsize,
    /// When the last of them was dropped, in seconds of the monotonic clock.
    last_held: AtomicU64,
}

/// The next step of a caller.
enum Step {
    Token(Lease),
    Failed(SessionError),
    Begin(Job),
    Wait(Duration),
}

impl Driver {
    pub(crate) fn new(common: Arc<Common>, alias: Arc<str>, session: SessionMachine) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            this: Weak::clone(this),
            membership: common.login().map(|login| {
                let member: Weak<dyn Member> = Weak::<Self>::clone(this);
                login.join(member)
            }),
            common,
            alias,
            published: Published::nothing(),
            notified: Mutex::new(Notified {
                version: session.stored_version(),
                is_notifying: false,
            }),
            #[cfg(feature = "metrics")]
            gauges: meter::Gauges::default(),
            state: Mutex::new(State::new(session.with_deferred_start())),
            handles: AtomicUsize::new(0),
            last_held: AtomicU64::new(0),
        })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.common.config
    }

    pub(crate) fn runtime(&self) -> &dyn Runtime {
        &*self.common.runtime
    }

    fn now(&self) -> Now {
        self.common.runtime.now()
    }

    fn lock(&self) -> Locked<'_> {
        // This crate never panics while it holds the lock, and a session is consistent after each
        // call.
        Locked::new(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the token while there is no need to poll the session.
    pub(crate) fn current(&self) -> Option<AccessToken> {
        self.published.read(self.runtime(), |lease| lease.token.clone())
    }

    /// Returns the current token with its expiry.
    pub(crate) fn current_lease(&self) -> Option<Lease> {
        self.published.read(self.runtime(), Lease::clone)
    }

    /// Polls the session for `call`. If that has to wait, `waker` is woken after the next change.
    fn step(&self, call: &mut Call, key: &mut Option<usize>, waker: &Waker) -> Step {
        let now = self.now();
        // Dropped after the lock: it may be the last handle of a task, and so of a caller.
        let _old_waker;
        let mut state = self.lock();
        let until = match state.session.poll(now, call) {
            Ok(Action::Ready(lease)) => {
                self.publish(&mut state, now);
                return Step::Token(lease);
            }
            Ok(Action::Send(exchange)) => return Step::Begin(Job::Send(exchange)),
            Ok(Action::GetCredentials(request)) => {
                // It counts as waiting from now on, because a permit without a waiter is returned.
                _old_waker = state.register(key, waker);
                return Step::Begin(Job::SignIn(request.id, None));
            }
            Ok(Action::WaitUntil(time)) => time,
            Err(error) => {
                drop(state);
                #[cfg(feature = "store")]
                self.look_while_stopped(&error);
                return Step::Failed(error);
            }
        };
        _old_waker = state.register(key, waker);
        // A running job does what is due at that time and wakes all waiters, unless it hangs.
        let is_running = state.running.is_some();
        let is_queued = state.is_queued;
        drop(state);
        let until = match call.deadline() {
            Some(deadline) if is_running => {
                // The exchange may not have started yet. Its start sets its deadline.
                let hangs = self.common.exchange_timeout.saturating_add(Policy::GRACE);
                let until = until.min(now.monotonic.saturating_add(hangs));
                until.saturating_add(job::GRACE).min(deadline)
            }
            _ => until,
        };
        // Not at once, in case another thread is answering requests now.
        let soon = now.monotonic.saturating_add(Duration::from_millis(10));
        Step::Wait(match self.common.login().filter(|_| is_queued) {
            // Without this, a permit that is never settled would block the queue.
            Some(login) => login.tick(now).map_or(until, |next| next.max(soon).min(until)),
            None => until,
        })
    }

    /// Publishes the token for readers, for as long as there is no need to poll.
    fn publish(&self, state: &mut State, now: Now) {
        let lease = state.session.lease(now);
        #[cfg(feature = "metrics")]
        state.see(lease.as_ref());
        self.published.set(lease, now, self.common.clock);
    }

    /// Changes the session from outside, and notifies all waiters.
    fn change<T>(&self, change: impl FnOnce(&mut SessionMachine, Now) -> T) -> T {
        self.change_if(|session, now| (change(session, now), true))
    }

    /// Changes the session from outside, and notifies all waiters if the closure reports a change.
    fn change_if<T>(&self, change: impl FnOnce(&mut SessionMachine, Now) -> (T, bool)) -> T {
        let now = self.now();
        let mut state = self.lock();
        let (result, has_changed) = change(&mut state.session, now);
        if !has_changed {
            return result;
        }
        self.publish(&mut state, now);
        let woken = state.take_wakers();
        drop(state);
        wake(woken);
        self.notify_of_state();
        result
    }

    pub(crate) fn invalidate(&self, rejected: &AccessToken) {
        // Of many reports for one token, only the first changes the session.
        let _is_current = self.change_if(|session, now| {
            let is_current = session.invalidate(rejected, now);
            (is_current, is_current)
        });
        #[cfg(feature = "tracing")]
        if _is_current {
            trace::token_rejected();
        }
        #[cfg(feature = "metrics")]
        if _is_current {
            self.common.meter.token_rejected();
        }
    }

    pub(crate) fn set_credentials(&self, credentials: Credentials) {
        match self.common.login() {
            // The change applies to the login, and so to all its sessions.
            Some(login) => login.set_credentials(credentials),
            None => self.change(|session, now| session.set_credentials(credentials, now)),
        }
    }

    pub(crate) fn reset(&self) {
        #[cfg(feature = "store")]
        if let Some(store) = &self.common.store {
            match self.common.login() {
                Some(_) => store.alias_reset(&self.alias),
                None => store.login_reset(),
            }
        }
        if let Some(login) = self.common.login() {
            login.reset_alias(&self.alias);
        }
        self.change(|session, now| session.reset(now));
        #[cfg(feature = "store")]
        if let Some(store) = &self.common.store {
            let username = self.lock().session.username().map(str::to_owned);
            store.pass_on_in_background(&self.common.runtime, username);
        }
    }

    pub(crate) fn restore(&self, stored: StoredTokens) -> Result<(), StoredTokensError> {
        self.change(|session, now| session.restore(stored, now))
    }

    pub(crate) fn stored_tokens(&self) -> Option<StoredTokens> {
        self.stored_tokens_at(self.now())
    }

    fn stored_tokens_at(&self, now: Now) -> Option<StoredTokens> {
        self.lock().session.stored_tokens(now)
    }

    pub(crate) fn user_alias(&self) -> Option<String> {
        self.current_alias()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let now = self.now();
        self.lock().session.snapshot(now)
    }

    /// Returns whether a job is running.
    pub(crate) fn is_busy(&self) -> bool {
        // Not with `lock`, which would drop the session's errors: callers hold other locks.
        self.state.lock().unwrap_or_else(PoisonError::into_inner).running.is_some()
    }

    /// Starts `job` now, or once it has its permit.
    fn begin(&self, job: Job) {
        match (job, self.common.login()) {
            (Job::SignIn(id, None), Some(login)) => {
                self.lock().is_queued = true;
                let member: Weak<dyn Member> = Weak::<Self>::clone(&self.this);
                login.request(member, id, &self.alias, self.now());
            }
            (job, _) => self.spawn(job),
        }
    }

    fn spawn(&self, job: Job) {
        // A driver that is being dropped has no callers.
        let Some(this) = self.this.upgrade() else { return };
        let mut state = self.lock();
        state.is_queued = false;
        state.jobs = state.jobs.wrapping_add(1);
        let number = state.jobs;
        state.running = Some(number);
        drop(state);
        self.common.runtime.spawn(Box::pin(job::run(this, number, job)));
    }

    /// Returns the number of waiters.
    fn waiters(&self) -> usize {
        self.lock().waiters.len()
    }

    fn deregister(&self, key: usize) {
        // Dropped after the lock, as in `step`.
        let _old_waker;
        let mut state = self.lock();
        _old_waker = state.waiters.try_remove(key);
    }

    /// Sends a user's request with this token.
    pub(crate) async fn send<O: Operation>(
        &self,
        operation: &O,
        token: &AccessToken,
    ) -> Result<Response<SecretBody>, Error> {
        let (mut request, limits) = self.common.config.prepare(operation)?;
        token.authorize(request.headers_mut());
        Ok(self.common.transport.send(request, limits).await?)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let (Some(login), Some(key)) = (self.common.login(), self.membership) {
            login.leave(key);
        }
    }
}

fn wake(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}
