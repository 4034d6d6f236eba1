//! A TCP proxy on loopback that makes the way to a server slow, narrow or short, in either
//! direction, to the byte.

mod faults;
mod link;
mod record;

use std::collections::VecDeque;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use self::record::Record;
use crate::Error;
use crate::server_thread::{ServerThread, lock};

pub use self::faults::{Cut, Direction, Flow, LinkFaults};
pub use self::record::RecordedLink;

/// What the links of a proxy have in common.
struct Shared {
    target: SocketAddr,
    to_come: Mutex<ToCome>,
    /// For those that are open.
    open: watch::Sender<LinkFaults>,
    record: Arc<Record>,
}

/// The faults of connections that are to come.
#[derive(Default)]
struct ToCome {
    /// For one each, before those that are for all.
    next: VecDeque<LinkFaults>,
    all: LinkFaults,
}

/// A TCP proxy on a free port of 127.0.0.1, on a thread of its own; dropping it stops it and closes
/// its connections.
///
/// It knows nothing of what it carries, so TLS passes through it with the server's own certificate.
/// Without further ado everything passes as it came; faults are added for the next connection or
/// for all of them:
///
/// ```
/// use std::time::Duration;
/// use point_auth_testkit::{Cut, Direction, Emulator, FaultProxy, Flow, LinkFaults};
///
/// let emulator = Emulator::builder().user("user@example.com", "password").start()?;
/// let proxy = FaultProxy::start(emulator.addr())?;
///
/// // The next connection is reset once the server has got 100 bytes of it…
/// proxy.push_faults(LinkFaults::new().with(Direction::ToServer, Flow::new().cut_after(100, Cut::Reset)));
/// // …and every other one gets its answers byte by byte, each a moment after the last.
/// let drip = Flow::new().slices_of(1).pause(Duration::from_millis(1));
/// proxy.set_faults(LinkFaults::new().with(Direction::ToClient, drip));
///
/// // Point the client at `http://{proxy.addr()}`.
/// assert_eq!(proxy.connections(), 0);
/// # Ok::<(), point_auth_testkit::Error>(())
/// ```
pub struct FaultProxy {
    shared: Arc<Shared>,
    server: ServerThread,
}

/// What it does.
impl FaultProxy {
    /// Starts a proxy to `target`, which must be on loopback; it listens when this returns. Nobody
    /// has to listen at `target` yet: each connection makes its own, and is reset if it cannot.
    ///
    /// # Errors
    /// [`Error::Listen`] or [`Error::Thread`] if the system has no port or no thread left, and
    /// [`Error::NotLoopback`] if `target` is another machine.
    pub fn start(target: SocketAddr) -> Result<Self, Error> {
        if !target.ip().is_loopback() {
            return Err(Error::NotLoopback(target.ip()));
        }
        let shared = Arc::new(Shared {
            target,
            to_come: Mutex::default(),
            open: watch::Sender::new(LinkFaults::new()),
            record: Arc::new(Record::default()),
        });
        let for_connections = Arc::clone(&shared);
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        let server = ServerThread::start("point-auth-fault-proxy", address, move |tcp| {
            link::serve(Arc::clone(&for_connections), tcp)
        })?;
        Ok(Self { shared, server })
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.address()
    }

    /// The address it leads to.
    #[must_use]
    pub fn target(&self) -> SocketAddr {
        self.shared.target
    }

    /// Adds faults for the next connection that nothing added before is for. They come before those
    /// for all.
    pub fn push_faults(&self, faults: LinkFaults) {
        lock(&self.shared.to_come).next.push_back(faults);
    }

    /// How many connections there still are pushed faults for: 0 shows that a test met all that it
    /// wrote down.
    #[must_use]
    pub fn pending_faults(&self) -> usize {
        lock(&self.shared.to_come).next.len()
    }

    /// Gives all connections these faults in place of what they had: those to come, and at once
    /// those that are open.
    pub fn set_faults(&self, faults: LinkFaults) {
        lock(&self.shared.to_come).all = faults;
        self.set_faults_of_open_connections(faults);
    }

    /// Gives the connections that are open now these faults in place of what they had. The bytes of
    /// [`Flow::cut_after`] count from now.
    pub fn set_faults_of_open_connections(&self, faults: LinkFaults) {
        self.shared.open.send_modify(|open| *open = faults);
    }

    /// From now on everything passes, on connections that are open and those to come. What was lost
    /// stays lost.
    pub fn clear_faults(&self) {
        lock(&self.shared.to_come).next.clear();
        self.set_faults(LinkFaults::new());
    }
}

/// What it saw.
impl FaultProxy {
    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.record.read(|tallies| tallies.links.len())
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.record.read(|tallies| tallies.links.len() - tallies.closed)
    }

    /// How many connections it has cut, by closing or resetting them.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.shared.record.read(|tallies| tallies.cuts)
    }

    /// How many bytes it has read to be passed on in this direction, over all connections.
    #[must_use]
    pub fn bytes_arrived(&self, direction: Direction) -> u64 {
        self.shared.record.read(|tallies| tallies.arrived.of(direction))
    }

    /// How many bytes it has passed on in this direction, over all connections.
    #[must_use]
    pub fn bytes_passed(&self, direction: Direction) -> u64 {
        self.shared.record.read(|tallies| tallies.passed.of(direction))
    }

    /// Every connection so far, open or not, in the order in which they were accepted.
    #[must_use]
    pub fn links(&self) -> Vec<RecordedLink> {
        self.links_since(0)
    }

    /// The connections so far but the first `number`.
    #[must_use]
    pub fn links_since(&self, number: usize) -> Vec<RecordedLink> {
        self.shared.record.read(|tallies| tallies.links.get(number..).unwrap_or_default().to_vec())
    }

    /// Waits until `count` connections have been accepted; false if they were not within `timeout`.
    #[must_use]
    pub fn wait_for_connections(&self, count: usize, timeout: Duration) -> bool {
        self.shared.record.wait(timeout, |tallies| tallies.links.len() >= count)
    }

    /// Waits until `count` connections have been closed on both sides, by whomever; false if they
    /// were not within `timeout`.
    #[must_use]
    pub fn wait_for_closed_connections(&self, count: usize, timeout: Duration) -> bool {
        self.shared.record.wait(timeout, |tallies| tallies.closed >= count)
    }

    /// Waits until `count` connections have been cut; false if they were not within `timeout`. By
    /// then the client's system has been told.
    #[must_use]
    pub fn wait_for_cuts(&self, count: usize, timeout: Duration) -> bool {
        self.shared.record.wait(timeout, |tallies| tallies.cuts >= count)
    }

    /// Waits until `count` bytes have been passed on in this direction, over all connections; false
    /// if they were not within `timeout`.
    #[must_use]
    pub fn wait_for_bytes(&self, direction: Direction, count: u64, timeout: Duration) -> bool {
        self.shared.record.wait(timeout, |tallies| tallies.passed.of(direction) >= count)
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy")
            .field("addr", &self.addr())
            .field("target", &self.target())
            .finish_non_exhaustive()
    }
}
