//! The time an emulator lives by, which a test may turn.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use crate::server_thread::lock;

/// The clock that decides when tokens expire. Clones are handles to the same clock.
///
/// It starts as the system's time and runs. Once it is [`set`](Self::set) or
/// [`stop`](Self::stop)ped it stands still and moves only when told to, so a test's outcome does
/// not depend on how fast the machine is. It has nothing to do with delays, which are real time,
/// nor with the validity of certificates.
#[derive(Debug, Clone)]
pub struct Clock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    at: SystemTime,
    /// When `at` was true, while the clock runs.
    since: Option<Instant>,
}

impl State {
    fn now(self) -> SystemTime {
        let passed = self.since.map_or(Duration::ZERO, |since| since.elapsed());
        self.at.checked_add(passed).unwrap_or(self.at)
    }
}

impl Clock {
    /// A clock that shows the system's time and runs.
    #[must_use]
    pub fn running() -> Self {
        Self::with(State { at: SystemTime::now(), since: Some(Instant::now()) })
    }

    /// A clock that stands still at `time`.
    #[must_use]
    pub fn stopped_at(time: SystemTime) -> Self {
        Self::with(State { at: time, since: None })
    }

    fn with(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        lock(&self.state).now()
    }

    /// Turns the clock forward; whether it runs or stands stays as it is. Beyond what a
    /// `SystemTime` can hold it does nothing.
    pub fn advance(&self, by: Duration) {
        let mut state = lock(&self.state);
        state.at = state.at.checked_add(by).unwrap_or(state.at);
    }

    /// Sets the clock to `time`, where it stands still.
    pub fn set(&self, time: SystemTime) {
        *lock(&self.state) = State { at: time, since: None };
    }

    /// Stops the clock where it is.
    pub fn stop(&self) {
        let mut state = lock(&self.state);
        *state = State { at: state.now(), since: None };
    }

    /// Lets the clock run on from where it is.
    pub fn run(&self) {
        let mut state = lock(&self.state);
        *state = State { at: state.now(), since: Some(Instant::now()) };
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::running()
    }
}
