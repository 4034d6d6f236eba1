//! The connect limit and the deadline of one exchange, for clients that run on tokio.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::task::unconstrained;
use tokio::time::{Instant, sleep_until};

use crate::{ScrubbedError, SendLimits, SentFlag, TransportError, TransportErrorKind};

/// Runs `exchange` within the times of `limits`, and says of its failure whether the request may
/// have been sent.
///
/// `sent` is raised when the request body is asked for. Until then the connect limit holds, if
/// `has_body`; a request without a body would never raise it. Once the exchange is over, or this
/// future is dropped, a body that was not asked for yet is withdrawn: a task of the client that
/// lives on cannot send it any more.
///
/// The runtime must have been built with its timers and its I/O enabled: `#[tokio::main]` does, and
/// so does `Builder::enable_all`.
///
/// # Errors
/// [`TransportErrorKind::Timeout`] when a limit is reached; [`TransportErrorKind::Other`] outside
/// of a tokio runtime; or what `exchange` failed with.
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
        // The runtime's clock ticks in milliseconds, and on loopback everything can be over before
        // the first tick.
        return Err(TransportError::new(TransportErrorKind::Timeout).not_sent());
    }
    let now = Instant::now();
    let total = now.checked_add(limits.total_timeout());
    let connect = now.checked_add(limits.connect_timeout());
    let connect = connect.filter(|connect| has_body && total.is_none_or(|total| *connect < total));
    let _withdraw = WithdrawOnDrop(sent);
    let outcome = {
        let mut exchange = pin!(exchange);
        // An exchange that is always busy uses up the task's budget; the clock must be looked at
        // all the same.
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

/// Takes the body back even when the exchange is dropped half-way.
struct WithdrawOnDrop<'a>(&'a SentFlag);

impl Drop for WithdrawOnDrop<'_> {
    fn drop(&mut self) {
        self.0.withdraw();
    }
}

/// Waits until one of the two limits is over: that of connecting as long as the request was not
/// sent. A time that cannot be told, since it lies beyond what a clock can show, never comes.
///
/// One timer after the other: hardly any exchange lives to see the second.
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
