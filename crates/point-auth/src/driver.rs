//! What keeps a session going, async or blocking: one core session, everybody who waits for it, and the exchange under way.
//!
//! Callers [wait](waiting) as futures, which a blocking caller runs on its own thread. An exchange is a [job](job): a task of its
//! own where the runtime has tasks, else [shared](together) by all who wait. The [gate](gate) stands before each sign-in whose
//! credentials are fetched or whose login many sessions share.

pub(crate) mod gate;
mod job;
pub(crate) mod keeping;
mod together;
pub(crate) mod waiting;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use arc_swap::ArcSwapOption;
use http::{Request, Response};
use point_auth_core::session::{
    Action, Call, Lease, Now, Outcome, Session, SessionError, Snapshot, StoredTokens, StoredTokensError,
};
use point_auth_core::{AccessToken, Credentials, Operation, SecretBody};
use point_auth_transport::{Runtime, SendLimits, TransportError};
use slab::Slab;

use crate::config::Config;
use crate::{Error, Observer};
use gate::Gate;
use job::Job;
use together::Together;

pub(crate) type Sending<'a> =
    Pin<Box<dyn Future<Output = Result<Response<SecretBody>, TransportError>> + Send + 'a>>;

/// A transport of either kind.
pub(crate) trait Carrier: Send + Sync {
    fn send(&self, request: Request<SecretBody>, limits: SendLimits) -> Sending<'_>;
}

/// What sessions of one login have in common.
pub(crate) struct Common {
    pub(crate) carrier: Arc<dyn Carrier>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) config: Config,
    pub(crate) gate: Gate,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

pub(crate) struct Driver {
    common: Arc<Common>,
    alias: Option<Arc<str>>,
    /// The token while nobody needs to ask, for readers who take no lock.
    lease: ArcSwapOption<Lease>,
    state: Mutex<State>,
    told: Mutex<Told>,
    /// The `Session`s that people hold.
    handles: AtomicUsize,
}

struct State {
    session: Session,
    waiters: Slab<Option<Waker>>,
    running: Option<Running>,
    jobs: u64,
}

/// What the observer was told of the tokens.
struct Told {
    version: u64,
    /// Somebody is at it, and looks again when it is done: it may be the observer itself that has changed them.
    is_telling: bool,
}

/// The job that sees to the exchange under way and to those that follow it.
struct Running {
    number: u64,
    /// The job itself, where it is no task of its own.
    together: Option<Arc<Together>>,
}

/// What a caller is to do next.
enum Step {
    Token(AccessToken),
    Failed(SessionError),
    Begin(Job),
    Wait(std::time::Duration),
}

