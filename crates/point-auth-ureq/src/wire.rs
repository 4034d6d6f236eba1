//! [`Wire`]: a connection as ureq sees it, with wiped buffers, that is broken after an improper
//! end.

use std::io;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};
use zeroize::Zeroize;

/// A connection, with TLS or without.
///
/// ureq puts the request into the output buffer and leaves it there while the connection is idle in
/// its pool, possibly for hours. So written data is wiped after the write, and read data when the
/// connection returns to the pool or closes. Data that a timeout kept from being written is wiped
/// when the connection closes.
#[derive(Debug)]
pub(crate) struct Wire<T: Transport>(T);

impl<T: Transport> Wire<T> {
    pub(crate) fn boxed(connection: T) -> Box<dyn Transport> {
        Box::new(Self(connection))
    }

    fn wipe_input(&mut self) {
        let buffers = self.0.buffers();
        let length = buffers.input().len();
        buffers.input_consume(length);
        buffers.input_append_buf().zeroize();
    }
}

impl<T: Transport> Transport for Wire<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let outcome = self.0.transmit_output(amount, timeout);
        self.0.buffers().output().get_mut(..amount).unwrap_or_default().zeroize();
        outcome.map_err(broken)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout).map_err(broken)
    }

    fn is_open(&mut self) -> bool {
        // Unread data is not a response to the next request.
        let is_open = self.0.buffers().input().is_empty() && self.0.is_open();
        if is_open {
            self.wipe_input();
        }
        is_open
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

impl<T: Transport> Drop for Wire<T> {
    fn drop(&mut self) {
        self.wipe_input();
        self.0.buffers().output().zeroize();
    }
}

/// With these three errors ureq ends a body without a length, and would return the part as
/// complete.
pub(crate) fn broken(error: impl Into<Error>) -> Error {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error.into() {
        Error::Io(error)
            if matches!(error.kind(), UnexpectedEof | ConnectionAborted | ConnectionReset) =>
        {
            Error::Io(io::Error::new(io::ErrorKind::BrokenPipe, error))
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use ureq::unversioned::transport::LazyBuffers;

    use super::*;

    const CANARY: &[u8] = b"cAnArY-5ae1";

    /// A transport that is open, reads the canary, and writes or fails to.
    #[derive(Debug)]
    struct Canary {
        buffers: LazyBuffers,
        is_broken: bool,
    }

    impl Transport for Canary {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
            if self.is_broken {
                Err(io::Error::from(io::ErrorKind::ConnectionReset).into())
            } else {
                Ok(())
            }
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
            self.buffers.input_append_buf()[..CANARY.len()].copy_from_slice(CANARY);
            self.buffers.input_appended(CANARY.len());
            Ok(true)
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    fn wire(is_broken: bool) -> Wire<Canary> {
        Wire(Canary { buffers: LazyBuffers::new(64, 64), is_broken })
    }

    #[test]
    fn what_was_written_is_wiped_whether_it_went_out_or_not() {
        for is_broken in [false, true] {
            let mut wire = wire(is_broken);
            wire.buffers().output()[..CANARY.len()].copy_from_slice(CANARY);
            assert_eq!(
                wire.transmit_output(CANARY.len(), NextTimeout::default()).is_err(),
                is_broken
            );
            assert_eq!(wire.buffers().output(), [0; 64]);
        }
    }

    #[test]
    fn what_was_never_written_is_wiped_when_the_connection_is_closed() {
        let mut canary = Canary { buffers: LazyBuffers::new(64, 64), is_broken: false };
        canary.buffers.output()[..CANARY.len()].copy_from_slice(CANARY);
        let left = Arc::new(Mutex::new(Vec::new()));
        drop(Wire(LooksBack { canary, left: Arc::clone(&left) }));
        assert_eq!(*left.lock().unwrap(), [0; 64]);
    }

    /// A transport that keeps the content of the output buffer when it is dropped.
    #[derive(Debug)]
    struct LooksBack {
        canary: Canary,
        left: Arc<Mutex<Vec<u8>>>,
    }

    impl Transport for LooksBack {
        fn buffers(&mut self) -> &mut dyn Buffers {
            self.canary.buffers()
        }

        fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
            self.canary.transmit_output(amount, timeout)
        }

        fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
            self.canary.await_input(timeout)
        }

        fn is_open(&mut self) -> bool {
            self.canary.is_open()
        }
    }

    impl Drop for LooksBack {
        fn drop(&mut self) {
            *self.left.lock().unwrap() = self.canary.buffers.output().to_vec();
        }
    }

    #[test]
    fn what_was_read_is_wiped_when_the_connection_goes_back_to_the_pool() {
        let mut wire = wire(false);
        assert!(wire.await_input(NextTimeout::default()).unwrap());
        assert!(!wire.is_open(), "there are unread bytes");
        assert_eq!(wire.buffers().input(), CANARY);
        wire.buffers().input_consume(CANARY.len());
        assert!(wire.is_open());
        assert_eq!(wire.buffers().input_append_buf(), [0; 64]);
    }
}
