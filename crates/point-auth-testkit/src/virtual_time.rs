//! [`VirtualTime`]: one clock for a session, its waiters and the emulator.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use point_auth_core::session::Now;
use point_auth_transport::{Runtime, Task};

use crate::emulator::Clock;
use crate::server_thread::lock;

/// A [`Runtime`] whose time passes when a test says so, for async and for blocking sessions. Clones
/// are handles to the same time.
///
/// Its wall clock is an emulator's, so that tokens end there when they end here. Sockets stay real:
/// what they take, and what they time out after, is not this time.
#[derive(Clone)]
pub struct VirtualTime {
    clock: Clock,
    state: Arc<Mutex<State>>,
    tasks: Arc<dyn Runtime>,
}

#[derive(Default)]
struct State {
    monotonic: Duration,
    sleepers: BTreeMap<(Duration, u64), Waker>,
    sleeps: u64,
}

impl VirtualTime {
    /// Stops this clock and goes on with it. Tasks are those of `tasks`, such as the runtime that
    /// the sessions would have without this.
    #[must_use]
    pub fn new(clock: &Clock, tasks: impl Runtime) -> Self {
        clock.stop();
        // Not zero, so that a time is not taken for a span.
        let state = State { monotonic: Duration::from_secs(1_000_000), ..State::default() };
        Self { clock: clock.clone(), state: Arc::new(Mutex::new(state)), tasks: Arc::new(tasks) }
    }

    /// Advances both clocks, and wakes the sleepers whose time has come.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.advance_monotonic(by);
    }

    /// Advances the wall clock alone, as while the machine is suspended. It wakes no sleeper.
    pub fn suspend(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Advances the monotonic clock alone, while the wall clock stands still.
    pub fn advance_monotonic(&self, by: Duration) {
        let mut state = lock(&self.state);
        state.monotonic = state.monotonic.saturating_add(by);
        let passed = state.monotonic.saturating_add(Duration::from_nanos(1));
        let later = state.sleepers.split_off(&(passed, 0));
        let woken = std::mem::replace(&mut state.sleepers, later);
        drop(state);
        woken.into_values().for_each(Waker::wake);
    }

    /// Returns when the first sleeper wakes, on the monotonic clock.
    #[must_use]
    pub fn next_wake(&self) -> Option<Duration> {
        lock(&self.state).sleepers.keys().next().map(|(until, _)| *until)
    }

    /// Advances both clocks until the first sleeper wakes, such as one that waits to try again.
    /// Returns false if there is no sleeper.
    pub fn advance_to_next_wake(&self) -> bool {
        let Some(until) = self.next_wake() else { return false };
        self.advance(until.saturating_sub(self.now().monotonic));
        true
    }

    /// Returns the number of sleepers.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        lock(&self.state).sleepers.len()
    }
}

impl Runtime for VirtualTime {
    fn now(&self) -> Now {
        Now::new(lock(&self.state).monotonic, self.clock.now())
    }

    fn sleep_until(&self, time: Duration) -> Task {
        let mut state = lock(&self.state);
        state.sleeps += 1;
        Box::pin(Sleep { state: Arc::clone(&self.state), key: (time, state.sleeps) })
    }

    fn spawn(&self, task: Task) {
        self.tasks.spawn(task);
    }
}

impl fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualTime").field("now", &self.now()).finish_non_exhaustive()
    }
}

struct Sleep {
    state: Arc<Mutex<State>>,
    key: (Duration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        let is_over = state.monotonic >= self.key.0;
        let old = match is_over {
            true => state.sleepers.remove(&self.key),
            false => state.sleepers.insert(self.key, cx.waker().clone()),
        };
        drop(state);
        // The last hold on a task may be in it, and with that another sleep.
        drop(old);
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let _waker = lock(&self.state).sleepers.remove(&self.key);
    }
}
