//! A TCP server that knows nothing of HTTP: it keeps still, sends what it is told, or hangs up, and
//! counts.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Error;
use crate::kept::keep;
use crate::server_thread::ServerThread;
use crate::watched::Watched;

/// What a [`RawServer`] does with every connection.
#[derive(Clone)]
#[non_exhaustive]
pub enum RawBehavior {
    /// Accepts and reads, and never says a word: a server that hangs before TLS, or instead of
    /// HTTP.
    Silent,
    /// Sends these bytes at once, then reads until the client closes.
    Send(Bytes),
    /// Sends these bytes at once and ends the stream.
    SendAndClose(Bytes),
    /// Waits for the client's first bytes, then sends these and ends the stream.
    Answer(Bytes),
    /// Ends the connection at once, in good order.
    Close,
    /// Resets the connection at once (TCP RST).
    Reset,
}

impl fmt::Debug for RawBehavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "Silent",
            Self::Send(_) => "Send(..)",
            Self::SendAndClose(_) => "SendAndClose(..)",
            Self::Answer(_) => "Answer(..)",
            Self::Close => "Close",
            Self::Reset => "Reset",
        })
    }
}

/// A TCP server on a free port of 127.0.0.1, on a thread of its own; dropping it stops it.
///
/// As the target of a redirect it shows that nothing came: no connection, no byte.
pub struct RawServer {
    record: Arc<Record>,
    server: ServerThread,
}

type Record = Watched<Tallies>;

#[derive(Default)]
struct Tallies {
    received: Vec<Vec<u8>>,
    bytes: u64,
    closed: usize,
}

impl RawServer {
    /// Starts a server; it listens when this returns.
    ///
    /// # Errors
    /// [`Error::Listen`] or [`Error::Thread`] if the system has no port or no thread left.
    pub fn start(behavior: RawBehavior) -> Result<Self, Error> {
        let record = Arc::new(Record::default());
        let for_connections = Arc::clone(&record);
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        let server = ServerThread::start("point-auth-raw-server", address, move |tcp| {
            serve(Arc::clone(&for_connections), behavior.clone(), tcp)
        })?;
        Ok(Self { record, server })
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.record.read(|tallies| tallies.received.len())
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.record.read(|tallies| tallies.received.len() - tallies.closed)
    }

    /// How many bytes arrived, over all connections.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.record.read(|tallies| tallies.bytes)
    }

    /// The first 64 KiB that each connection received, in the order in which they were accepted.
    #[must_use]
    pub fn received(&self) -> Vec<Vec<u8>> {
        self.record.read(|tallies| tallies.received.clone())
    }

    /// Waits until `count` connections have been accepted; false if they were not within `timeout`.
    #[must_use]
    pub fn wait_for_connections(&self, count: usize, timeout: Duration) -> bool {
        self.record.wait(timeout, |tallies| tallies.received.len() >= count)
    }

    /// Waits until `count` bytes have arrived; false if they did not within `timeout`.
    #[must_use]
    pub fn wait_for_bytes(&self, count: u64, timeout: Duration) -> bool {
        self.record.wait(timeout, |tallies| tallies.bytes >= count)
    }

    /// Waits until `count` connections have been closed, by whichever side; false if they were not
    /// within `timeout`.
    #[must_use]
    pub fn wait_for_closed_connections(&self, count: usize, timeout: Duration) -> bool {
        self.record.wait(timeout, |tallies| tallies.closed >= count)
    }
}

impl fmt::Debug for RawServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawServer").field("addr", &self.addr()).finish_non_exhaustive()
    }
}

struct CountsAsClosed(Arc<Record>);

impl Drop for CountsAsClosed {
    fn drop(&mut self) {
        self.0.update(|tallies| tallies.closed += 1);
    }
}

async fn serve(record: Arc<Record>, behavior: RawBehavior, tcp: TcpStream) {
    let number = record.update(|tallies| {
        tallies.received.push(Vec::new());
        tallies.received.len() - 1
    });
    let _closed = CountsAsClosed(Arc::clone(&record));
    let mut connection = Connection { tcp, number, record };
    // A client that hangs up first is one of the things to happen here.
    let _ = connection.play(behavior).await;
}

struct Connection {
    tcp: TcpStream,
    number: usize,
    record: Arc<Record>,
}

impl Connection {
    async fn play(&mut self, behavior: RawBehavior) -> io::Result<()> {
        match behavior {
            RawBehavior::Silent => {}
            RawBehavior::Send(bytes) => self.tcp.write_all(&bytes).await?,
            RawBehavior::SendAndClose(bytes) => {
                self.tcp.write_all(&bytes).await?;
                self.tcp.shutdown().await?;
            }
            RawBehavior::Answer(bytes) => {
                self.read().await?;
                self.tcp.write_all(&bytes).await?;
                self.tcp.shutdown().await?;
            }
            RawBehavior::Close => self.tcp.shutdown().await?,
            RawBehavior::Reset => return self.tcp.set_zero_linger(),
        }
        // Until the client closes, too: closing with unread input would reset the connection.
        while self.read().await? > 0 {}
        Ok(())
    }

    async fn read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 4096];
        let count = self.tcp.read(&mut buffer).await?;
        self.record.update(|tallies| {
            tallies.bytes += count as u64;
            if let (Some(kept), Some(new)) =
                (tallies.received.get_mut(self.number), buffer.get(..count))
            {
                keep(kept, new);
            }
        });
        Ok(count)
    }
}
