//! For clients that speak `http_body`: a request body that goes out once, and capped reading of a response body.

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use point_auth_core::SecretBody;

use crate::{CappedBody, SentFlag, TransportError, TransportErrorKind};

/// A request body that can be taken once and cannot be cloned.
///
/// A client cannot replay what it cannot clone: it can neither follow a 307 with the password nor send it again on a new
/// connection. Its length is known, so it goes out with a `Content-Length`.
#[derive(Debug)]
pub struct OnceBody {
    body: Option<SecretBody>,
    sent: SentFlag,
}

impl OnceBody {
    /// Wraps `body`, and the flag that will say when it was asked for.
    pub fn new(body: SecretBody) -> (Self, SentFlag) {
        let sent = SentFlag::new();
        (Self { body: (!body.is_empty()).then_some(body), sent: sent.clone() }, sent)
    }
}

impl Body for OnceBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.sent.raise();
        Poll::Ready(self.body.take().map(|body| Ok(Frame::data(body.into_bytes()))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.as_ref().map_or(0, |body| body.len() as u64))
    }
}

/// Reads all of `body`, up to `limit` bytes, into memory that is wiped.
///
/// # Errors
/// [`TransportErrorKind::TooLarge`] past the limit. Any other failure is classified by its chain of causes, or else as
/// [`TransportErrorKind::Protocol`], since a response that has begun did not end.
pub async fn read_capped<B>(body: B, limit: usize) -> Result<SecretBody, TransportError>
where
    B: Body,
    B::Error: Error + 'static,
{
    let mut body = pin!(body);
    let mut read = CappedBody::new(limit);
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let frame = frame.map_err(|error| TransportError::classify(&error, TransportErrorKind::Protocol))?;
        if let Ok(mut data) = frame.into_data() {
            while data.has_remaining() {
                let chunk = data.chunk();
                let length = chunk.len();
                read.push(chunk)?;
                data.advance(length);
            }
        }
    }
    Ok(read.finish())
}
