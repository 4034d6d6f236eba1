//! The connect limit and the deadline of one exchange, for clients that run on tokio.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use crate::{ScrubbedError, SendLimits, SentFlag, TransportError, TransportErrorKind};

/// Runs `exchange` within the times of `limits`, and says of its failure whether the request may have been sent.
///
/// `sent` is raised when the request body is asked for. Until then the connect limit holds, if `has_body`; a request without
/// a body would never raise it.
///
/// # Errors
/// [`TransportErrorKind::Timeout`] when a limit is reached; [`TransportErrorKind::Other`] outside of a tokio runtime; or
/// what `exchange` failed with. [`may_have_been_sent`](TransportError::may_have_been_sent) is false as long as a body has
/// not been asked for.
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
    let now = Instant::now();
    let total = now.checked_add(limits.total_timeout());
    let connect = now.checked_add(limits.connect_timeout()).filter(|_| has_body);
    let outcome = {
        let mut exchange = pin!(exchange);
        let mut total = pin!(maybe_until(total));
        let mut connect = pin!(maybe_until(connect));
        poll_fn(|context| {
            if let Poll::Ready(outcome) = exchange.as_mut().poll(context) {
                return Poll::Ready(outcome);
            }
            let connecting = !sent.is_raised();
            if total.as_mut().poll(context).is_ready() || (connecting && connect.as_mut().poll(context).is_ready()) {
                return Poll::Ready(Err(TransportError::new(TransportErrorKind::Timeout)));
            }
            Poll::Pending
        })
        .await
    };
    outcome.map_err(|error| if has_body && !sent.is_raised() { error.not_sent() } else { error })
}

/// A time that cannot be told, since it lies beyond what a clock can show, never comes.
async fn maybe_until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
