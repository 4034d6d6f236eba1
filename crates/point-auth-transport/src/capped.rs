//! [`CappedBody`]: a response body read up to a limit, into memory that is wiped.

use std::io::{self, Read};

use point_auth_core::SecretBody;
use zeroize::{Zeroize, Zeroizing};

use crate::{TransportError, TransportErrorKind};

/// Fits an ordinary answer of the API (about 1.3 kB), so that reading one allocates once.
const FIRST_CAPACITY: usize = 2048;

/// Collects a response body up to a limit.
///
/// Memory grows with the bytes that arrive, never with the value of `Content-Length`. When a buffer
/// grows into a new allocation, the old one is wiped.
#[derive(Debug)]
pub struct CappedBody {
    bytes: Buffer,
    limit: usize,
}

impl CappedBody {
    /// Creates a collector with nothing read, for a body of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { bytes: Buffer(Zeroizing::new(Vec::new())), limit }
    }

    /// Appends a chunk of the body.
    ///
    /// # Errors
    /// [`TransportErrorKind::TooLarge`] when the body is now longer than the limit. The caller then
    /// stops reading.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), TransportError> {
        if chunk.len() > self.limit - self.bytes.0.len() {
            return Err(TransportError::new(TransportErrorKind::TooLarge));
        }
        self.bytes.extend(chunk);
        Ok(())
    }

    /// Reads all of `reader`, and at most one byte past the limit.
    ///
    /// # Errors
    /// [`TransportErrorKind::TooLarge`] past the limit. An error of `reader` is converted with
    /// `failed`.
    pub fn read_from(
        mut self,
        reader: &mut impl Read,
        failed: impl FnOnce(io::Error) -> TransportError,
    ) -> Result<SecretBody, TransportError> {
        let mut chunk = Zeroizing::new([0_u8; FIRST_CAPACITY]);
        loop {
            let wanted = chunk.len().min((self.limit - self.bytes.0.len()).saturating_add(1));
            match reader.read(chunk.get_mut(..wanted).unwrap_or_default()) {
                Ok(0) => return Ok(self.finish()),
                Ok(count) => self.push(chunk.get(..count).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Returns the bytes that were read.
    pub fn finish(self) -> SecretBody {
        let mut bytes = self.bytes.0;
        SecretBody::new(std::mem::take(&mut *bytes))
    }
}

/// A vector that wipes an allocation before it frees it. `Debug` shows the length.
struct Buffer(Zeroizing<Vec<u8>>);

impl Buffer {
    fn extend(&mut self, chunk: &[u8]) {
        let length = self.0.len().saturating_add(chunk.len());
        if length > self.0.capacity() {
            let capacity = length.max(FIRST_CAPACITY).max(self.0.capacity().saturating_mul(2));
            let mut larger = Vec::with_capacity(capacity);
            larger.extend_from_slice(&self.0);
            let mut outgrown = std::mem::replace(&mut *self.0, larger);
            outgrown.zeroize();
        }
        self.0.extend_from_slice(chunk);
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
