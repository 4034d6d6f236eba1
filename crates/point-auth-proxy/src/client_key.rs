//! [`ClientKey`]: what a client on TCP shows, so that not every program of the machine is one.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use http::HeaderValue;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret that clients on TCP send in the header `Point-Auth-Client-Key`.
///
/// It is compared in constant time and never forwarded. `Debug` does not show it.
#[derive(Clone)]
pub struct ClientKey(Zeroizing<Vec<u8>>);

/// The reason why there is no client key. It does not repeat the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientKeyError {
    /// The key is shorter than [`ClientKey::MIN_BYTES`] or longer than [`ClientKey::MAX_BYTES`].
    #[error("a client key has 32 to 256 characters, for instance of `openssl rand -hex 32`")]
    Length,
    /// The key has white space or a character that is not visible ASCII.
    #[error("the client key has a character that is not visible ASCII")]
    Character,
    /// The file cannot be read.
    #[error("the client key's file {path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Users other than its owner may read or write the file, or the owner is another user.
    #[error("the client key's file {path} is not for its user alone: chmod 600 makes it so")]
    NotPrivate {
        /// The file.
        path: PathBuf,
    },
}

impl ClientKey {
    /// The shortest key, in bytes.
    pub const MIN_BYTES: usize = 32;
    /// The longest key, in bytes.
    pub const MAX_BYTES: usize = 256;

    /// Creates a key from its text.
    ///
    /// # Errors
    /// [`ClientKeyError::Length`] and [`ClientKeyError::Character`].
    pub fn new(key: impl AsRef<[u8]>) -> Result<Self, ClientKeyError> {
        let key = key.as_ref();
        if !(Self::MIN_BYTES..=Self::MAX_BYTES).contains(&key.len()) {
            return Err(ClientKeyError::Length);
        }
        if !key.iter().all(u8::is_ascii_graphic) {
            return Err(ClientKeyError::Character);
        }
        Ok(Self(Zeroizing::new(key.to_vec())))
    }

    /// Reads the key from a file, without one line end at its end.
    ///
    /// # Errors
    /// [`ClientKeyError`]. On Unix the file belongs to this process's user, and its mode gives
    /// nothing to others (0600 or 0400).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ClientKeyError> {
        let path = path.as_ref();
        let unreadable = |source| ClientKeyError::Unreadable { path: path.to_owned(), source };
        // Opening a pipe would wait for a writer.
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            let no_file = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
            return Err(unreadable(no_file));
        }
        let file = File::open(path).map_err(unreadable)?;
        if !is_private(&file).map_err(unreadable)? {
            return Err(ClientKeyError::NotPrivate { path: path.to_owned() });
        }
        // With room for the longest key, its line end and one byte too many, so that nothing grows.
        const ROOM: usize = ClientKey::MAX_BYTES + 3;
        let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
        let most = u64::try_from(ROOM).unwrap_or(u64::MAX);
        file.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
        let key = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        Self::new(key.strip_suffix(b"\r").unwrap_or(key))
    }

    /// Returns whether the one value of the header is the key, in constant time.
    pub(crate) fn is(&self, shown: &HeaderValue) -> bool {
        self.0.as_slice().ct_eq(shown.as_bytes()).into()
    }
}

#[cfg(unix)]
fn is_private(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    let own = rustix::process::geteuid().as_raw();
    Ok(metadata.uid() == own && metadata.mode() & 0o077 == 0)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
fn is_private(_: &File) -> io::Result<bool> {
    Ok(true)
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientKey(..)")
    }
}
