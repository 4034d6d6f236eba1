//! The bodies of answers: fixed, generated while they are sent, compressed, dripped; all in flat
//! memory.

use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::faults::{Pace, Payload};
use super::stream::WriteControl;

/// How much a generated body makes at a time.
const CHUNK: usize = 16 * 1024;
const BEFORE: &[u8] = b"{\"access_token\":\"";
const AFTER: &[u8] = b"\"}";
static FILLING: [u8; CHUNK] = [b'x'; CHUNK];

pub(super) struct AnswerBody {
    source: Source,
    /// What the source has given and has not been sent.
    ready: Bytes,
    declared: bool,
    pace: Option<Pace>,
    pause: Option<Pin<Box<Sleep>>>,
    control: Option<Arc<WriteControl>>,
}

enum Source {
    Done,
    Generated(Generator),
    Compressed(Option<GzEncoder<Vec<u8>>>, Generator),
}

impl AnswerBody {
    pub(super) fn new(payload: Payload) -> Self {
        let (source, ready) = match payload {
            Payload::Bytes(bytes) => (Source::Done, bytes),
            Payload::Generated(total) => {
                (Source::Generated(Generator { total, at: 0 }), Bytes::new())
            }
        };
        Self { source, ready, declared: true, pace: None, pause: None, control: None }
    }

    /// Compresses what the body holds.
    pub(super) fn compressed(mut self) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        match std::mem::replace(&mut self.source, Source::Done) {
            Source::Generated(generator) => {
                self.source = Source::Compressed(Some(encoder), generator);
            }
            Source::Done | Source::Compressed(..) => {
                // Writing into memory does not fail.
                let _ = encoder.write_all(&self.ready);
                self.ready = encoder.finish().unwrap_or_default().into();
            }
        }
        self
    }

    /// Keeps the length to itself, so that HTTP/1.1 sends chunks.
    pub(super) fn undeclared(mut self) -> Self {
        self.declared = false;
        self
    }

    pub(super) fn paced(mut self, pace: Option<Pace>) -> Self {
        self.pace = pace;
        self
    }

    /// Tells `control` once the whole body has been handed over (or was given up).
    pub(super) fn reporting_to(mut self, control: Arc<WriteControl>) -> Self {
        self.control = Some(control);
        self
    }

    fn refill(&mut self) {
        while self.ready.is_empty() {
            match &mut self.source {
                Source::Done => return,
                Source::Generated(generator) => match generator.next() {
                    Some(bytes) => self.ready = bytes,
                    None => self.source = Source::Done,
                },
                Source::Compressed(encoder, generator) => {
                    let Some(writer) = encoder else {
                        self.source = Source::Done;
                        return;
                    };
                    // Writing into memory does not fail.
                    match generator.next() {
                        Some(bytes) => {
                            let _ = writer.write_all(&bytes);
                            self.ready = std::mem::take(writer.get_mut()).into();
                        }
                        None => {
                            let rest = encoder.take().map(GzEncoder::finish);
                            self.ready = rest.and_then(Result::ok).unwrap_or_default().into();
                        }
                    }
                }
            }
        }
    }

    fn remaining(&self) -> Option<u64> {
        match &self.source {
            Source::Done => Some(self.ready.len() as u64),
            Source::Generated(generator) => Some(
                (generator.total?.saturating_sub(generator.at))
                    .saturating_add(self.ready.len() as u64),
            ),
            Source::Compressed(..) => None,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        if let Some(pause) = &mut this.pause {
            ready!(pause.as_mut().poll(cx));
            this.pause = None;
        }
        this.refill();
        if this.ready.is_empty() {
            return Poll::Ready(None);
        }
        let count = this.pace.map_or(this.ready.len(), |pace| pace.bytes.min(this.ready.len()));
        let bytes = this.ready.split_to(count);
        if let Some(pace) = this.pace.filter(|pace| pace.pause > Duration::ZERO) {
            this.pause = Some(Box::pin(tokio::time::sleep(pace.pause)));
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        match self.remaining() {
            Some(bytes) if self.declared => SizeHint::with_exact(bytes),
            _ => SizeHint::default(),
        }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Some(control) = &self.control {
            control.answered();
        }
    }
}

/// An access token of any size in a JSON object, or an object that never ends.
struct Generator {
    total: Option<u64>,
    at: u64,
}

impl Generator {
    fn next(&mut self) -> Option<Bytes> {
        let (before, after) = (BEFORE.len() as u64, AFTER.len() as u64);
        let is_object = self.total.is_none_or(|total| total >= before + after);
        let bytes = if is_object && self.at == 0 {
            Bytes::from_static(BEFORE)
        } else {
            let end = self.total.map(|total| if is_object { total - after } else { total });
            let left = end.map_or(u64::MAX, |end| end.saturating_sub(self.at));
            if left > 0 {
                let count = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
                Bytes::from_static(&FILLING).slice(..count)
            } else if is_object && end == Some(self.at) {
                Bytes::from_static(AFTER)
            } else {
                return None;
            }
        };
        self.at = self.at.saturating_add(bytes.len() as u64);
        Some(bytes)
    }
}
