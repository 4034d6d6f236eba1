//! A connection with one buffer of a fixed size, for the request first and then for the response.

use std::io::{self, Read, Write};

use point_auth::transport::TransportError;
use zeroize::Zeroizing;

use super::{broken, refused};

/// The size of the buffer. The complete head of a response must fit into it.
pub const BUFFER_BYTES: usize = 8 * 1024;

/// The request on its way out. The buffer is wiped on drop.
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

    /// Puts `bytes` into the buffer, and writes it out whenever it is full.
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

    /// Writes out the rest, and returns the reader of the response.
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
    /// Returns the bytes that have arrived and are not consumed yet.
    pub(super) fn arrived(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn use_up(&mut self, count: usize) {
        self.start = self.end.min(self.start.saturating_add(count));
    }

    /// Waits for more bytes. The end of the connection is an error.
    pub(super) fn more(&mut self) -> Result<(), TransportError> {
        if self.more_or_end()? {
            Ok(())
        } else {
            Err(refused("the connection ended in the middle"))
        }
    }

    /// Waits for more bytes. Returns `false` at the end of the connection.
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
