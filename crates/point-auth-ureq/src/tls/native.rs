//! TLS by the operating system's own library.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use native_tls::{HandshakeError, TlsConnector};
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Transport, TransportAdapter};

use super::secured::{Secured, TlsStream};
use crate::connect::time_left;

/// Performs the complete handshake over `connection`. No byte of the request goes out before.
pub(super) fn secure(
    connector: &TlsConnector,
    connection: Box<dyn Transport>,
    details: &ConnectionDetails<'_>,
) -> Result<Box<dyn Transport>, Error> {
    let mut adapter = TransportAdapter::new(connection, Arc::clone(&details.current_time));
    adapter.set_timeout(time_left(details)?);
    let failure = Failure::default();
    let watched = Watched { connection: adapter, failure: failure.clone() };
    match connector.connect(super::server_name(details), watched) {
        Ok(stream) => Ok(Secured::boxed(Native(stream), details)),
        Err(HandshakeError::Failure(error)) => {
            Err(failure.take().unwrap_or_else(|| Error::Io(io::Error::other(error))))
        }
        // Unreachable: the connection blocks.
        Err(HandshakeError::WouldBlock(_)) => {
            Err(failure.take().unwrap_or(Error::ConnectionFailed))
        }
    }
}

struct Native(native_tls::TlsStream<Watched>);

impl TlsStream for Native {
    fn connection(&mut self) -> &mut TransportAdapter {
        &mut self.0.get_mut().connection
    }

    fn is_stale(&mut self) -> bool {
        self.0.buffered_read_size().map_or(true, |size| size > 0)
    }

    fn explain(&mut self, error: io::Error) -> Error {
        self.0.get_ref().failure.take().unwrap_or_else(|| error.into())
    }
}

impl Read for Native {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        // Some libraries turn an error below into the end of the stream.
        match self.0.get_ref().failure.take() {
            Some(error) if count == 0 && !buffer.is_empty() => Err(error.into_io()),
            _ => Ok(count),
        }
    }
}

impl Write for Native {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The last error of the connection below. The libraries replace it by one of their own, which
/// would make a timeout look like an untrusted certificate.
#[derive(Clone, Default)]
struct Failure(Arc<Mutex<Option<Error>>>);

impl Failure {
    fn take(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep<T>(&self, outcome: io::Result<T>) -> io::Result<T> {
        outcome.map_err(|error| {
            let kind = error.kind();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.into());
            kind.into()
        })
    }
}

struct Watched {
    connection: TransportAdapter,
    failure: Failure,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let outcome = self.connection.read(buffer);
        self.failure.keep(outcome)
    }
}

impl Write for Watched {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let outcome = self.connection.write(buffer);
        self.failure.keep(outcome)
    }

    fn flush(&mut self) -> io::Result<()> {
        let outcome = self.connection.flush();
        self.failure.keep(outcome)
    }
}
