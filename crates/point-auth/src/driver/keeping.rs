//! Keeping a token fresh whether anybody asks for it or not.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use point_auth_core::session::{Call, SessionError};
use point_auth_transport::Task;

use super::Driver;
use super::waiting::Waiting;

/// How long it leaves a session alone that somebody must do something about, and that will tell if they do.
const LONG: Duration = Duration::from_secs(60);

/// Ends when nobody holds the session any more.
pub(crate) async fn keep_fresh(driver: Arc<Driver>) {
    while driver.is_open() {
        // From before the look, so that nothing is missed that is told between that and the wait.
        let seen = driver.lock().news;
        let result = Waiting::new(&driver, Call::new()).until_closed().await;
        let now = driver.now();
        let left = match result {
            None => return,
            Some(Ok(_)) => {
                driver.lock().session.lease(now).map(|lease| lease.look_again.time_left(now))
            }
            Some(Err(error)) => match error.as_session() {
                Some(SessionError::Failed { until, .. }) => Some(until.time_left(now)),
                Some(SessionError::OutOfPatience { .. }) => None,
                _ => Some(LONG),
            },
        };
        // The wall clock may have been set, or the machine have slept: so look now and then, whatever was said.
        let left = left.unwrap_or_default().clamp(Duration::from_millis(1), LONG);
        let until = now.monotonic.saturating_add(left);
        News { driver: &driver, seen, until, key: None, sleep: None }.await;
    }
}

/// Waits until that time, or until something is told to the session.
struct News<'a> {
    driver: &'a Arc<Driver>,
    /// The news that are known.
    seen: u64,
    until: Duration,
    key: Option<usize>,
    sleep: Option<Task>,
}

impl Future for News<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.driver.lock();
        let was_woken = this.key.is_some_and(|key| matches!(state.waiters.get(key), Some(None)));
        if was_woken || state.news != this.seen || !this.driver.is_open() {
            return Poll::Ready(());
        }
        let old_waker = state.register(&mut this.key, cx.waker());
        drop(state);
        drop(old_waker);
        // It may be one of few that an event of a shared job has woken.
        this.driver.drive();
        let sleep = this.sleep.get_or_insert_with(|| this.driver.runtime().sleep_until(this.until));
        sleep.as_mut().poll(cx)
    }
}

impl Drop for News<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.driver.deregister(key);
        }
    }
}
