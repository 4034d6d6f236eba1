//! Sockets of the standard library with a deadline, name lookup included.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A deadline, or none if it lies beyond the range of the clock.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

/// The maximum wait for the standard library. No caller waits this long.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

impl Deadline {
    /// Returns the deadline `time` from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// Returns the earlier of the two.
    #[must_use]
    pub fn or_before(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(other)) => Self(Some(one.min(other))),
            (one, other) => Self(one.or(other)),
        }
    }

    /// Returns the time that is left. It is never zero, which the standard library rejects.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when it is over.
    pub fn left(self) -> io::Result<Duration> {
        let Some(until) = self.0 else { return Ok(LONGEST_WAIT) };
        match until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(left.min(LONGEST_WAIT)),
        }
    }
}

// ANCHOR: deadlined
/// A socket with a deadline for each read and write.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    until: Deadline,
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.until.left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.until.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
// ANCHOR_END: deadlined

impl Socket {
    /// Connects to `host`, a name or an IP address (in brackets or not), by `until`.
    ///
    /// `until` also applies to later reads and writes. The addresses of a name are tried one after
    /// the other; each gets its share of the time that is left.
    ///
    /// # Errors
    /// The error of the lookup or of the last address; [`io::ErrorKind::TimedOut`] when the time is
    /// over.
    pub fn connect(host: &str, port: u16, until: Deadline) -> io::Result<Self> {
        Self::connect_to_one_of(&look_up(host, port, until)?, until)
    }

    fn connect_to_one_of(addresses: &[SocketAddr], until: Deadline) -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for (address, untried) in addresses.iter().zip((1..=addresses.len()).rev()) {
            let share = until.left()? / u32::try_from(untried).unwrap_or(u32::MAX);
            match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
                Ok(stream) => {
                    // A request is written at once, so waiting for more data gains nothing.
                    stream.set_nodelay(true)?;
                    return Ok(Self { stream, until });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Sets another deadline for later reads and writes.
    pub fn set_deadline(&mut self, until: Deadline) {
        self.until = until;
    }
}

// ANCHOR: look_up
/// Returns the addresses of `host`, by `until`.
///
/// The standard library has no timeout for a lookup, so a name is looked up on a separate thread.
/// When the time is over, that thread continues alone. It holds only the name.
///
/// # Errors
/// The error of the lookup; [`io::ErrorKind::TimedOut`] when the time is over.
pub fn look_up(host: &str, port: u16, until: Deadline) -> io::Result<Vec<SocketAddr>> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (found, wait) = channel();
    let name = host.to_owned();
    thread::Builder::new().name("name look-up".to_owned()).spawn(move || {
        let addresses = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Once it is too late, the receiver is gone.
        let _ = found.send(addresses);
    })?;
    match wait.recv_timeout(until.left()?) {
        Ok(addresses) => addresses,
        Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
        Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}
// ANCHOR_END: look_up

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use point_auth_testkit::ClosedPort;

    use super::*;

    #[test]
    fn an_address_that_refuses_is_followed_by_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let closed = ClosedPort::reserve().unwrap();
        let elsewhere = closed.addr();
        let until = Deadline::after(Duration::from_secs(20));
        let socket = Socket::connect_to_one_of(&[elsewhere, here], until).unwrap();
        assert_eq!(socket.stream.peer_addr().unwrap(), here);
        assert!(Socket::connect_to_one_of(&[elsewhere], until).is_err());
        assert!(Socket::connect_to_one_of(&[], until).is_err());
    }

    #[test]
    fn a_deadline_that_is_over_leaves_no_time() {
        let error = Deadline::after(Duration::ZERO).left().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = look_up("localhost", 80, Deadline::after(Duration::ZERO)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn the_earlier_deadline_counts_and_no_clock_overflows() {
        let hour = Deadline::after(Duration::from_secs(3600));
        let never = Deadline::after(Duration::MAX);
        for both in [hour.or_before(never), never.or_before(hour)] {
            assert!(both.left().unwrap() <= Duration::from_secs(3600));
        }
        assert_eq!(never.left().unwrap(), LONGEST_WAIT);
    }

    #[test]
    fn an_address_needs_no_look_up_with_brackets_or_without() {
        let until = Deadline::after(Duration::from_secs(20));
        for host in ["::1", "[::1]"] {
            let addresses = look_up(host, 80, until).unwrap();
            assert_eq!(addresses, ["[::1]:80".parse().unwrap()]);
        }
    }
}
