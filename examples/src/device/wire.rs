//! A connection with one buffer of a fixed size, which serves the request first and then the
//! response.

use std::io::{self, Read, Write};

use point_auth::transport::TransportError;
use zeroize::Zeroizing;

use super::{broken, refused};

/// The size of the buffer. The head of a response must fit into it as a whole.
pub const BUFFER_BYTES: usize = 8 * 1024;

/// The request on its way. The buffer is wiped when it drops.
pub(super) struct Outgoing<S> {
    stream: S,
    buffer: Zeroizing<Box<[u8]>>,
    filled: usize,
}

impl<S: Read + Write> Outgoing<S> {
    pub(super) fn new(stream: S) -> Self {
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Self { stream, buffer: Zeroizing::new(buffer), filled: 0 }
    }

    /// Puts `bytes` into the buffer, and writes it out as often as it is full.
    pub(super) fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.filled == self.buffer.len() {
                self.write_out()?;
            }
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            let (now, later) = bytes.split_at(bytes.len().min(room.len()));
            room.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            self.filled += now.len();
            bytes = later;
        }
        Ok(())
    }

    /// Writes out the rest, and turns to what comes back.
    pub(super) fn finish(mut self) -> io::Result<Incoming<S>> {
        self.write_out()?;
        self.stream.flush()?;
        Ok(Incoming { stream: self.stream, buffer: self.buffer, start: 0, end: 0 })
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.stream.write_all(self.buffer.get(..self.filled).unwrap_or_default())?;
        self.filled = 0;
        Ok(())
    }
}

/// The response as it comes in.
pub(super) struct Incoming<S> {
    stream: S,
    buffer: Zeroizing<Box<[u8]>>,
    start: usize,
    end: usize,
}

impl<S: Read> Incoming<S> {
    /// What has arrived and was not used up yet.
    pub(super) fn arrived(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn use_up(&mut self, count: usize) {
        self.start = self.end.min(self.start.saturating_add(count));
    }

    /// Waits for more, of which there must be some.
    pub(super) fn more(&mut self) -> Result<(), TransportError> {
        if self.more_or_end()? {
            Ok(())
        } else {
            Err(refused("the connection ended in the middle"))
        }
    }

    /// Waits for more, or for the end of the connection: false.
    pub(super) fn more_or_end(&mut self) -> Result<bool, TransportError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        if room.is_empty() {
            return Err(refused("the head, or the line of a chunk, does not fit into the buffer"));
        }
        loop {
            match self.stream.read(room) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(error)),
            }
        }
    }
}
