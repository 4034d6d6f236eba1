//! [`Silence`]: a timer that runs while nothing comes.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How long nothing has come, in the middle of a body.
pub(crate) struct Silence {
    longest: Duration,
    /// Made at the first wait: most bodies never wait.
    timer: Option<Pin<Box<Sleep>>>,
    is_running: bool,
}

impl Silence {
    pub(crate) const fn new(longest: Duration) -> Self {
        Self { longest, timer: None, is_running: false }
    }

    /// Something has come.
    pub(crate) const fn is_over(&mut self) {
        self.is_running = false;
    }

    /// Ready once nothing has come for the longest time.
    pub(crate) fn poll_too_long(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let end = Instant::now() + self.longest;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if !self.is_running {
            timer.as_mut().reset(end);
            self.is_running = true;
        }
        timer.as_mut().poll(cx)
    }
}
