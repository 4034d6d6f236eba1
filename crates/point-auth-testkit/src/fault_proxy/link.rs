//! One connection through the proxy: bytes are carried both ways, with the faults in force, until
//! both ways have ended or the connection is cut.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Shared;
use super::faults::{Cut, Direction, Flow, LinkFaults};
use super::record::{Record, RecordedLink};
use crate::server_thread::lock;

/// How long a connection that we closed waits for the two sides to close it, too. Closing with
/// unread input would turn the end into a reset.
const LINGER: Duration = Duration::from_secs(1);

const PIECE_BYTES: usize = 16 * 1024;

/// Why a connection ends before both ways have ended.
enum Ending {
    Cut(Cut),
    /// One side reset it, so the proxy resets the other side, too.
    Broken,
    /// The client closed a connection that is silent.
    Left,
}

struct CountsAsClosed(Arc<Record>);

impl Drop for CountsAsClosed {
    fn drop(&mut self) {
        self.0.update(|tallies| tallies.closed += 1);
    }
}

pub(super) async fn serve(shared: Arc<Shared>, mut client: TcpStream) {
    let record = &shared.record;
    let number = record.update(|tallies| {
        tallies.links.push(RecordedLink::default());
        tallies.links.len() - 1
    });
    // Dropped last, when the sockets are closed.
    let _closed = CountsAsClosed(Arc::clone(record));
    let (changes, faults) = {
        let mut to_come = lock(&shared.to_come);
        (shared.open.subscribe(), to_come.next.pop_front().unwrap_or(to_come.all))
    };

    let Ok(mut server) = TcpStream::connect(shared.target).await else {
        let _ = client.set_zero_linger();
        drop(client);
        return;
    };
    let _ = server.set_nodelay(true);
    let ending = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let pump = |direction, from, to| Pump {
            direction,
            from,
            to,
            flow: faults.flow(direction),
            passed: 0,
            changes: changes.clone(),
            number,
            record,
        };
        let there = pump(Direction::ToServer, from_client, to_server);
        let back = pump(Direction::ToClient, from_server, to_client);
        both_or_first_error(there.run(), back.run()).await
    };
    match ending {
        Err(Ending::Cut(Cut::Reset)) => {
            reset(client, server);
            record.update(|tallies| tallies.cuts += 1);
        }
        Err(Ending::Cut(_)) => {
            let _ = client.shutdown().await;
            let _ = server.shutdown().await;
            record.update(|tallies| tallies.cuts += 1);
            let there = drain(&mut client, number, Direction::ToServer, record);
            let back = drain(&mut server, number, Direction::ToClient, record);
            let _ = timeout(LINGER, both_or_first_error(there, back)).await;
            drop((client, server));
        }
        Err(Ending::Broken) => reset(client, server),
        Ok(()) | Err(Ending::Left) => drop((client, server)),
    }
}

fn reset(client: TcpStream, server: TcpStream) {
    for stream in [client, server] {
        // Fails only for a socket that is gone already, which is reset enough.
        let _ = stream.set_zero_linger();
    }
}

/// Reads until the other side closes as well.
async fn drain(
    from: &mut TcpStream,
    number: usize,
    direction: Direction,
    record: &Record,
) -> Result<(), Ending> {
    let mut unread = [0; 1024];
    while let Ok(count @ 1..) = from.read(&mut unread).await {
        record.update(|tallies| tallies.arrived(number, direction, count));
    }
    Ok(())
}

/// One way of a connection.
struct Pump<'a> {
    direction: Direction,
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
    flow: Flow,
    /// Since the flow is in force.
    passed: u64,
    changes: watch::Receiver<LinkFaults>,
    number: usize,
    record: &'a Record,
}

