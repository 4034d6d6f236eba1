//! [`Secured`]: the connection that ureq reads and writes after the handshake.

use std::fmt;
use std::io::{Read, Write};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use crate::wire::Wire;

/// A TLS stream of any library over a connection.
pub(super) trait TlsStream: Read + Write + Send + Sync + 'static {
    /// Returns the connection below.
    fn connection(&mut self) -> &mut TransportAdapter;

    /// Returns whether the peer has closed the stream, or has sent bytes that no request asked for.
    fn is_stale(&mut self) -> bool;

    /// Returns the cause of an error: a TLS library may hide a timeout of the connection below.
    fn explain(&mut self, error: std::io::Error) -> Error {
        error.into()
    }
}

/// A connection with TLS, as a transport of ureq.
pub(super) struct Secured<S: TlsStream> {
    buffers: LazyBuffers,
    stream: S,
}

impl<S: TlsStream> Secured<S> {
    pub(super) fn boxed(stream: S, details: &ConnectionDetails<'_>) -> Box<dyn Transport> {
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Wire::boxed(Self { buffers, stream })
    }
}

impl<S: TlsStream> Transport for Secured<S> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.connection().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        // rustls' `write` swallows the error of the connection below, and its `flush` does not.
        let outcome = self.stream.write_all(output).and_then(|()| self.stream.flush());
        outcome.map_err(|error| self.stream.explain(error))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.connection().set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        match self.stream.read(input) {
            Ok(count) => {
                self.buffers.input_appended(count);
                Ok(count > 0)
            }
            Err(error) => Err(self.stream.explain(error)),
        }
    }

    fn is_open(&mut self) -> bool {
        !self.stream.is_stale() && self.stream.connection().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl<S: TlsStream> fmt::Debug for Secured<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured").finish_non_exhaustive()
    }
}
