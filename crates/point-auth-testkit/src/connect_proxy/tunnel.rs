//! One connection to the proxy: CONNECTs are read and refused until one is granted, then bytes pass
//! both ways.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::record::{ProxyCredentials, Record, RecordedConnect};
use super::{ProxyBehavior, Shared};
use crate::kept::keep;

const MAX_HEAD_BYTES: usize = 16 * 1024;

pub(super) async fn serve(shared: Arc<Shared>, mut client: TcpStream) {
    shared.record.update(|tallies| tallies.connections += 1);
    // A client that hangs up, or is no HTTP client at all, ends the connection and nothing else.
    while let Ok(Some(head)) = read_head(&mut client).await {
        match answer(&shared, &mut client, &head).await {
            Ok(Next::AnotherRequest) => {}
            Ok(Next::Tunnel(mut upstream, connect)) => {
                let mut tapped = Tapped { client, connect, record: Arc::clone(&shared.record) };
                let _ = tokio::io::copy_bidirectional(&mut tapped, &mut upstream).await;
                return;
            }
            Ok(Next::End) | Err(_) => {
                let _ = client.shutdown().await;
                return;
            }
        }
    }
}

enum Next {
    AnotherRequest,
    /// With the number of the CONNECT.
    Tunnel(TcpStream, usize),
    End,
}

/// Reads to the empty line, one byte at a time so as not to take the tunnel's first; `None` at the
/// end of the stream.
async fn read_head(client: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MAX_HEAD_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut byte = [0];
        if client.read(&mut byte).await? == 0 {
            return Ok(None);
        }
        head.extend(byte);
    }
    Ok(Some(head))
}

async fn answer(shared: &Shared, client: &mut TcpStream, head: &[u8]) -> io::Result<Next> {
    shared.record.update(|tallies| tallies.heads.push(head.to_vec()));
    let text = String::from_utf8_lossy(head);
    let Some(authority) = connect_authority(&text) else {
        shared.record.update(|tallies| tallies.other_requests += 1);
        respond(client, 405, "Allow: CONNECT\r\nConnection: close\r\n").await?;
        return Ok(Next::End);
    };

    let credentials = credentials(shared, &text);
    let number = shared.record.update(|tallies| {
        tallies.connects.push(RecordedConnect {
            authority: authority.to_owned(),
            credentials,
            status: None,
            sent: Vec::new(),
            received: Vec::new(),
        });
        tallies.connects.len() - 1
    });
    let answered = |status| {
        shared.record.update(|tallies| {
            if let Some(connect) = tallies.connects.get_mut(number) {
                connect.status = Some(status);
            }
        });
    };

    if shared.credentials.is_some() && credentials != ProxyCredentials::Right {
        answered(407);
        respond(client, 407, "Proxy-Authenticate: Basic realm=\"point-auth-testkit\"\r\n").await?;
        return Ok(Next::AnotherRequest);
    }
    match &shared.behavior {
        ProxyBehavior::Tunnel => {}
        ProxyBehavior::Silent => {
            // Until the client gives up.
            while !matches!(client.read(&mut [0; 1024]).await, Ok(0) | Err(_)) {}
            return Ok(Next::End);
        }
        ProxyBehavior::Refuse(status) => {
            answered(*status);
            respond(client, *status, "Connection: close\r\n").await?;
            return Ok(Next::End);
        }
        ProxyBehavior::Garbage(bytes) => {
            client.write_all(bytes).await?;
            return Ok(Next::End);
        }
        ProxyBehavior::Close => return Ok(Next::End),
    }
    let Some(target) = route(shared, authority) else {
        answered(403);
        respond(client, 403, "Connection: close\r\n").await?;
        return Ok(Next::End);
    };
    match TcpStream::connect(target).await {
        Ok(upstream) => {
            let _ = upstream.set_nodelay(true);
            answered(200);
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            Ok(Next::Tunnel(upstream, number))
        }
        Err(_) => {
            answered(502);
            respond(client, 502, "Connection: close\r\n").await?;
            Ok(Next::End)
        }
    }
}

fn connect_authority(head: &str) -> Option<&str> {
    let mut words = head.lines().next()?.split(' ');
    let (method, authority, version) = (words.next()?, words.next()?, words.next()?);
    (method == "CONNECT" && version == "HTTP/1.1").then_some(authority)
}

fn credentials(shared: &Shared, head: &str) -> ProxyCredentials {
    let value =
        head.lines().skip(1).filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
            name.eq_ignore_ascii_case("proxy-authorization").then(|| value.trim())
        });
    match (value, &shared.credentials) {
        (None, _) => ProxyCredentials::Missing,
        (Some(_), None) => ProxyCredentials::Unasked,
        (Some(value), Some(right)) => match value.split_once(' ') {
            Some((scheme, given))
                if scheme.eq_ignore_ascii_case("basic") && given.trim() == right =>
            {
                ProxyCredentials::Right
            }
            _ => ProxyCredentials::Wrong,
        },
    }
}

/// Where a tunnel may lead: a name that was mapped, or loopback.
fn route(shared: &Shared, authority: &str) -> Option<SocketAddr> {
    if let Some(target) = shared.routes.get(&authority.to_ascii_lowercase()) {
        return Some(*target);
    }
    let (host, port) = authority.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = if host.eq_ignore_ascii_case("localhost") {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        host.parse().ok()?
    };
    address.is_loopback().then_some(SocketAddr::new(address, port.parse().ok()?))
}

async fn respond(client: &mut TcpStream, status: u16, headers: &str) -> io::Result<()> {
    let status = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::BAD_GATEWAY);
    client
        .write_all(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\n\r\n").as_bytes())
        .await
}

/// The client's end of a tunnel, with its first bytes written down.
struct Tapped {
    client: TcpStream,
    connect: usize,
    record: Arc<Record>,
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.client).poll_read(cx, buffer))?;
        let bytes = buffer.filled().get(before..).unwrap_or_default();
        self.record.update(|tallies| {
            if let Some(connect) = tallies.connects.get_mut(self.connect) {
                keep(&mut connect.sent, bytes);
            }
        });
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { client, connect, record } = &mut *self;
        // Written and noted in one step, so that a reader of the bytes finds them in the
        // record.
        record.update(|tallies| {
            let written = ready!(Pin::new(client).poll_write(cx, bytes))?;
            if let Some(connect) = tallies.connects.get_mut(*connect) {
                keep(&mut connect.received, bytes.get(..written).unwrap_or_default());
            }
            Poll::Ready(Ok(written))
        })
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_shutdown(cx)
    }
}
