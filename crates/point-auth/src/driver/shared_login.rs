//! [`SharedLogin`]: one login that many sessions share. What is known of it is known to all, and they sign in by turns.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

use point_auth_core::secrecy::ExposeSecret;
use point_auth_core::session::{Login, Now, Policy};
use point_auth_core::{Credentials, Denial};

use super::turns::Waits;
use super::{Driver, wake};
use crate::aliases::Aliases;
use crate::credential_source::Source;

/// How long one who is called has to come.
const CALLED: Duration = Duration::from_secs(2);

/// How long a source is not asked after a denial, at first and at most; it doubles in between.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

pub(crate) struct SharedLogin {
    state: Mutex<State>,
    pub(super) most_at_once: usize,
    pub(super) exchange_timeout: Duration,
    /// All the sessions of it, which are told of new credentials whoever brings them.
    aliases: OnceLock<Weak<Aliases>>,
}

pub(super) struct State {
    pub(super) login: Login,
    pub(super) source: Option<Arc<dyn Source>>,
    /// What the source is, where it is simply credentials.
    pub(super) value: Option<Credentials>,
    /// Changes with the source.
    pub(super) generation: u64,
    /// Until when, on the monotonic clock, the source is not asked, and why.
    pub(super) ask_again: Option<(Duration, Denial)>,
    pub(super) denials: u32,
    /// How many may have a turn at once now.
    pub(super) width: usize,
    pub(super) holders: Vec<Holder>,
    /// Those who wait, in the order of their coming.
    pub(super) queue: VecDeque<(u64, Option<Waker>)>,
    /// Those of them whom nobody needs any more.
    pub(super) withdrawn: Vec<u64>,
    pub(super) tickets: u64,
}

/// One whose turn it is.
pub(super) struct Holder {
    pub(super) ticket: u64,
    /// When it is given up, on the monotonic clock.
    pub(super) overdue: Duration,
    /// What it has sent, and what nobody knows of yet.
    pub(super) sending: Option<Credentials>,
    /// Whether it tries credentials for the first time: one at a time, so that wrong ones are sent once.
    pub(super) tries: bool,
}

/// What new credentials change.
pub(crate) enum Change {
    Nothing,
    /// And whose they are.
    Credentials(String),
}

impl SharedLogin {
    pub(crate) fn new(
        policy: &Policy,
        source: Option<Arc<dyn Source>>,
        value: Option<Credentials>,
        most_at_once: usize,
    ) -> Arc<Self> {
        let state = State {
            login: Login::new(policy),
            source,
            value,
            generation: 0,
            ask_again: None,
            denials: 0,
            width: 1,
            holders: Vec::new(),
            queue: VecDeque::new(),
            withdrawn: Vec::new(),
            tickets: 0,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            most_at_once: most_at_once.max(1),
            exchange_timeout: policy.exchange_timeout(),
            aliases: OnceLock::new(),
        })
    }

    pub(crate) fn belongs_to(&self, aliases: Weak<Aliases>) {
        let _ = self.aliases.set(aliases);
    }

    pub(super) fn aliases(&self) -> Option<Arc<Aliases>> {
        self.aliases.get()?.upgrade()
    }

    /// Forgets denials and lost sign-ins.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        state.login.reset();
        state.ask_again = None;
        state.denials = 0;
        state.width = 1;
    }

    /// Other credentials from now on. The same again change nothing.
    pub(crate) fn set_credentials(&self, credentials: Credentials) -> Change {
        let username = credentials.username().to_owned();
        let source: Arc<dyn Source> = Arc::new(credentials.clone());
        let mut state = self.lock();
        if state.value.as_ref().is_some_and(|old| is_same(old, &credentials)) {
            return Change::Nothing;
        }
        let old = state.source.replace(source);
        state.value = Some(credentials);
        state.generation = state.generation.wrapping_add(1);
        state.ask_again = None;
        state.denials = 0;
        state.width = 1;
        drop(state);
        // It is somebody else's code.
        drop(old);
        Change::Credentials(username)
    }

    pub(crate) fn generation(&self) -> u64 {
        self.lock().generation
    }

    pub(crate) fn has_source(&self) -> bool {
        self.lock().source.is_some()
    }

    /// Where it is known before the first sign-in.
    pub(crate) fn username(&self) -> Option<String> {
        self.lock().value.as_ref().map(|value| value.username().to_owned())
    }

    pub(super) fn source(&self) -> Option<Arc<dyn Source>> {
        self.lock().source.clone()
    }

    /// The denial after which the source is not asked yet.
    pub(super) fn denied_of_late(&self, now: Now) -> Option<Denial> {
        let state = self.lock();
        state
            .ask_again
            .as_ref()
            .filter(|(until, _)| now.monotonic < *until)
            .map(|(_, denial)| denial.clone())
    }

    /// Waits for its turn, first come first served. One who comes back goes first.
    pub(super) fn turn<'a>(&'a self, driver: &'a Driver, job: u64, comes_back: bool) -> Waits<'a> {
        Waits::new(self, driver, job, comes_back)
    }

    /// Nobody needs that turn any more.
    pub(super) fn withdraw(&self, ticket: u64) {
        let mut state = self.lock();
        let place = state.queue.binary_search_by_key(&ticket, |(waiting, _)| *waiting).ok();
        let place =
            place.or_else(|| state.queue.iter().position(|(waiting, _)| *waiting == ticket));
        let Some((_, waker)) = place.and_then(|place| state.queue.remove(place)) else { return };
        state.withdrawn.push(ticket);
        drop(state);
        wake(waker.into_iter().collect());
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gives up those who are overdue and calls as many as may come. Whoever wakes them does so without the lock.
    pub(super) fn call(&mut self, now: Now) -> Vec<Waker> {
        while let Some(place) =
            self.holders.iter().position(|holder| holder.overdue <= now.monotonic)
        {
            let holder = self.holders.swap_remove(place);
            if let Some(credentials) = holder.sending {
                self.login.lost(&credentials, now);
                self.width = 1;
            }
        }
        let mut woken = Vec::new();
        while self.holders.len() < self.width
            && let Some((ticket, waker)) = self.queue.pop_front()
        {
            let overdue = now.monotonic.saturating_add(CALLED);
            self.holders.push(Holder { ticket, overdue, sending: None, tries: false });
            woken.extend(waker);
        }
        woken
    }

    pub(super) fn holder(&mut self, ticket: u64) -> Option<&mut Holder> {
        self.holders.iter_mut().find(|holder| holder.ticket == ticket)
    }

    pub(super) fn denied(&mut self, denial: Denial, now: Now) {
        // Credentials that are simply there are compared without asking anybody.
        if self.value.is_none() {
            let pause = ASK_AGAIN.0.saturating_mul(1 << self.denials.min(6)).min(ASK_AGAIN.1);
            self.ask_again = Some((now.monotonic.saturating_add(pause), denial));
            self.denials = self.denials.saturating_add(1);
        }
    }
}

/// Whether both say the same in all but the alias, letter by letter.
fn is_same(one: &Credentials, other: &Credentials) -> bool {
    one.username() == other.username()
        && one.password().expose_secret() == other.password().expose_secret()
}
