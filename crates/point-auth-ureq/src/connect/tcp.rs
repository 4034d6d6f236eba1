//! [`Tcp`]: a TCP connection with a deadline for each read and write.
//!
//! ureq's own connection restarts the remaining time for each part of a write. If a server stops
//! reading, an exchange then takes a multiple of its limit.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::time::Duration as Limit;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

/// A TCP connection.
#[derive(Debug)]
pub(super) struct Tcp {
    stream: TcpStream,
    buffers: LazyBuffers,
}

impl Tcp {
    /// Connects to the first of `addrs` that accepts.
    ///
    /// Each address gets an equal share of the time that is left, so that a silent one leaves time
    /// for the others.
    pub(super) fn connect(
        addrs: &ResolvedSocketAddrs,
        timeout: NextTimeout,
        config: &Config,
    ) -> Result<Self, Error> {
        let deadline = Deadline::new(timeout);
        let mut failure = Error::ConnectionFailed;
        for (addr, untried) in addrs.iter().zip((1..=addrs.len()).rev()) {
            let share = deadline.left()?.map(|left| left / u32::try_from(untried).unwrap_or(1));
            match dial(addr, share) {
                Ok(stream) => {
                    stream.set_nodelay(config.no_delay())?;
                    let buffers =
                        LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
                    return Ok(Self { stream, buffers });
                }
                Err(error) => failure = deadline.explain(error),
            }
        }
        Err(failure)
    }
}

fn dial(addr: &SocketAddr, limit: Option<Duration>) -> io::Result<TcpStream> {
    match limit {
        Some(limit) => TcpStream::connect_timeout(addr, limit),
        None => TcpStream::connect(addr),
    }
}

/// macOS cannot set a limit on a connection that the peer has closed; the read or write reports it.
fn set(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if cfg!(target_os = "macos") && error.kind() == io::ErrorKind::InvalidInput => {
            Ok(())
        }
        outcome => outcome,
    }
}

impl Transport for Tcp {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let deadline = Deadline::new(timeout);
        let mut output: &[u8] = self.buffers.output().get(..amount).unwrap_or_default();
        while !output.is_empty() {
            set(self.stream.set_write_timeout(deadline.left()?))?;
            match self.stream.write(output) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(written) => output = output.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(deadline.explain(error)),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let deadline = Deadline::new(timeout);
        let input = self.buffers.input_append_buf();
        loop {
            set(self.stream.set_read_timeout(deadline.left()?))?;
            match self.stream.read(input) {
                Ok(count) => {
                    self.buffers.input_appended(count);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(deadline.explain(error)),
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // After a close, or after bytes that no request asked for, the connection is unusable.
        let is_set = self.stream.set_nonblocking(true).is_ok();
        let peeked = self.stream.peek(&mut [0]);
        let is_quiet = peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).is_ok() && is_set && is_quiet
    }
}

/// The moment by which one read or write, with all its parts, must end.
struct Deadline {
    timeout: NextTimeout,
    start: Instant,
}

impl Deadline {
    fn new(timeout: NextTimeout) -> Self {
        Self { timeout, start: Instant::now() }
    }

    /// Returns the time that is left, or `None` where there is no limit.
    fn left(&self) -> Result<Option<Duration>, Error> {
        let Limit::Exact(limit) = self.timeout.after else { return Ok(None) };
        match limit.saturating_sub(self.start.elapsed()) {
            Duration::ZERO => Err(Error::Timeout(self.timeout.reason)),
            left => Ok(Some(left)),
        }
    }

    /// Distinguishes a reached limit, for which the systems have two kinds, from other failures.
    fn explain(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                Error::Timeout(self.timeout.reason)
            }
            _ => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn within(limit: Duration) -> NextTimeout {
        NextTimeout { after: Limit::Exact(limit), ..NextTimeout::default() }
    }

    #[test]
    fn a_write_that_is_sent_in_parts_ends_by_its_deadline() {
        const MORE_THAN_BUFFERS_HOLD: usize = 20 * 1024 * 1024;
        let never_reads = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(never_reads.local_addr().unwrap()).unwrap();
        let buffers = LazyBuffers::new(1024, MORE_THAN_BUFFERS_HOLD);
        let mut tcp = Tcp { stream, buffers };
        let start = Instant::now();
        let error = tcp.transmit_output(MORE_THAN_BUFFERS_HOLD, within(Duration::from_secs(3)));
        assert!(matches!(error, Err(Error::Timeout(_))), "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }

    #[test]
    fn a_connection_is_open_until_something_comes_or_it_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        for end in [b"x".as_slice(), b""] {
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let mut tcp = Tcp { stream, buffers: LazyBuffers::new(64, 64) };
            let (mut server, _) = listener.accept().unwrap();
            assert!(tcp.is_open());
            server.write_all(end).unwrap();
            drop(server);
            // Waits until the bytes have arrived.
            tcp.stream.peek(&mut [0]).unwrap();
            assert!(!tcp.is_open());
        }
    }
}