impl Pump<'_> {
    async fn run(mut self) -> Result<(), Ending> {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            self.look_for_changes();
            let is_silent = match self.flow.cut_due(self.passed) {
                None => false,
                Some(Cut::Silence) => true,
                Some(Cut::Stall) => {
                    self.wait_for_other_faults().await;
                    continue;
                }
                Some(cut) => return Err(Ending::Cut(cut)),
            };
            match self.from.try_read(&mut buffer) {
                Ok(0) if is_silent => return self.end_of_silence(),
                Ok(0) => {
                    sleep(self.flow.slow_close).await;
                    return self.to.shutdown().await.map_err(|_| Ending::Broken);
                }
                Ok(count) => {
                    let (number, direction) = (self.number, self.direction);
                    self.record.update(|tallies| tallies.arrived(number, direction, count));
                    self.pass(buffer.get(..count).unwrap_or_default()).await?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait().await?,
                Err(_) if is_silent => return self.end_of_silence(),
                Err(_) => return Err(Ending::Broken),
            }
        }
    }

    /// The sender in this direction has closed.
    const fn end_of_silence(&self) -> Result<(), Ending> {
        match self.direction {
            Direction::ToServer => Err(Ending::Left),
            // The client is not told of that either, and waits on.
            Direction::ToClient => Ok(()),
        }
    }

    fn look_for_changes(&mut self) {
        if self.changes.has_changed().unwrap_or(false) {
            self.flow = self.changes.borrow_and_update().flow(self.direction);
            self.passed = 0;
        }
    }

    /// Until there is something to read, or other faults are in force.
    async fn wait(&mut self) -> Result<(), Ending> {
        let mut is_changed = false;
        let readable = {
            let mut readable = pin!(self.from.readable());
            let mut changed = pin!(self.changes.changed());
            poll_fn(|cx| {
                if changed.as_mut().poll(cx).is_ready() {
                    is_changed = true;
                    return Poll::Ready(Ok(()));
                }
                readable.as_mut().poll(cx)
            })
            .await
        };
        if is_changed {
            // A receiver that looks for changes sees it once more.
            self.changes.mark_changed();
        }
        readable.map_err(|_| Ending::Broken)
    }

    async fn wait_for_other_faults(&mut self) {
        if self.changes.changed().await.is_err() {
            // The proxy is gone, and this task goes with it.
            return std::future::pending().await;
        }
        self.changes.mark_changed();
    }

    async fn pass(&mut self, mut bytes: &[u8]) -> Result<(), Ending> {
        if !self.flow.latency.is_zero() {
            sleep(self.flow.latency).await;
        }
        while !bytes.is_empty() {
            // Here, too: what was read after a change is subject to it.
            self.look_for_changes();
            match self.flow.cut_due(self.passed) {
                None => {}
                Some(Cut::Silence) => return Ok(()),
                Some(Cut::Stall) => {
                    self.wait_for_other_faults().await;
                    continue;
                }
                Some(cut) => return Err(Ending::Cut(cut)),
            }
            let portion = self.flow.portion(bytes.len(), self.passed);
            let written = self.write(bytes.get(..portion).unwrap_or(bytes)).await?;
            self.passed += written as u64;
            bytes = bytes.get(written..).unwrap_or_default();
            let pause = self.flow.pause_after(written);
            if !pause.is_zero() {
                sleep(pause).await;
            } else if self.flow.slice.is_some() {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Ending> {
        loop {
            self.to.writable().await.map_err(|_| Ending::Broken)?;
            // Written and noted in one step, so that a reader of the bytes finds them in
            // the record.
            let written = self.record.update(|tallies| {
                let written = self.to.try_write(bytes)?;
                tallies.passed(
                    self.number,
                    self.direction,
                    bytes.get(..written).unwrap_or_default(),
                );
                Ok::<_, io::Error>(written)
            });
            match written {
                Ok(written) => return Ok(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Ending::Broken),
            }
        }
    }
}

/// Runs both until both are done, or one fails.
async fn both_or_first_error(
    one: impl Future<Output = Result<(), Ending>>,
    other: impl Future<Output = Result<(), Ending>>,
) -> Result<(), Ending> {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut one_is_done, mut other_is_done) = (false, false);
    poll_fn(|cx| {
        if !one_is_done && let Poll::Ready(ending) = one.as_mut().poll(cx) {
            ending?;
            one_is_done = true;
        }
        if !other_is_done && let Poll::Ready(ending) = other.as_mut().poll(cx) {
            ending?;
            other_is_done = true;
        }
        if one_is_done && other_is_done { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await
}
