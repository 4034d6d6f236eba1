//! The body of a request on its way to the API, of which the beginning is kept for a second
//! attempt.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::limits::KEPT_BODY_BYTES;
use crate::silence::Silence;

/// How many bytes may still be kept for second attempts, by all requests.
pub(crate) struct Budget(AtomicUsize);

impl Budget {
    pub(crate) const fn new(bytes: usize) -> Self {
        Self(AtomicUsize::new(bytes))
    }

    fn take(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// The bytes that have been sent so far.
struct Kept {
    bytes: BytesMut,
    budget: Arc<Budget>,
}

impl Kept {
    /// Adds to what is kept, unless it would be too much.
    fn add(&mut self, bytes: &[u8]) -> bool {
        let fits = self.bytes.len().saturating_add(bytes.len()) <= KEPT_BODY_BYTES;
        let is_added = fits && self.budget.take(bytes.len());
        if is_added {
            self.bytes.extend_from_slice(bytes);
        }
        is_added
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes.len());
    }
}

struct Shared {
    /// `None` once a second attempt has it.
    incoming: Option<Incoming>,
    /// `None` once it was too much, or is no longer needed.
    kept: Option<Kept>,
    last_progress: Instant,
    /// The client sends nothing at the moment, which has a limit of its own.
    waits_for_client: bool,
    failure: Option<BodyFailure>,
}

/// Why the client's body did not come whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFailure {
    /// The client has gone, or broke the rules of HTTP.
    Broken,
    /// The client sent nothing for too long.
    Silent,
}

/// What is known of a body while it is sent.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<Shared>>);

impl Progress {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when the API has last been given something, or is not the one to wait for.
    pub(crate) fn last(&self) -> Instant {
        let shared = self.lock();
        if shared.waits_for_client { Instant::now() } else { shared.last_progress }
    }

    pub(crate) fn failure(&self) -> Option<BodyFailure> {
        self.lock().failure
    }

    /// Drops what is kept: there will be no second attempt.
    pub(crate) fn forget(&self) {
        self.lock().kept = None;
    }

    /// Takes the body back for a second attempt, if all that was sent of it is kept. What is left
    /// of the first attempt can send no more of it.
    pub(crate) fn take_back(&self, silence: Duration) -> Option<Resumed> {
        let mut shared = self.lock();
        let kept = shared.kept.take()?;
        if shared.failure.is_some() {
            return None;
        }
        let rest = shared.incoming.take()?;
        // The bytes stay counted until the second attempt has sent them.
        Some(Resumed { sent: 0, kept: Some(kept), rest, silence: Silence::new(silence) })
    }
}

/// The body of the first attempt.
pub(crate) struct Sending {
    shared: Progress,
    silence: Silence,
}

impl Sending {
    pub(crate) fn new(incoming: Incoming, budget: &Arc<Budget>, silence: Duration) -> Self {
        let kept = Kept { bytes: BytesMut::new(), budget: Arc::clone(budget) };
        let shared = Shared {
            incoming: Some(incoming),
            kept: Some(kept),
            last_progress: Instant::now(),
            waits_for_client: false,
            failure: None,
        };
        Self { shared: Progress(Arc::new(Mutex::new(shared))), silence: Silence::new(silence) }
    }

    pub(crate) fn progress(&self) -> Progress {
        self.shared.clone()
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        let mut shared = this.shared.lock();
        let shared = &mut *shared;
        let Some(incoming) = &mut shared.incoming else {
            return Poll::Ready(Some(Err(io::Error::other("the request is sent once more"))));
        };
        let polled = poll_data(incoming, &mut this.silence, cx);
        shared.waits_for_client = polled.is_pending();
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                shared.last_progress = Instant::now();
                let data = frame.data_ref();
                if let (Some(kept), Some(data)) = (&mut shared.kept, data)
                    && !kept.add(data)
                {
                    shared.kept = None;
                }
            }
            Poll::Ready(None) => shared.last_progress = Instant::now(),
            Poll::Ready(Some(Err(error))) => {
                shared.failure = Some(match error.kind() {
                    io::ErrorKind::TimedOut => BodyFailure::Silent,
                    _ => BodyFailure::Broken,
                });
            }
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.shared.lock().incoming.as_ref().is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.shared.lock().incoming.as_ref().map_or_else(SizeHint::new, Body::size_hint)
    }
}

/// The body of the second attempt: what was kept, and what has not come yet.
pub(crate) struct Resumed {
    sent: usize,
    kept: Option<Kept>,
    rest: Incoming,
    silence: Silence,
}

impl Resumed {
    fn left(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.bytes.len().saturating_sub(self.sent))
    }
}

impl Body for Resumed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        /// So much at a time, so that all of it is not copied at once.
        const CHUNK: usize = 16 * 1024;
        let this = self.get_mut();
        if let Some(kept) = &this.kept {
            let rest = kept.bytes.get(this.sent..).unwrap_or_default();
            let chunk = Bytes::copy_from_slice(rest.get(..CHUNK).unwrap_or(rest));
            if !chunk.is_empty() {
                this.sent = this.sent.saturating_add(chunk.len());
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
            this.kept = None;
        }
        poll_data(&mut this.rest, &mut this.silence, cx)
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0 && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let left = u64::try_from(self.left()).unwrap_or(u64::MAX);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(left));
        }
        hint.set_lower(rest.lower().saturating_add(left));
        hint
    }
}

/// Polls for data and drops trailers, which could say what the headers may not.
pub(crate) fn poll_data(
    incoming: &mut Incoming,
    silence: &mut Silence,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
    loop {
        match Pin::new(&mut *incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) if frame.is_trailers() => {}
            Poll::Ready(Some(Ok(frame))) => {
                silence.is_over();
                return Poll::Ready(Some(Ok(frame)));
            }
            Poll::Ready(Some(Err(error))) => {
                return Poll::Ready(Some(Err(io::Error::other(error))));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                std::task::ready!(silence.poll_too_long(cx));
                return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
            }
        }
    }
}
