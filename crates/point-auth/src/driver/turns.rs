//! Turns at a shared login: those who wait for one, and those who have it.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use point_auth_core::Credentials;
use point_auth_core::session::{NotNow, Now, Outcome};
use point_auth_transport::Task;

use super::shared_login::SharedLogin;
use super::{Driver, wake};

/// How long after the time that it has for something one who has the turn is waited for. Then the next has it.
const GRACE: Duration = Duration::from_secs(2);

/// What one whose turn it is may do with the credentials.
pub(super) enum Entry {
    Now,
    Later,
    Never(NotNow),
}

/// Waits for its turn. `None` when it was withdrawn.
pub(super) struct Waits<'a> {
    login: &'a SharedLogin,
    driver: &'a Driver,
    job: u64,
    comes_back: bool,
    ticket: Option<u64>,
    /// Until one who has the turn is overdue.
    sleep: Option<(Duration, Task)>,
}

impl<'a> Future for Waits<'a> {
    type Output = Option<Turn<'a>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match this.look(cx.waker()) {
                Look::Over(turn) => {
                    this.driver.queues(this.job, None);
                    return Poll::Ready(turn);
                }
                Look::Until(overdue) => {
                    if this.sleep.as_ref().is_none_or(|(until, _)| *until != overdue) {
                        this.sleep = Some((overdue, this.driver.runtime().sleep_until(overdue)));
                    }
                    let slept = this.sleep.as_mut().map(|(_, sleep)| sleep.as_mut().poll(cx));
                    if slept.is_none_or(|slept| slept.is_pending()) {
                        return Poll::Pending;
                    }
                    this.sleep = None;
                }
            }
        }
    }
}

impl<'a> Waits<'a> {
    pub(super) fn new(
        login: &'a SharedLogin,
        driver: &'a Driver,
        job: u64,
        comes_back: bool,
    ) -> Self {
        Self { login, driver, job, comes_back, ticket: None, sleep: None }
    }
}

enum Look<'a> {
    Over(Option<Turn<'a>>),
    /// When one who has the turn is overdue.
    Until(Duration),
}

impl<'a> Waits<'a> {
    fn look(&mut self, waker: &Waker) -> Look<'a> {
        let now = self.driver.now();
        // Dropped after the lock: the last hold on a task may be in it, and with that one who waits.
        let mut _old_waker = None;
        let mut state = self.login.lock();
        let ticket = match self.ticket {
            Some(ticket) => ticket,
            None => {
                state.tickets = state.tickets.wrapping_add(1);
                let ticket = state.tickets;
                self.ticket = Some(ticket);
                match self.comes_back {
                    true => state.queue.push_front((ticket, None)),
                    false => state.queue.push_back((ticket, None)),
                }
                drop(state);
                self.driver.queues(self.job, Some(ticket));
                state = self.login.lock();
                ticket
            }
        };
        let mut woken = state.call(now);
        if let Some(place) = state.withdrawn.iter().position(|withdrawn| *withdrawn == ticket) {
            state.withdrawn.swap_remove(place);
            self.ticket = None;
            drop(state);
            wake(woken);
            return Look::Over(None);
        }
        let patience = self.login.exchange_timeout.saturating_add(GRACE);
        if let Some(holder) = state.holder(ticket) {
            holder.overdue = now.monotonic.saturating_add(patience);
            self.ticket = None;
            drop(state);
            wake(woken);
            return Look::Over(Some(Turn { login: self.login, driver: self.driver, ticket }));
        }
        match state.queue.iter_mut().find(|(waiting, _)| *waiting == ticket) {
            Some((_, place)) => _old_waker = place.replace(waker.clone()),
            // It was called, and did not come in time.
            None => {
                state.queue.push_front((ticket, Some(waker.clone())));
                woken.extend(state.call(now));
            }
        }
        let overdue = state.holders.iter().map(|holder| holder.overdue).min();
        drop(state);
        wake(woken);
        Look::Until(overdue.unwrap_or_else(|| now.monotonic.saturating_add(patience)))
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let now = self.driver.now();
        let mut state = self.login.lock();
        let place = state.queue.iter().position(|(waiting, _)| *waiting == ticket);
        let _old_waker = place.and_then(|place| state.queue.remove(place));
        state.withdrawn.retain(|withdrawn| *withdrawn != ticket);
        state.holders.retain(|holder| holder.ticket != ticket);
        let woken = state.call(now);
        drop(state);
        wake(woken);
    }
}

/// The right to sign in now. The next is called when it drops.
pub(super) struct Turn<'a> {
    login: &'a SharedLogin,
    driver: &'a Driver,
    ticket: u64,
}

impl Turn<'_> {
    /// Whether these credentials may be sent now.
    pub(super) fn enter(&self, credentials: &Credentials, now: Now) -> Entry {
        let mut state = self.login.lock();
        if let Err(not_now) = state.login.check(credentials, now) {
            if let NotNow::Denied(denial) = &not_now {
                state.denied(denial.clone(), now);
            }
            return Entry::Never(not_now);
        }
        if state.login.is_proven(credentials) {
            state.width = self.login.most_at_once;
            return Entry::Now;
        }
        // Until a password is known to be right, one at a time: a wrong one is sent once.
        state.width = 1;
        if state.holders.iter().any(|holder| holder.tries) {
            return Entry::Later;
        }
        match state.holder(self.ticket) {
            Some(holder) => {
                holder.tries = true;
                Entry::Now
            }
            // It took too long, and another has its turn.
            None => Entry::Later,
        }
    }

    pub(super) fn begins(&self, credentials: &Credentials, deadline: Duration) {
        let mut state = self.login.lock();
        if let Some(holder) = state.holder(self.ticket) {
            holder.overdue = deadline.saturating_add(GRACE);
            holder.sending = Some(credentials.clone());
        }
    }

    pub(super) fn ended(self, credentials: &Credentials, outcome: &Outcome) {
        let now = self.driver.now();
        let mut state = self.login.lock();
        let is_late =
            state.holder(self.ticket).is_none_or(|holder| holder.sending.take().is_none());
        // One who was given up has been counted as lost already; but what the server says is so all the same.
        if !is_late || matches!(outcome, Outcome::Renewed { .. } | Outcome::Denied(_)) {
            state.login.handle(credentials, outcome, now);
        }
        match outcome {
            Outcome::Denied(denial) => state.denied(denial.clone(), now),
            Outcome::Renewed { .. } => (state.ask_again, state.denials) = (None, 0),
            _ => {}
        }
        state.width = match state.login.is_proven(credentials) {
            true => self.login.most_at_once,
            false => 1,
        };
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let now = self.driver.now();
        let mut state = self.login.lock();
        if let Some(place) = state.holders.iter().position(|holder| holder.ticket == self.ticket) {
            let holder = state.holders.swap_remove(place);
            // It went away with a request on its way.
            if let Some(credentials) = holder.sending {
                state.login.lost(&credentials, now);
                state.width = 1;
            }
        }
        let woken = state.call(now);
        drop(state);
        wake(woken);
    }
}
