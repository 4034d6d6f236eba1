//! What keeps a session going, async or blocking: one core session, everybody who waits for it, and the exchange under way.
//!
//! Callers [wait](waiting) as futures, which a blocking caller runs on its own thread. An exchange is a [job](job): a task of its
//! own where the runtime has tasks, else [shared](together) by all who wait. The [gate](gate) stands before each sign-in whose
//! credentials are fetched or whose login many sessions share.

pub(crate) mod gate;
mod job;
pub(crate) mod keeping;
pub(crate) mod shared_login;
mod state;
mod telling;
mod together;
mod turns;
pub(crate) mod waiting;

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use arc_swap::ArcSwapOption;
use http::{Request, Response};
use point_auth_core::session::{
    Action, Call, Lease, Now, Session, SessionError, Snapshot, StoredTokens, StoredTokensError,
};
use point_auth_core::{AccessToken, Credentials, Operation, SecretBody};
use point_auth_transport::{Runtime, SendLimits, TransportError};

use crate::config::Config;
use crate::{Error, Observer};
use gate::Gate;
use job::Job;
use shared_login::Change;
use state::{Locked, Running, State};
use telling::Told;
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
    /// When somebody let go of one of them last, in seconds of the monotonic clock.
    last_held: AtomicU64,
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
            state: Mutex::new(State::new(session)),
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
        // Nothing of ours panics with it in hand, and a session is whole after each of its methods.
        Locked::new(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The token, as long as nobody needs to ask the session: no lock, no allocation.
    pub(crate) fn current(&self) -> Option<AccessToken> {
        let lease = self.lease.load();
        let lease = lease.as_ref()?;
        (!lease.look_again.has_come(self.now())).then(|| lease.token.clone())
    }

    /// Polls the session for `call`; where that has to wait, `waker` is woken when there is news. One who `stays` waits for a
    /// shared job although there is a token, and so does whoever finds it forsaken.
    fn step(
        &self,
        call: &mut Call,
        key: &mut Option<usize>,
        waker: &Waker,
        stays: &mut bool,
    ) -> Step {
        let now = self.now();
        // Dropped after the lock: the last hold on a task may be in it, and with that one who waits.
        let _old_waker;
        let mut state = self.lock();
        match state.session.poll(now, call) {
            Ok(Action::Ready(lease)) => {
                *stays |= state.is_forsaken();
                let waits = *stays && state.is_shared();
                match call.deadline().filter(|deadline| waits && now.monotonic < *deadline) {
                    Some(deadline) => {
                        _old_waker = state.register(key, waker);
                        self.publish(&state, now);
                        Step::Wait(deadline)
                    }
                    None => {
                        self.publish(&state, now);
                        Step::Token(lease.token)
                    }
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

    /// Puts the token where readers find it, for as long as they need not ask. One of them must, where nobody drives a shared job.
    fn publish(&self, state: &State, now: Now) {
        let lease = state.session.lease(now).filter(|lease| !lease.look_again.has_come(now));
        let lease = lease.filter(|_| !state.is_forsaken());
        match lease {
            Some(lease) => self.lease.store(Some(Arc::new(lease))),
            None if self.lease.load().is_some() => self.lease.store(None),
            None => {}
        }
    }

    /// Changes the session from outside, and lets everybody know.
    fn change<T>(&self, change: impl FnOnce(&mut Session, Now) -> T) -> T {
        self.change_if(|session, now| (change(session, now), true))
    }

    /// The same, where the change says whether it is one.
    fn change_if<T>(&self, change: impl FnOnce(&mut Session, Now) -> (T, bool)) -> T {
        let now = self.now();
        let mut state = self.lock();
        let (result, has_changed) = change(&mut state.session, now);
        if !has_changed {
            return result;
        }
        self.publish(&state, now);
        let woken = state.take_all_wakers();
        drop(state);
        wake(woken);
        self.tell_of_tokens();
        result
    }

    pub(crate) fn invalidate(&self, rejected: &AccessToken) {
        // Of a thousand who say so only the first changes anything.
        self.change_if(|session, now| ((), session.invalidate(rejected, now)));
    }

    pub(crate) fn set_credentials(&self, credentials: Credentials) {
        match &self.common.gate {
            // It is the login that changes, for all who share it.
            Gate::Login(login) => match login.aliases() {
                Some(aliases) => aliases.set_credentials(credentials),
                None => {
                    if let Change::Credentials(username) = login.set_credentials(credentials) {
                        self.expect_credentials(&username);
                    }
                }
            },
            Gate::Open | Gate::Source(_) => {
                self.change(|session, now| session.set_credentials(credentials, now));
            }
        }
    }

    /// The login that it shares has others.
    pub(crate) fn expect_credentials(&self, username: &str) {
        self.change(|session, now| session.expect_credentials(Some(username), now));
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
        self.last_held.store(self.now().monotonic.as_secs(), Ordering::Relaxed);
        if self.handles.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let mut state = self.lock();
        // A shared job holds on to this driver, and nobody is left to drive it.
        let running = state.running.take_if(|running| running.together.is_some());
        let woken = state.take_all_wakers();
        drop(state);
        end(running);
        wake(woken);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.handles() > 0
    }

    pub(crate) fn last_held(&self) -> u64 {
        self.last_held.load(Ordering::Relaxed)
    }

    /// Whether an exchange is under way that somebody sees to.
    pub(crate) fn is_busy(&self) -> bool {
        self.lock().running.is_some()
    }

    pub(crate) fn handles(&self) -> usize {
        self.handles.load(Ordering::Acquire)
    }

    /// Sees to it that `job` is carried out. Whether that goes on by itself.
    fn begin(self: &Arc<Self>, job: Job) -> bool {
        let mut state = self.lock();
        state.jobs = state.jobs.wrapping_add(1);
        let number = state.jobs;
        let old = state.running.replace(Running {
            number,
            together: None,
            ticket: None,
            is_forsaken: false,
        });
        drop(state);
        // One that was lost.
        end(old);
        let Err(job) = self.common.runtime.spawn(Box::pin(job::run(Arc::clone(self), number, job)))
        else {
            return true;
        };
        let together = Together::new(self, job);
        let mut state = self.lock();
        let is_open = self.is_open();
        let running = state.running.as_mut().filter(|running| is_open && running.number == number);
        let is_ours =
            running.map(|running| running.together = Some(Arc::clone(&together))).is_some();
        let woken = state.take_all_wakers();
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
        let ticket =
            state.running.as_mut().filter(|_| holds_up).and_then(|running| running.ticket.take());
        if state.waiters.is_empty() && state.is_shared() {
            // Nobody is left to drive it on, and readers must not pass it by.
            state.running.iter_mut().for_each(|running| running.is_forsaken = true);
            self.lease.store(None);
        }
        drop(state);
        end(forsaken);
        if let (Gate::Login(login), Some(ticket)) = (&self.common.gate, ticket) {
            login.withdraw(ticket);
        }
    }

    /// A job waits for its turn at a shared login by this ticket, or does so no more.
    fn queues(&self, job: u64, ticket: Option<u64>) {
        let mut state = self.lock();
        if let Some(running) = state.running.as_mut().filter(|running| running.number == job) {
            running.ticket = ticket;
        }
    }

    /// Wakes so many of those who wait.
    fn wake_some(&self, count: usize) {
        let woken = self.lock().take_wakers(count);
        wake(woken);
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
