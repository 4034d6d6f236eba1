//! [`SecretBody`]: bytes to or from the API that are wiped when the last handle drops.

use std::fmt;
use std::io;

use bytes::Bytes;
use serde::Serialize;
use zeroize::Zeroize;

use crate::error::RequestError;

/// A request or response body that may hold a secret.
///
/// The bytes are overwritten when the last handle to them drops. A handle is a `SecretBody`, a
/// clone of it or a [`Bytes`] made by [`into_bytes`](Self::into_bytes). `Debug` shows only the
/// length, so that a complete `http::Request<SecretBody>` can be printed. An `http::Request<Bytes>`
/// would print the password.
///
/// Cloning is cheap and copies no bytes.
#[derive(Clone, Default)]
pub struct SecretBody(Bytes);

impl SecretBody {
    /// Takes ownership of `bytes` without a copy, and wipes them when the last handle drops.
    ///
    /// Spare capacity is wiped too. A vector that has grown has already left copies of its earlier
    /// contents behind, so set its capacity first.
    pub fn new(bytes: Vec<u8>) -> Self {
        if bytes.capacity() == 0 {
            return Self::default();
        }
        Self(Wiped(bytes).into())
    }

    /// Serializes `value` as JSON into memory that is wiped.
    ///
    /// `value` is serialized twice: once for its length, and once into a buffer of exactly that
    /// length.
    ///
    /// # Errors
    /// [`RequestError::Body`] when `value` cannot be expressed in JSON, such as a map whose keys
    /// are not strings. The error repeats no part of the value.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, RequestError> {
        let mut length = Length(0);
        serde_json::to_writer(&mut length, value).map_err(|_| RequestError::Body)?;
        let mut buffer = Filled(Wiped::with_capacity(length.0));
        serde_json::to_writer(&mut buffer, value).map_err(|_| RequestError::Body)?;
        Ok(Self(buffer.0.into()))
    }

    /// Returns the number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the bytes without a copy, in the type that HTTP clients accept.
    ///
    /// They are still wiped when their last handle drops, but the `Debug` of [`Bytes`] shows its
    /// contents.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl AsRef<[u8]> for SecretBody {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBody {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl fmt::Debug for SecretBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBody({} bytes)", self.len())
    }
}

/// Bytes that are wiped when they are dropped, spare capacity included.
///
/// They are wiped as whole slices. `Zeroizing<Vec<u8>>` goes byte by byte, which for the tokens of
/// one response takes longer than parsing it.
pub(crate) struct Wiped(Vec<u8>);

impl Wiped {
    /// Creates an empty buffer with this capacity.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Concatenates `parts`.
    pub(crate) fn concat(parts: &[&[u8]]) -> Self {
        let mut bytes = Self::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| bytes.0.extend_from_slice(part));
        bytes
    }
}

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Wiped> for Bytes {
    fn from(bytes: Wiped) -> Self {
        Self::from_owner(bytes)
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
        self.0.spare_capacity_mut().zeroize();
    }
}

/// A writer that only counts the bytes.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer that never grows its buffer, because growing would leave an unwiped copy behind.
struct Filled(Wiped);

impl io::Write for Filled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Wiped(buffer) = &mut self.0;
        if buffer.capacity() - buffer.len() < bytes.len() {
            // Only a `Serialize` that differs between its two calls gets here.
            return Err(io::ErrorKind::WriteZero.into());
        }
        buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
