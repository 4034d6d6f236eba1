//! The stream below HTTP: counts what arrives, and drips or cuts what is sent.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;

use super::faults::Pace;
use super::record::Record;
use crate::server_thread::lock;

/// A connection, plain or TLS.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn tcp(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_mut().0,
        }
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

/// What the writing side of a connection has been told to do; the service turns it while hyper
/// writes.
#[derive(Default)]
pub(super) struct WriteControl {
    state: Mutex<WriteState>,
}

#[derive(Default)]
struct WriteState {
    /// How many bytes may still be sent before the connection is cut.
    left: Option<u64>,
    pace: Option<Pace>,
    close_after_answer: bool,
    /// The last byte of the answer has been handed to hyper.
    answered: bool,
    /// Nothing is read or written any more.
    dead: bool,
}

impl WriteControl {
    /// Called for each answer before its first byte.
    pub(super) fn begin(
        &self,
        cut_after: Option<u64>,
        pace: Option<Pace>,
        close_after_answer: bool,
    ) {
        *lock(&self.state) =
            WriteState { left: cut_after, pace, close_after_answer, ..WriteState::default() };
    }

    /// Stops reading and writing without an end of the connection.
    pub(super) fn go_dead(&self) {
        lock(&self.state).dead = true;
    }

    fn is_dead(&self) -> bool {
        lock(&self.state).dead
    }

    pub(super) fn answered(&self) {
        lock(&self.state).answered = true;
    }
}

/// A handle to a connection; hyper has one, and the task that looks after the connection another.
pub(super) struct FaultStream {
    stream: Arc<Mutex<Stream>>,
    control: Arc<WriteControl>,
    record: Arc<Record>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl FaultStream {
    pub(super) fn new(stream: Stream, control: Arc<WriteControl>, record: Arc<Record>) -> Self {
        Self { stream: Arc::new(Mutex::new(stream)), control, record, pause: None }
    }

    pub(super) fn another(&self) -> Self {
        Self {
            stream: Arc::clone(&self.stream),
            control: Arc::clone(&self.control),
            record: Arc::clone(&self.record),
            pause: None,
        }
    }

    /// Makes the end of the connection a TCP RST.
    pub(super) fn reset_on_close(&self) {
        // Fails only for a socket that is gone already, which is reset enough.
        let _ = lock(&self.stream).tcp().set_zero_linger();
    }

    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(())
    }
}

impl AsyncRead for FaultStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.control.is_dead() {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(lock(&self.stream).poll_read(cx, buffer))?;
        let count = buffer.filled().len() - before;
        if count > 0 {
            self.record.update(|tallies| tallies.bytes += count as u64);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for FaultStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pause(cx));
        if self.control.is_dead() {
            return Poll::Pending;
        }
        let mut state = lock(&self.control.state);
        let mut allowed = bytes.len();
        if let Some(left) = state.left {
            allowed = allowed.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        let pace = state.pace;
        if let Some(pace) = pace {
            allowed = allowed.min(pace.bytes);
        }
        if allowed == 0 && !bytes.is_empty() {
            drop(state);
            ready!(lock(&self.stream).poll_flush(cx))?;
            return Poll::Ready(Err(cut()));
        }
        let bytes = bytes.get(..allowed).unwrap_or(bytes);
        let written = ready!(lock(&self.stream).poll_write(cx, bytes))?;
        state.left = state.left.map(|left| left.saturating_sub(written as u64));
        drop(state);
        if let Some(Pace { pause, .. }) = pace.filter(|pace| pace.pause > Duration::ZERO) {
            self.pause = Some(Box::pin(tokio::time::sleep(pause)));
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.control.is_dead() {
            return Poll::Pending;
        }
        ready!(lock(&self.stream).poll_flush(cx))?;
        let state = lock(&self.control.state);
        if state.left == Some(0) || (state.close_after_answer && state.answered) {
            return Poll::Ready(Err(cut()));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let was_cut = lock(&self.control.state).left == Some(0);
        let mut stream = lock(&self.stream);
        if was_cut {
            // The end of TCP without TLS's `close_notify`.
            return Pin::new(stream.tcp()).poll_shutdown(cx);
        }
        stream.poll_shutdown(cx)
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the script ends this connection here")
}
