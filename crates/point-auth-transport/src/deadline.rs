//! The connect limit and the deadline of one exchange, for clients that run on tokio.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::task::unconstrained;
use tokio::time::{Instant, sleep_until};

use crate::{ScrubbedError, SendLimits, SentFlag, TransportError, TransportErrorKind};

/// Runs `exchange` within `limits`, and records on failure whether the request may have been sent.
///
/// `sent` is raised when the request body is asked for. Until then the connect limit applies, but
/// only if `has_body`: a request without a body never raises the flag. When the exchange ends or
/// this future is dropped, a body that was not asked for is withdrawn. A background task of the
/// client can then no longer send it.
///
/// The runtime must have its timers and its I/O enabled, as with `#[tokio::main]` or
/// `Builder::enable_all`.
///
/// # Errors
/// [`TransportErrorKind::Timeout`] when a limit is reached, [`TransportErrorKind::Other`] outside
/// of a tokio runtime, or the error of `exchange`.
/// [`may_have_been_sent`](TransportError::may_have_been_sent) is false as long as a body has not
/// been asked for.
pub async fn with_deadlines<T>(
    limits: &SendLimits,
    sent: &SentFlag,
    has_body: bool,
    exchange: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    if Handle::try_current().is_err() {
        return Err(TransportError::new(TransportErrorKind::Other)
            .not_sent()
            .with_source(ScrubbedError::new("there is no tokio runtime here")));
    }
    if limits.total_timeout().is_zero() {
        // The runtime's clock ticks in milliseconds. On loopback an exchange can finish before the
        // first tick.
        return Err(TransportError::new(TransportErrorKind::Timeout).not_sent());
    }
    let now = Instant::now();
    let total = now.checked_add(limits.total_timeout());
    let connect = now.checked_add(limits.connect_timeout());
    let connect = connect.filter(|connect| has_body && total.is_none_or(|total| *connect < total));
    let _withdraw = WithdrawOnDrop(sent);
    let outcome = {
        let mut exchange = pin!(exchange);
        // A busy exchange uses up the task's budget, but the clock must be checked regardless.
        let mut limit = pin!(unconstrained(limit_reached(connect, total, sent)));
        poll_fn(|context| {
            if let Poll::Ready(outcome) = exchange.as_mut().poll(context) {
                return Poll::Ready(outcome);
            }
            limit
                .as_mut()
                .poll(context)
                .map(|()| Err(TransportError::new(TransportErrorKind::Timeout)))
        })
        .await
    };
    outcome.map_err(|error| if has_body && sent.withdraw() { error.not_sent() } else { error })
}

/// Withdraws the body even when the exchange is dropped before it ends.
struct WithdrawOnDrop<'a>(&'a SentFlag);

impl Drop for WithdrawOnDrop<'_> {
    fn drop(&mut self) {
        self.0.withdraw();
    }
}

/// Waits until a limit is reached: the total, or the connect limit while the request is not sent. A
/// deadline beyond the range of the clock is never reached.
///
/// The timers run one after the other, because few exchanges last long enough to need the second.
async fn limit_reached(connect: Option<Instant>, total: Option<Instant>, sent: &SentFlag) {
    if let Some(connect) = connect {
        sleep_until(connect).await;
        if !sent.is_raised() {
            return;
        }
    }
    match total {
        Some(total) => sleep_until(total).await,
        None => std::future::pending().await,
    }
}
