//! One connection of a client, and its end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};
use tokio_io_timeout::TimeoutStream;

use crate::Limits;
use crate::access::Access;
use crate::activity::Activity;
use crate::exchange::respond;
use crate::limits::HEAD_BYTES;
use crate::proxy::Shared;

/// The requests at one time of an HTTP/2 connection.
const STREAMS: u32 = 100;
/// What each request of an HTTP/2 connection may have under way before it is forwarded.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// The time for the goodbye of an idle connection.
const GRACE: Duration = Duration::from_secs(1);

pub(crate) type Server = Builder<TokioExecutor>;

/// Returns what speaks HTTP with clients.
pub(crate) fn server(limits: &Limits) -> Server {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .max_send_buf_size(HEAD_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(limits.idle_timeout)
        .keep_alive_timeout(limits.head_timeout);
    builder
}

/// Serves a connection until it ends: by its client, by a limit, or because the proxy stops.
pub(crate) async fn run<S>(
    shared: Arc<Shared>,
    access: Arc<Access>,
    server: Arc<Server>,
    stream: S,
    mut stopping: watch::Receiver<bool>,
    // Given back at the end.
    _permit: OwnedSemaphorePermit,
) where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let limits = shared.limits;
    let _counted = shared.metrics.begin_connection();
    let activity = Arc::new(Activity::new());
    let mut stream = TimeoutStream::new(stream);
    // A client that reads no more of a response.
    stream.set_write_timeout(Some(limits.idle_timeout));
    let for_requests = Arc::clone(&activity);
    let service = service_fn(move |request| {
        respond(Arc::clone(&shared), Arc::clone(&access), Arc::clone(&for_requests), request)
    });
    let connection = server.serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = pin!(connection);
    let mut is_ending = false;
    let mut cut_off_at = None;
    loop {
        // Requests come and go in the meantime, so it looks again and again.
        let later = Instant::now() + limits.idle_timeout;
        let end = cut_off_at.or_else(|| end_of_idleness(&activity, &limits));
        let look_again = end.map_or(later, |end| end.min(later));
        tokio::select! {
            // Its error has no reader: the client has gone, or has had its response.
            _ended = connection.as_mut() => return,
            // An error means that the proxy itself has gone.
            _stopped = stopping.wait_for(|stopping| *stopping), if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(look_again) => {
                if cut_off_at.is_some() {
                    return;
                }
                // It may have been busy at either moment.
                let end = end_of_idleness(&activity, &limits);
                if end.is_some_and(|end| end <= Instant::now()) {
                    is_ending = true;
                    cut_off_at = Some(Instant::now() + GRACE);
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Returns when a connection has been without a request for too long; `None` while it has one.
fn end_of_idleness(activity: &Activity, limits: &Limits) -> Option<Instant> {
    let idle = activity.idle()?;
    let limit = if idle.has_served { limits.idle_timeout } else { limits.head_timeout };
    Some(idle.since + limit)
}
