//! [`Secured`]: what ureq reads and writes once TLS stands, with buffers that are wiped.

use std::fmt;
use std::io::{Read, Write};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};
use zeroize::Zeroize;

use crate::wire::broken;

/// TLS of some library over a connection.
pub(super) trait TlsStream: Read + Write + Send + Sync + 'static {
    /// The connection below.
    fn connection(&mut self) -> &mut TransportAdapter;

    /// Whether the other side has said that nothing more will come, or something came that nobody asked for.
    fn is_stale(&mut self) -> bool;

    /// What is behind an error: a TLS library may hide a timeout of the connection below.
    fn explain(&mut self, error: std::io::Error) -> Error {
        error.into()
    }
}

/// A connection with TLS, in the terms of ureq.
///
/// ureq puts the request into its output buffer and leaves it there for as long as the connection is idle in its pool, which
/// may be hours. So what was written is wiped, and what was read is wiped when the connection goes back or is closed.
pub(super) struct Secured<S: TlsStream> {
    buffers: LazyBuffers,
    stream: S,
}

impl<S: TlsStream> Secured<S> {
    pub(super) fn boxed(stream: S, details: &ConnectionDetails<'_>) -> Box<dyn Transport> {
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Box::new(Self { buffers, stream })
    }

    fn wipe_input(&mut self) {
        let length = self.buffers.input().len();
        self.buffers.input_consume(length);
        self.buffers.input_append_buf().zeroize();
    }
}

impl<S: TlsStream> Transport for Secured<S> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.connection().set_timeout(timeout);
        let output = self.buffers.output().get_mut(..amount).unwrap_or_default();
        // rustls' `write` swallows the error of the connection below, and its `flush` does not.
        let outcome = self.stream.write_all(output).and_then(|()| self.stream.flush());
        output.zeroize();
        outcome.map_err(|error| broken(self.stream.explain(error)))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.connection().set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        match self.stream.read(input) {
            Ok(count) => {
                self.buffers.input_appended(count);
                Ok(count > 0)
            }
            Err(error) => Err(broken(self.stream.explain(error))),
        }
    }

    fn is_open(&mut self) -> bool {
        let is_open = self.buffers.input().is_empty()
            && !self.stream.is_stale()
            && self.stream.connection().get_mut().buffers().input().is_empty()
            && self.stream.connection().get_mut().is_open();
        if is_open {
            self.wipe_input();
        }
        is_open
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl<S: TlsStream> Drop for Secured<S> {
    fn drop(&mut self) {
        self.wipe_input();
    }
}

impl<S: TlsStream> fmt::Debug for Secured<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use ureq::unversioned::transport::time::Instant;

    use super::*;

    const CANARY: &[u8] = b"cAnArY-5ae1";

    /// A connection that is open and has nothing to say.
    #[derive(Debug)]
    struct Idle(LazyBuffers);

    impl Transport for Idle {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.0
        }

        fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
            Ok(())
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
            Ok(false)
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    /// Reads the canary, and writes or fails to.
    struct Canary {
        connection: TransportAdapter,
        is_broken: bool,
    }

    impl Read for Canary {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            (&mut &*CANARY).read(buffer)
        }
    }

    impl Write for Canary {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            if self.is_broken { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(buffer.len()) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl TlsStream for Canary {
        fn connection(&mut self) -> &mut TransportAdapter {
            &mut self.connection
        }

        fn is_stale(&mut self) -> bool {
            false
        }
    }

    fn secured(is_broken: bool) -> Secured<Canary> {
        let idle: Box<dyn Transport> = Box::new(Idle(LazyBuffers::new(64, 64)));
        let connection = TransportAdapter::new(idle, Arc::new(Instant::now));
        Secured { buffers: LazyBuffers::new(64, 64), stream: Canary { connection, is_broken } }
    }

    #[test]
    fn what_was_written_is_wiped_whether_it_went_out_or_not() {
        for is_broken in [false, true] {
            let mut secured = secured(is_broken);
            secured.buffers().output()[..CANARY.len()].copy_from_slice(CANARY);
            assert_eq!(secured.transmit_output(CANARY.len(), NextTimeout::default()).is_err(), is_broken);
            assert_eq!(secured.buffers().output(), [0; 64]);
        }
    }

    #[test]
    fn what_was_read_is_wiped_when_the_connection_goes_back_to_the_pool() {
        let mut secured = secured(false);
        assert!(secured.await_input(NextTimeout::default()).unwrap());
        assert!(!secured.is_open(), "there is something that nobody has read");
        assert_eq!(secured.buffers().input(), CANARY);
        secured.buffers().input_consume(CANARY.len());
        assert!(secured.is_open());
        assert_eq!(secured.buffers().input_append_buf(), [0; 64]);
    }
}