impl Driver {
    pub(crate) fn new(common: Arc<Common>, alias: Option<Arc<str>>, session: Session) -> Arc<Self> {
        Arc::new(Self {
            common,
            alias,
            lease: ArcSwapOption::const_empty(),
            told: Mutex::new(Told { version: session.stored_version(), is_telling: false }),
            state: Mutex::new(State { session, waiters: Slab::new(), running: None, jobs: 0 }),
            handles: AtomicUsize::new(0),
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

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing of ours panics with it in hand, and a session is whole after each of its methods.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token, as long as nobody needs to ask the session: no lock, no allocation.
    pub(crate) fn current(&self) -> Option<AccessToken> {
        let lease = self.lease.load();
        let lease = lease.as_ref()?;
        (!lease.look_again.has_come(self.now())).then(|| lease.token.clone())
    }

    /// Polls the session for `call`; where that has to wait, `waker` is woken when there is news. One who `stays` waits for a
    /// shared job although there is a token.
    fn step(&self, call: &mut Call, key: &mut Option<usize>, waker: &Waker, stays: bool) -> Step {
        let now = self.now();
        // Dropped after the lock: the last hold on a task may be in it, and with that one who waits.
        let _old_waker;
        let mut state = self.lock();
        match state.session.poll(now, call) {
            Ok(Action::Ready(lease)) => {
                self.publish(&state, now);
                let is_shared = state.running.as_ref().is_some_and(|running| running.together.is_some());
                match call.deadline().filter(|deadline| stays && is_shared && now.monotonic < *deadline) {
                    Some(deadline) => {
                        _old_waker = state.register(key, waker);
                        Step::Wait(deadline)
                    }
                    None => Step::Token(lease.token),
                }
            }
            Ok(Action::Send(exchange)) => Step::Begin(Job::Send(exchange)),
            Ok(Action::GetCredentials(wanted)) => Step::Begin(Job::GetCredentials(wanted)),
            Ok(Action::WaitUntil(time)) => {
                _old_waker = state.register(key, waker);
                // A job in hand does what there is to do at that time and tells everybody, unless it hangs.
                let until = match (&state.running, call.deadline()) {
                    (Some(_), Some(deadline)) => time.saturating_add(job::GRACE).min(deadline),
                    _ => time,
                };
                Step::Wait(until)
            }
            Err(error) => Step::Failed(error),
        }
    }

    /// Puts the token where readers find it, for as long as they need not ask.
    fn publish(&self, state: &State, now: Now) {
        let lease = state.session.lease(now).filter(|lease| !lease.look_again.has_come(now));
        match lease {
            Some(lease) => self.lease.store(Some(Arc::new(lease))),
            None if self.lease.load().is_some() => self.lease.store(None),
            None => {}
        }
    }

    /// Changes the session from outside, and lets everybody know.
    fn change<T>(&self, change: impl FnOnce(&mut Session, Now) -> T) -> T {
        let now = self.now();
        let mut state = self.lock();
        let result = change(&mut state.session, now);
        self.publish(&state, now);
        let woken = state.take_wakers(usize::MAX);
        drop(state);
        wake(woken);
        self.tell_of_tokens();
        result
    }

    pub(crate) fn invalidate(&self, rejected: &AccessToken) {
        // Of a thousand who say so only the first changes anything.
        let is_held = self.lock().session.lease(self.now()).is_none_or(|lease| lease.token == *rejected);
        if is_held {
            self.change(|session, now| session.invalidate(rejected, now));
        }
    }

    pub(crate) fn set_credentials(&self, credentials: Credentials) {
        match &self.common.gate {
            Gate::Login(login) => {
                login.set_source(Arc::new(credentials));
                self.change(|session, _| session.reset());
            }
            Gate::Open | Gate::Source(_) => {
                self.change(|session, now| session.set_credentials(credentials, now));
            }
        }
    }

    /// For what all sessions of a login are told: the login itself has been told already.
    pub(crate) fn reset_alone(&self) {
        self.change(|session, _| session.reset());
    }

    pub(crate) fn reset(&self) {
        self.common.gate.reset();
        self.change(|session, _| session.reset());
    }

    pub(crate) fn restore(&self, stored: StoredTokens) -> Result<(), StoredTokensError> {
        self.change(|session, now| session.restore(stored, now))
    }

    pub(crate) fn stored_tokens(&self) -> Option<StoredTokens> {
        self.lock().session.stored_tokens()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let now = self.now();
        self.lock().session.snapshot(now)
    }

    /// Somebody holds it.
    pub(crate) fn opened(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// Somebody has let go of it. Whoever keeps it fresh ends with the last one.
    pub(crate) fn closed(&self) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let mut state = self.lock();
        // A shared job holds on to this driver, and nobody is left to drive it.
        let running = state.running.take_if(|running| running.together.is_some());
        let woken = state.take_wakers(usize::MAX);
        drop(state);
        end(running);
        wake(woken);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.handles() > 0
    }

    pub(crate) fn handles(&self) -> usize {
        self.handles.load(Ordering::Acquire)
    }

    /// Sees to it that `job` is carried out. Whether that goes on by itself.
    fn begin(self: &Arc<Self>, job: Job) -> bool {
        let mut state = self.lock();
        state.jobs = state.jobs.wrapping_add(1);
        let number = state.jobs;
        let old = state.running.replace(Running { number, together: None });
        drop(state);
        // One that was lost.
        end(old);
        let Err(job) = self.common.runtime.spawn(Box::pin(job::run(Arc::clone(self), number, job))) else {
            return true;
        };
        let together = Together::new(self, job);
        let mut state = self.lock();
        let is_open = self.is_open();
        let running = state.running.as_mut().filter(|running| is_open && running.number == number);
        let is_ours = running.map(|running| running.together = Some(Arc::clone(&together))).is_some();
        let woken = state.take_wakers(usize::MAX);
        drop(state);
        if !is_ours {
            together.end();
        }
        // Whoever has begun to wait since then thinks that it goes on by itself.
        wake(woken);
        !is_ours
    }

    /// Drives a shared job on, if there is one. Whether it has ended by that.
    fn drive(&self) -> bool {
        let together = self.lock().running.as_ref().and_then(|running| running.together.clone());
        together.is_some_and(|together| together.drive())
    }

    /// How many wait.
    fn waiters(&self) -> usize {
        self.lock().waiters.len()
    }

    fn deregister(&self, key: usize) {
        // Dropped after the lock, as in `step`.
        let _old_waker;
        let mut state = self.lock();
        _old_waker = state.waiters.try_remove(key);
        // Others may be waiting for its turn, and nobody is left to drive it.
        let holds_up = matches!(self.common.gate, Gate::Login(_)) && state.waiters.is_empty();
        let forsaken = state.running.take_if(|running| holds_up && running.together.is_some());
        drop(state);
        end(forsaken);
    }

    /// Wakes so many of those who wait.
    fn wake_some(&self, count: usize) {
        let woken = self.lock().take_wakers(count);
        wake(woken);
    }

    fn tell(&self, outcome: &Outcome) {
        if let Some(observer) = &self.common.observer {
            let alias = self.alias.as_deref();
            let _panicked = catch_unwind(AssertUnwindSafe(|| observer.exchange_ended(alias, outcome)));
        }
        self.tell_of_tokens();
    }

    fn tell_of_tokens(&self) {
        let Some(observer) = &self.common.observer else { return };
        let lock_told = || self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = lock_told();
        if told.is_telling {
            return;
        }
        told.is_telling = true;
        while let Some((version, tokens)) = self.tokens_since(told.version) {
            told.version = version;
            drop(told);
            let alias = self.alias.as_deref();
            let _panicked =
                catch_unwind(AssertUnwindSafe(|| observer.tokens_changed(alias, tokens.as_ref())));
            told = lock_told();
        }
        told.is_telling = false;
    }

    /// What is to be stored, if that is not the same as at that version.
    fn tokens_since(&self, told: u64) -> Option<(u64, Option<StoredTokens>)> {
        let state = self.lock();
        let version = state.session.stored_version();
        (version != told).then(|| (version, state.session.stored_tokens()))
    }
}

impl State {
    /// Answers the waker that was there, to be dropped after the lock.
    fn register(&mut self, key: &mut Option<usize>, waker: &Waker) -> Option<Waker> {
        match key.and_then(|key| self.waiters.get_mut(key)) {
            Some(Some(old)) if old.will_wake(waker) => None,
            Some(place) => place.replace(waker.clone()),
            None => {
                *key = Some(self.waiters.insert(Some(waker.clone())));
                None
            }
        }
    }

    /// The wakers of so many who have not been woken since they last looked.
    fn take_wakers(&mut self, count: usize) -> Vec<Waker> {
        self.waiters.iter_mut().filter_map(|(_, waker)| waker.take()).take(count).collect()
    }
}

fn wake(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

/// Ends a job that nobody waits for any more, if it was shared. Without the lock, since it tells the session.
fn end(running: Option<Running>) {
    if let Some(together) = running.and_then(|running| running.together) {
        together.end();
    }
}

impl Driver {
    /// Sends a request of the user's with this token.
    pub(crate) async fn send<O: Operation>(
        &self,
        operation: &O,
        token: &AccessToken,
    ) -> Result<Response<SecretBody>, Error> {
        let (mut request, limits) = self.common.config.prepare(operation)?;
        token.authorize(request.headers_mut());
        Ok(self.common.carrier.send(request, limits).await?)
    }
}
