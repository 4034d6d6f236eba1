//! The body of a response on its way to the client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::activity::Exchange;
use crate::request_body::poll_data;
use crate::silence::Silence;

/// A body of the API's, or one of the proxy's own.
pub(crate) struct ResponseBody {
    content: Content,
    /// The exchange ends when its body has been sent, or is dropped.
    _exchange: Exchange,
}

enum Content {
    Own(Bytes),
    Upstream { incoming: Incoming, silence: Silence },
}

impl ResponseBody {
    pub(crate) const fn own(bytes: Bytes, exchange: Exchange) -> Self {
        Self { content: Content::Own(bytes), _exchange: exchange }
    }

    pub(crate) const fn upstream(
        incoming: Incoming,
        silence: Duration,
        exchange: Exchange,
    ) -> Self {
        let content = Content::Upstream { incoming, silence: Silence::new(silence) };
        Self { content, _exchange: exchange }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.get_mut().content {
            Content::Own(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Own(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Upstream { incoming, silence } => poll_data(incoming, silence, cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(bytes) => bytes.is_empty(),
            Content::Upstream { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(bytes) => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
            Content::Upstream { incoming, .. } => incoming.size_hint(),
        }
    }
}
