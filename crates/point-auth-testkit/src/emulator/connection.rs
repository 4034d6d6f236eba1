//! One connection: TLS if there is TLS, then hyper, then the end that the script wants.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::body::AnswerBody;
use super::record::Record;
use super::service::{self, Connection};
use super::stream::{FaultStream, Stream, WriteControl};
use super::{HttpVersions, Shared};

/// How long a connection that we ended waits for the client to end it, too. Closing with unread
/// input would turn the end into a reset and destroy what is still on its way to the client.
const LINGER: Duration = Duration::from_secs(1);

/// What a request can ask of the task that looks after its connection.
pub(super) enum Command {
    /// Ends the connection in good order, now.
    Close,
    /// Ends it with a TCP RST.
    Reset,
    /// Sends these bytes and this body below HTTP, then ends the connection in good order.
    Send(Bytes, Box<AnswerBody>),
    /// HTTP/2: says that nothing was processed, with this error code, and ends the connection.
    GoAway(u32),
    /// HTTP/2: lets the streams that are open end, and no more begin.
    GoAwayAfterAnswers,
}

/// Counts the connection as closed when everything of it is gone.
struct CountsAsClosed(Arc<Shared>);

impl Drop for CountsAsClosed {
    fn drop(&mut self) {
        self.0.record.update(|tallies| tallies.closed += 1);
    }
}

pub(super) async fn serve(shared: Arc<Shared>, tcp: TcpStream) {
    let number = shared.record.update(|tallies| {
        tallies.accepted += 1;
        tallies.accepted - 1
    });
    let _closed = CountsAsClosed(Arc::clone(&shared));
    let Some(stream) = handshake(&shared.record, shared.tls.as_ref(), tcp).await else { return };

    let (server_name, client_certificate) = identities(&stream);
    let control = Arc::new(WriteControl::default());
    let mut wire = FaultStream::new(stream, Arc::clone(&control), Arc::clone(&shared.record));
    let (commands, inbox) = mpsc::unbounded_channel();
    let connection = Arc::new(Connection {
        number,
        reused: AtomicBool::new(false),
        control,
        commands,
        server_name,
        client_certificate,
    });

    let command = run_http(shared, connection, wire.another(), inbox).await;
    // The client may be gone, in which case nothing of this can be done, or has to.
    let _ = end(&mut wire, command).await;
}

async fn handshake(record: &Record, tls: Option<&TlsAcceptor>, tcp: TcpStream) -> Option<Stream> {
    let Some(acceptor) = tls else { return Some(Stream::Plain(tcp)) };
    match acceptor.accept(tcp).into_fallible().await {
        Ok(mut tls) => {
            let early = tls.get_mut().1.early_data();
            // It is all there once the handshake is over, and reading it does not fail.
            let early = early.map(|mut early| io::copy(&mut early, &mut io::sink()));
            record.update(|tallies| {
                tallies.handshakes += 1;
                tallies.early_bytes += early.and_then(Result::ok).unwrap_or_default();
            });
            Some(Stream::Tls(Box::new(tls)))
        }
        Err((_, mut tcp)) => {
            record.update(|tallies| tallies.failed_handshakes += 1);
            // In TLS 1.3 a client that shows no certificate learns of it only after it has sent its
            // request.
            let _ = tcp.shutdown().await;
            drain(&mut tcp).await;
            None
        }
    }
}

/// The server name the client asked for, and the certificate it showed.
fn identities(stream: &Stream) -> (Option<String>, Option<Bytes>) {
    let Stream::Tls(tls) = stream else { return (None, None) };
    let (_, session) = tls.get_ref();
    let certificate = session.peer_certificates().and_then(<[_]>::first);
    (session.server_name().map(str::to_owned), certificate.map(|der| Bytes::copy_from_slice(der)))
}

/// Speaks HTTP until the connection ends or a request wants it ended.
async fn run_http(
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    stream: FaultStream,
    mut inbox: mpsc::UnboundedReceiver<Command>,
) -> Option<Command> {
    let builder = auto::Builder::new(TokioExecutor::new());
    let builder = match shared.versions {
        HttpVersions::Both => builder,
        HttpVersions::Http1Only => builder.http1_only(),
        HttpVersions::Http2Only => builder.http2_only(),
    };
    let service = service_fn(move |request: Request<Incoming>| {
        service::handle(Arc::clone(&shared), Arc::clone(&connection), request)
    });
    let mut http = pin!(builder.serve_connection(TokioIo::new(stream), service));
    poll_fn(|cx| {
        // HTTP first, so that it has sent what it had to say when a command takes the connection
        // from it.
        if http.as_mut().poll(cx).is_ready() {
            return Poll::Ready(inbox.try_recv().ok());
        }
        while let Poll::Ready(Some(command)) = inbox.poll_recv(cx) {
            if !matches!(command, Command::GoAwayAfterAnswers) {
                return Poll::Ready(Some(command));
            }
            http.as_mut().graceful_shutdown();
            if http.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
        }
        Poll::Pending
    })
    .await
}

async fn end(wire: &mut FaultStream, command: Option<Command>) -> io::Result<()> {
    match command {
        Some(Command::Reset) => {
            wire.reset_on_close();
            return Ok(());
        }
        Some(Command::Send(head, body)) => {
            // Cut short by the script or by the client: either way the connection ends now.
            let _ = send(wire, &head, *body).await;
        }
        Some(Command::GoAway(code)) => wire.write_all(&goaway_frame(code)).await?,
        Some(Command::Close | Command::GoAwayAfterAnswers) | None => {}
    }
    wire.shutdown().await?;
    drain(wire).await;
    Ok(())
}

async fn send(wire: &mut FaultStream, head: &[u8], body: AnswerBody) -> io::Result<()> {
    let mut body = pin!(body);
    wire.write_all(head).await?;
    wire.flush().await?;
    while let Some(Ok(frame)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        if let Ok(bytes) = frame.into_data() {
            wire.write_all(&bytes).await?;
            wire.flush().await?;
        }
    }
    Ok(())
}

/// RFC 9113, section 6.8: eight bytes of payload on stream 0; last processed stream 0, then the
/// error code.
fn goaway_frame(error_code: u32) -> Vec<u8> {
    const LENGTH_TYPE_FLAGS_STREAM: [u8; 9] = [0, 0, 8, 0x7, 0, 0, 0, 0, 0];
    const LAST_STREAM: [u8; 4] = [0; 4];
    [&LENGTH_TYPE_FLAGS_STREAM[..], &LAST_STREAM, &error_code.to_be_bytes()].concat()
}

/// Reads until the client closes as well.
async fn drain(mut stream: impl AsyncRead + Unpin) {
    let mut unread = [0; 1024];
    let everything =
        async { while matches!(Pin::new(&mut stream).read(&mut unread).await, Ok(1..)) {} };
    let _ = timeout(LINGER, everything).await;
}
