//! The background refresh, which keeps a token fresh without callers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use point_auth_core::session::{Call, SessionError};
use point_auth_transport::Task;

use super::Driver;
use super::waiting::Waiting;

/// The longest sleep. A session that waits for an operator is notified of changes in between.
const LONG: Duration = Duration::from_secs(60);

/// Keeps the token fresh until no user holds the session.
pub(crate) async fn keep_fresh(driver: Arc<Driver>) {
    while driver.is_open() {
        // Read before the check, so that no change between the check and the wait is missed.
        let seen = driver.lock().changes;
        let result = Waiting::new(&driver, Call::new()).until_closed().await;
        let now = driver.now();
        let left = match result {
            None => return,
            Some(Ok(_)) => {
                driver.lock().session.lease(now).map(|lease| lease.look_again.time_left(now))
            }
            Some(Err(error)) => match error.as_session() {
                Some(SessionError::Failed { until, .. }) => Some(until.time_left(now)),
                Some(SessionError::TimedOut { .. }) => None,
                _ => Some(LONG),
            },
        };
        // The wall clock may be set, or the machine may sleep, so it checks from time to time.
        let left = left.unwrap_or_default().clamp(Duration::from_millis(1), LONG);
        let until = now.monotonic.saturating_add(left);
        Change { driver: &driver, seen, until, key: None, sleep: None }.await;
    }
}

/// Waits until a time, or until a change.
struct Change<'a> {
    driver: &'a Arc<Driver>,
    /// The number of known changes.
    seen: u64,
    until: Duration,
    key: Option<usize>,
    sleep: Option<Task>,
}

impl Future for Change<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.driver.lock();
        let was_woken = this.key.is_some_and(|key| matches!(state.waiters.get(key), Some(None)));
        if was_woken || state.changes != this.seen || !this.driver.is_open() {
            return Poll::Ready(());
        }
        let old_waker = state.register(&mut this.key, cx.waker());
        drop(state);
        drop(old_waker);
        let sleep = this.sleep.get_or_insert_with(|| this.driver.runtime().sleep_until(this.until));
        sleep.as_mut().poll(cx)
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.driver.deregister(key);
        }
    }
}
