//! [`Activity`]: whether a connection has a request in progress.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::metrics::InFlight;

/// What a connection does.
pub(crate) struct Activity(Mutex<State>);

struct State {
    in_progress: usize,
    has_served: bool,
    since: Instant,
}

/// Since when a connection has been without a request.
#[derive(Clone, Copy)]
pub(crate) struct Idle {
    pub(crate) since: Instant,
    /// Whether it has had a request before.
    pub(crate) has_served: bool,
}

impl Activity {
    pub(crate) fn new() -> Self {
        let state = State { in_progress: 0, has_served: false, since: Instant::now() };
        Self(Mutex::new(state))
    }

    /// Returns since when it has been idle; `None` while it is not.
    pub(crate) fn idle(&self) -> Option<Idle> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State { in_progress, has_served, since } = *state;
        (in_progress == 0).then_some(Idle { since, has_served })
    }

    /// Begins a request.
    pub(crate) fn begin(self: &Arc<Self>, in_flight: InFlight) -> Exchange {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.in_progress = state.in_progress.saturating_add(1);
        state.has_served = true;
        drop(state);
        Exchange { activity: Arc::clone(self), _in_flight: in_flight }
    }
}

/// A request in progress, until it is dropped.
pub(crate) struct Exchange {
    activity: Arc<Activity>,
    _in_flight: InFlight,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut state = self.activity.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.in_progress = state.in_progress.saturating_sub(1);
        state.since = Instant::now();
    }
}
