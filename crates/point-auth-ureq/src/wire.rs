//! A connection that has not ended properly is broken, where ureq would take it for the end of a body.

use std::io;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

/// A plain connection.
#[derive(Debug)]
pub(crate) struct Plain<T>(pub(crate) T);

impl<T: Transport> Transport for Plain<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.transmit_output(amount, timeout).map_err(broken)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout).map_err(broken)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }
}

/// ureq ends a body without a length at these three, and would hand out what has arrived as the whole.
pub(crate) fn broken(error: impl Into<Error>) -> Error {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error.into() {
        Error::Io(error) if matches!(error.kind(), UnexpectedEof | ConnectionAborted | ConnectionReset) => {
            Error::Io(io::Error::new(io::ErrorKind::BrokenPipe, error))
        }
        error => error,
    }
}
