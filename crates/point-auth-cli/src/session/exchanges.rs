//! [`Exchanges`]: whether an exchange is in flight, for a program that is about to end.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use point_auth::session::{ExchangeKind, Outcome};
use point_auth::{Observer, StoreEvent};

use crate::failure::chain;

/// What a session tells a program that goes on.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// There may be another token.
    Changed,
    /// An exchange or the store failed, in one line.
    Problem(String),
}

/// Hears of events, on the session's threads.
type Listener = Box<dyn Fn(Event) + Send + Sync>;

/// What a session has in flight, and what its store said last.
#[derive(Default)]
pub(crate) struct Exchanges {
    state: Mutex<State>,
    ended: Condvar,
    listener: OnceLock<Listener>,
}

#[derive(Debug, Default)]
struct State {
    is_in_flight: bool,
    store_problem: Option<String>,
}

impl Exchanges {
    /// Waits until no exchange is in flight and the store was told of the last one. Returns false
    /// after `limit`.
    pub(super) fn wait_for_end(&self, limit: Duration) -> bool {
        let waiting = self.ended.wait_timeout_while(self.lock(), limit, |state| state.is_in_flight);
        let (state, _) = waiting.unwrap_or_else(PoisonError::into_inner);
        !state.is_in_flight
    }

    /// Why the store could not be used last.
    pub(super) fn store_problem(&self) -> Option<String> {
        self.lock().store_problem.clone()
    }

    /// Sets what hears of events from now on.
    pub(super) fn listen(&self, listener: impl Fn(Event) + Send + Sync + 'static) {
        let _is_set = self.listener.set(Box::new(listener));
    }

    fn tell(&self, event: Event) {
        if let Some(listener) = self.listener.get() {
            listener(event);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells [`Exchanges`] what a session does.
pub(super) struct Watching(pub(super) Arc<Exchanges>);

impl Observer for Watching {
    fn exchange_began(&self, _: Option<&str>, _: ExchangeKind, _: u32) {
        let mut state = self.0.lock();
        state.is_in_flight = true;
        state.store_problem = None;
    }

    // The session calls it after it has told the store.
    fn exchange_ended(&self, _: Option<&str>, outcome: &Outcome) {
        self.0.lock().is_in_flight = false;
        self.0.ended.notify_all();
        self.0.tell(match outcome {
            Outcome::Denied { denial, .. } => Event::Problem(denial.to_string()),
            Outcome::Failed { error, .. } => Event::Problem(chain(error)),
            _ => Event::Changed,
        });
    }

    fn store_event(&self, _: Option<&str>, event: &StoreEvent) {
        let problem = match event {
            StoreEvent::Unavailable(why) => chain(why),
            StoreEvent::Unreadable(why) | StoreEvent::Alone(why) => chain(why),
            _ => return,
        };
        self.0.lock().store_problem = Some(problem.clone());
        self.0.tell(Event::Problem(problem));
    }
}
