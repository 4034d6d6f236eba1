//! For clients that speak `http_body`: a request body that goes out once, and capped reading of a
//! response body.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use point_auth_core::SecretBody;

use crate::{CappedBody, ScrubbedError, SentFlag, TransportError};

/// A request body that can be taken once and cannot be cloned.
///
/// A client cannot replay a body that it cannot clone. It can neither follow a 307 with the
/// password nor send the body again on a new connection. The length is known, so the body goes out
/// with a `Content-Length`.
///
/// When the exchange ends, by a failure, its deadline or a drop, a body that was not asked for is
/// withdrawn. A later read of it is an error.
#[derive(Debug)]
pub struct OnceBody {
    body: Option<SecretBody>,
    sent: SentFlag,
}

impl OnceBody {
    /// Wraps `body`. Returns the flag that is raised when the body is asked for.
    pub fn new(body: SecretBody) -> (Self, SentFlag) {
        let sent = SentFlag::new();
        (Self { body: (!body.is_empty()).then_some(body), sent: sent.clone() }, sent)
    }
}

impl Body for OnceBody {
    type Data = Bytes;
    type Error = ScrubbedError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ScrubbedError>>> {
        if !self.sent.raise() {
            return Poll::Ready(Some(Err(ScrubbedError::new("the exchange is over"))));
        }
        Poll::Ready(self.body.take().map(|body| Ok(Frame::data(body.into_bytes()))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.as_ref().map_or(0, |body| body.len() as u64))
    }
}

/// After this many frames in a row, the task yields, so that its own deadline can fire.
const FRAMES_AT_A_TIME: u32 = 64;

/// Reads all of `body`, up to `limit` bytes, into memory that is wiped.
///
/// # Errors
/// [`TransportErrorKind::TooLarge`](crate::TransportErrorKind::TooLarge) past the limit. An error
/// of `body` is converted with `failed`.
pub async fn read_capped<B: Body>(
    body: B,
    limit: usize,
    failed: impl FnOnce(B::Error) -> TransportError,
) -> Result<SecretBody, TransportError> {
    let mut body = pin!(body);
    let mut read = CappedBody::new(limit);
    let mut frames = 0_u32;
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return Err(failed(error)),
        };
        if let Ok(mut data) = frame.into_data() {
            while data.has_remaining() {
                let chunk = data.chunk();
                let length = chunk.len();
                read.push(chunk)?;
                data.advance(length);
            }
        }
        frames = frames.wrapping_add(1);
        if frames.is_multiple_of(FRAMES_AT_A_TIME) {
            let_others_run().await;
        }
    }
    Ok(read.finish())
}

/// Without a yield, endless empty frames would starve the deadline.
async fn let_others_run() {
    let mut asked = false;
    poll_fn(|context| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
