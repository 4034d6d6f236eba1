//! The state behind a driver's lock: the session, its waiters, and the running job.

use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;
use std::task::Waker;

use point_auth_core::session::{AttemptError, SessionMachine};
use slab::Slab;

pub(super) struct State {
    pub(super) session: SessionMachine,
    pub(super) waiters: Slab<Option<Waker>>,
    /// The number of the job that runs the exchange in flight and those that follow.
    pub(super) running: Option<u64>,
    /// Whether a sign-in waits for its permit.
    pub(super) is_queued: bool,
    pub(super) jobs: u64,
    /// Changes whenever all waiters are woken.
    pub(super) changes: u64,
    /// What gauges show.
    #[cfg(feature = "metrics")]
    pub(super) seen: super::meter::Seen,
    #[cfg(feature = "store")]
    pub(super) fleet: super::fleet::Memory,
}

/// The locked state. No error of the session is dropped under the lock, because its `Drop` may be
/// foreign code that calls this session.
pub(super) struct Locked<'a> {
    // The order of the fields matters: the lock is released first.
    state: MutexGuard<'a, State>,
    _errors: [Option<AttemptError>; 3],
}

impl State {
    pub(super) fn new(session: SessionMachine) -> Self {
        let waiters = Slab::new();
        Self {
            session,
            waiters,
            running: None,
            is_queued: false,
            jobs: 0,
            changes: 0,
            #[cfg(feature = "metrics")]
            seen: super::meter::Seen::default(),
            #[cfg(feature = "store")]
            fleet: super::fleet::Memory::default(),
        }
    }

    /// Takes note of what gauges show.
    #[cfg(feature = "metrics")]
    pub(super) fn see(&mut self, lease: Option<&point_auth_core::session::Lease>) {
        self.seen = super::meter::Seen::of(lease, &self.session);
    }

    /// Registers a waker and returns the previous one, to be dropped without the lock.
    pub(super) fn register(&mut self, key: &mut Option<usize>, waker: &Waker) -> Option<Waker> {
        match key.and_then(|key| self.waiters.get_mut(key)) {
            Some(Some(old)) if old.will_wake(waker) => None,
            Some(place) => place.replace(waker.clone()),
            None => {
                *key = Some(self.waiters.insert(Some(waker.clone())));
                None
            }
        }
    }

    /// Takes the wakers of all waiters, after a change.
    pub(super) fn take_wakers(&mut self) -> Vec<Waker> {
        self.changes = self.changes.wrapping_add(1);
        self.waiters.iter_mut().filter_map(|(_, waker)| waker.take()).collect()
    }
}

impl<'a> Locked<'a> {
    pub(super) fn new(state: MutexGuard<'a, State>) -> Self {
        let _errors = state.session.held_errors();
        Self { state, _errors }
    }
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}
