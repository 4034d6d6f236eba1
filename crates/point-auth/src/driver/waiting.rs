//! [`Waiting`]: one caller that waits for a token.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use point_auth_core::session::{Call, Lease};
use point_auth_transport::Task;

use super::{Driver, Step};
use crate::Error;

/// Ends with a token or an error. Dropping it stops nothing else.
pub(crate) struct Waiting<'a> {
    driver: &'a Arc<Driver>,
    call: Call,
    /// Its key among the waiters.
    key: Option<usize>,
    sleep: Option<(Duration, Task)>,
    /// Whether it has checked for a token that is available at once.
    has_looked: bool,
}

impl<'a> Waiting<'a> {
    pub(crate) fn new(driver: &'a Arc<Driver>, call: Call) -> Self {
        Self { driver, call, key: None, sleep: None, has_looked: false }
    }
}

impl Future for Waiting<'_> {
    type Output = Result<Lease, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !this.has_looked {
            this.has_looked = true;
            if let Some(lease) = this.driver.current_lease() {
                return Poll::Ready(Ok(lease));
            }
        }
        loop {
            match this.driver.step(&mut this.call, &mut this.key, cx.waker()) {
                Step::Token(lease) => return Poll::Ready(Ok(lease)),
                Step::Failed(error) => {
                    return Poll::Ready(Err(Error::from_session(error, this.driver.now())));
                }
                Step::Begin(job) => this.driver.begin(job),
                Step::Wait(until) => {
                    if this.sleeps(until, cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl Waiting<'_> {
    /// Waits for a token, but ends with `None` as soon as no user holds the session.
    pub(crate) async fn until_closed(mut self) -> Option<Result<Lease, Error>> {
        std::future::poll_fn(|cx| {
            if !self.driver.is_open() {
                return Poll::Ready(None);
            }
            match Pin::new(&mut self).poll(cx) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                // The last hold may have ended before there was a waker to wake.
                Poll::Pending if !self.driver.is_open() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    fn sleeps(&mut self, until: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let (_, sleep) = match &mut self.sleep {
            Some(sleep) if sleep.0 == until => sleep,
            other => other.insert((until, self.driver.runtime().sleep_until(until))),
        };
        let slept = sleep.as_mut().poll(cx);
        if slept.is_ready() {
            self.sleep = None;
        }
        slept
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.driver.deregister(key);
        }
    }
}
