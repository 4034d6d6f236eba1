//! What is behind a driver's lock: the session, those who wait, and the job in hand.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard};
use std::task::Waker;

use point_auth_core::session::{AttemptError, Session};
use slab::Slab;

use super::together::Together;

pub(super) struct State {
    pub(super) session: Session,
    pub(super) waiters: Slab<Option<Waker>>,
    pub(super) running: Option<Running>,
    pub(super) jobs: u64,
    /// Changes whenever everybody is woken.
    pub(super) news: u64,
}

/// The job that sees to the exchange under way and to those that follow it.
pub(super) struct Running {
    pub(super) number: u64,
    /// The job itself, where it is no task of its own.
    pub(super) together: Option<Arc<Together>>,
    /// Its place among those who wait for a turn at a shared login.
    pub(super) ticket: Option<u64>,
    /// Whether all have left who drove it. The next who asks does, although there may be a token.
    pub(super) is_forsaken: bool,
}

/// The state, locked. None of the session's errors is dropped within: it may be somebody else's, and its `Drop` may ask this session.
pub(super) struct Locked<'a> {
    // The order counts: the lock goes first.
    state: MutexGuard<'a, State>,
    _errors: [Option<AttemptError>; 3],
}

impl State {
    pub(super) fn new(session: Session) -> Self {
        Self { session, waiters: Slab::new(), running: None, jobs: 0, news: 0 }
    }

    /// Answers the waker that was there, to be dropped after the lock. Whoever waits drives a shared job on.
    pub(super) fn register(&mut self, key: &mut Option<usize>, waker: &Waker) -> Option<Waker> {
        if let Some(running) = &mut self.running {
            running.is_forsaken = false;
        }
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
    pub(super) fn take_wakers(&mut self, count: usize) -> Vec<Waker> {
        self.waiters.iter_mut().filter_map(|(_, waker)| waker.take()).take(count).collect()
    }

    /// The wakers of all, since there is news.
    pub(super) fn take_all_wakers(&mut self) -> Vec<Waker> {
        self.news = self.news.wrapping_add(1);
        self.take_wakers(usize::MAX)
    }

    /// Whether all who wait share the job in hand.
    pub(super) fn is_shared(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.together.is_some())
    }

    pub(super) fn is_forsaken(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.is_forsaken)
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
