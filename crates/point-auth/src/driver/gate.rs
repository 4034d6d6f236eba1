//! What stands before a sign-in: where the credentials come from, and whose turn it is where many sessions share a login.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use point_auth_core::Credentials;
use point_auth_core::session::{Failure, Login, NotNow, Now, Outcome};
use point_auth_transport::Runtime;

use crate::credential_source::{Source, SourceError};

/// Where a session's credentials come from.
pub(crate) enum Gate {
    /// The session has them, or nobody has.
    Open,
    /// A source of its own.
    Source(Arc<dyn Source>),
    /// A login that it shares with others.
    Login(Arc<SharedLogin>),
}

/// Why there is no sign-in now.
pub(super) enum Refused {
    NotNow(NotNow),
    Failed(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Credentials, and where they are shared the right to send them now.
pub(super) struct Admitted<'a> {
    credentials: Credentials,
    turn: Option<Turn<'a>>,
    runtime: &'a dyn Runtime,
    /// Whether they may be on their way, and nobody knows what came of it.
    is_open: bool,
}

impl Gate {
    pub(super) async fn admit<'a>(
        &'a self,
        alias: Option<&str>,
        runtime: &'a dyn Runtime,
    ) -> Result<Admitted<'a>, Refused> {
        let admitted = |credentials, turn| Admitted { credentials, turn, runtime, is_open: false };
        match self {
            Self::Open => Err(Failure::not_sent().into()),
            Self::Source(source) => Ok(admitted(fetch(&**source).await?, None)),
            Self::Login(login) => {
                let turn = login.turn().await;
                // Only now: those before it may have been denied.
                let credentials = fetch(&*login.source()).await?;
                let credentials = match alias {
                    Some(alias) => credentials
                        .with_user_alias(alias)
                        .map_err(|error| Failure::not_sent().with_source(error))?,
                    None => credentials,
                };
                login.check(&credentials, runtime.now()).map_err(Refused::NotNow)?;
                Ok(admitted(credentials, Some(turn)))
            }
        }
    }

    pub(super) fn reset(&self) {
        if let Self::Login(login) = self {
            login.reset();
        }
    }
}

async fn fetch(source: &dyn Source) -> Result<Credentials, Refused> {
    source.fetch().await.map_err(|error: SourceError| Failure::not_sent().with_source(error).into())
}

impl Admitted<'_> {
    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The sign-in begins now.
    pub(super) fn begins(&mut self) {
        self.is_open = true;
    }

    /// What came of the sign-in, so that the others know before the next has its turn.
    pub(super) fn ended(mut self, outcome: &Outcome) {
        self.is_open = false;
        if let Some(turn) = &self.turn {
            let now = self.runtime.now();
            let mut state = turn.login.lock();
            state.login.handle(&self.credentials, outcome, now);
            // Until a password is known to be right, one at a time: a wrong one is sent once.
            state.width = match state.login.is_proven() {
                true => turn.login.most_at_once,
                false => 1,
            };
        }
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if self.is_open
            && let Some(turn) = &self.turn
        {
            turn.login.lock().login.lost(&self.credentials, self.runtime.now());
        }
    }
}

/// One login that many sessions share: its latch is theirs, and they sign in by turns.
pub(crate) struct SharedLogin {
    state: Mutex<Turns>,
    most_at_once: usize,
}

struct Turns {
    login: Login,
    source: Arc<dyn Source>,
    /// How many may sign in at once now.
    width: usize,
    at_once: usize,
    /// Those who wait, in the order of their coming.
    queue: VecDeque<(u64, Option<Waker>)>,
    /// Those whose turn has come and who have not been polled since.
    called: Vec<u64>,
    tickets: u64,
}

impl SharedLogin {
    pub(crate) fn new(login: Login, source: Arc<dyn Source>, most_at_once: usize) -> Arc<Self> {
        let turns = Turns {
            login,
            source,
            width: 1,
            at_once: 0,
            queue: VecDeque::new(),
            called: Vec::new(),
            tickets: 0,
        };
        Arc::new(Self { state: Mutex::new(turns), most_at_once: most_at_once.max(1) })
    }

    /// Forgets denials and lost sign-ins.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        state.login.reset();
        state.width = 1;
    }

    /// Other credentials from now on.
    pub(crate) fn set_source(&self, source: Arc<dyn Source>) {
        let mut state = self.lock();
        let old = std::mem::replace(&mut state.source, source);
        state.width = 1;
        drop(state);
        drop(old);
    }

    fn source(&self) -> Arc<dyn Source> {
        Arc::clone(&self.lock().source)
    }

    fn check(&self, credentials: &Credentials, now: Now) -> Result<(), NotNow> {
        self.lock().login.check(credentials, now)
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> Waits<'_> {
        Waits { login: self, ticket: None }
    }
}

impl Turns {
    /// Calls as many as may come. Whoever wakes them does so without the lock.
    fn call(&mut self) -> Vec<Waker> {
        let mut woken = Vec::new();
        while self.at_once < self.width
            && let Some((ticket, waker)) = self.queue.pop_front()
        {
            self.at_once += 1;
            self.called.push(ticket);
            woken.extend(waker);
        }
        woken
    }

    /// The one who waits with this ticket. They wait in the order of their tickets.
    fn in_queue(&mut self, ticket: u64) -> Option<&mut (u64, Option<Waker>)> {
        let place = self.queue.binary_search_by_key(&ticket, |(waiting, _)| *waiting).ok()?;
        self.queue.get_mut(place)
    }

    /// A turn is over.
    fn leave(&mut self) -> Vec<Waker> {
        self.at_once = self.at_once.saturating_sub(1);
        self.call()
    }
}

/// Waits for its turn, first come first served.
struct Waits<'a> {
    login: &'a SharedLogin,
    ticket: Option<u64>,
}

impl<'a> Future for Waits<'a> {
    type Output = Turn<'a>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Turn<'a>> {
        let login = self.login;
        // Dropped after the lock: the last hold on a task may be in it, and with that one who waits.
        let mut _old_waker = None;
        let mut state = login.lock();
        if self.ticket.is_none() {
            state.tickets = state.tickets.wrapping_add(1);
            let ticket = state.tickets;
            self.ticket = Some(ticket);
            state.queue.push_back((ticket, None));
            // Nobody's waker is in it that would have to be woken: whoever can come has been called before.
            let _woken = state.call();
        }
        let ticket = self.ticket;
        if let Some(place) = state.called.iter().position(|called| Some(*called) == ticket) {
            state.called.swap_remove(place);
            self.ticket = None;
            return Poll::Ready(Turn { login });
        }
        if let Some((_, waker)) = ticket.and_then(|ticket| state.in_queue(ticket)) {
            _old_waker = waker.replace(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut woken = Vec::new();
        let mut state = self.login.lock();
        let place = state.queue.binary_search_by_key(&ticket, |(waiting, _)| *waiting).ok();
        let _old_waker = place.and_then(|place| state.queue.remove(place));
        if let Some(place) = state.called.iter().position(|called| *called == ticket) {
            state.called.swap_remove(place);
            woken = state.leave();
        }
        drop(state);
        super::wake(woken);
    }
}

/// The right to sign in now. The next is called when it drops.
struct Turn<'a> {
    login: &'a SharedLogin,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let woken = self.login.lock().leave();
        super::wake(woken);
    }
}
