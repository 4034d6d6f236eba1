//! [`FileStore`]: a directory that the processes of one machine share.

mod error;

#[cfg(unix)]
mod clock;
#[cfg(unix)]
mod directory;
#[cfg(unix)]
mod elapsed;
#[cfg(unix)]
mod holders;
#[cfg(unix)]
mod opened;
#[cfg(unix)]
mod values;

#[cfg(not(unix))]
#[path = "file/elsewhere.rs"]
mod opened;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::opened::Opened;
use crate::contract::{Announced, EntryName, Fence, Loaded, StoreError, Swapped, TokenStore};
use crate::{Seals, blocking};

pub use self::error::FileStoreError;

/// A store in a directory, for the processes of one machine and one user. Needs the feature `file`.
///
/// It works for async and for blocking sessions. A read takes some microseconds. A change takes as
/// long as the disk needs to flush a small file and its directory: some milliseconds, and up to 5 s
/// where other processes hold the lock. An async caller blocks its thread for that time. Clones
/// share what is open.
///
/// # The directory
///
/// The directory belongs to the user who runs the processes, and its mode is 0700. The file `key`
/// in it is the [`StoreKey`](crate::StoreKey) that names and seals the values: who can read it can
/// read the tokens. Each value is a file of its own. A change writes a new file, flushes it to the
/// disk and puts it in place of the old one, so that a reader never waits and sees all of the one or
/// of the other. A lock file for each login keeps changes apart.
///
/// The file system has to be a local one. Network file systems lock and rename in ways of their own.
///
/// # A process that ends
///
/// A process that holds a permit also holds a lock of the operating system, which ends with it. So
/// other processes go on at once after a crash, and the password that was perhaps sent counts as one
/// with unknown outcome. The descriptors of locks are closed on `exec`. A child that was forked
/// without `exec` keeps the lock until it ends, too.
///
/// # Time
///
/// On Linux the store's time is that of `CLOCK_BOOTTIME`, which goes on while the machine sleeps and
/// which no correction of the wall clock moves. The first opening after a boot asks the wall clock
/// how long the machine was off. Where that shows an earlier time than the store has seen, all
/// tokens count as expired, and one sign-in follows. The limit of this: a machine that boots with a
/// wall clock that is behind, but not behind what the store has seen, takes tokens for younger than
/// they are. The server's 401 corrects that. On other systems the time is the wall clock's.
///
/// # Leftovers
///
/// An opening removes values that have expired, at most once a day. A half-written file of a process
/// that was killed is removed by the next change.
#[derive(Clone)]
pub struct FileStore(Arc<Opened>);

impl FileStore {
    /// Opens the store in this directory, and makes the directory and a random key if they are
    /// missing. The parent of the directory has to exist.
    ///
    /// # Errors
    /// [`FileStoreError`], which names the path. What belongs to another user, what others may read
    /// or write, and a symbolic link are refused. So are a directory that a newer version has made
    /// and one with files of something else, and both are left as they are. On systems other than
    /// Unix the error is always [`FileStoreError::Unsupported`].
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, FileStoreError> {
        Ok(Self(Arc::new(Opened::open(directory.as_ref())?)))
    }

    /// Returns the path that it was opened by.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    fn failed(&self, error: FileStoreError) -> StoreError {
        let path = self.path().display();
        StoreError::new(format!("the store in {path} cannot be used")).with_source(error)
    }
}

impl blocking::TokenStore for FileStore {
    fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        self.0.load(name).map_err(|error| self.failed(error))
    }

    fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        self.0.swap(name, expected, value, keep_for).map_err(|error| self.failed(error))
    }

    fn seals(&self) -> &Seals {
        self.0.seals()
    }

    fn announce(&self, fence: Fence) -> Result<Option<Announced>, StoreError> {
        self.0.announce(fence).map_err(|error| self.failed(error))
    }

    fn is_gone(&self, fence: Fence) -> Result<bool, StoreError> {
        self.0.is_gone(fence).map_err(|error| self.failed(error))
    }
}

#[async_trait]
impl TokenStore for FileStore {
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        blocking::TokenStore::load(self, name)
    }

    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        blocking::TokenStore::swap(self, name, expected, value, keep_for)
    }

    fn seals(&self) -> &Seals {
        blocking::TokenStore::seals(self)
    }

    async fn announce(&self, fence: Fence) -> Result<Option<Announced>, StoreError> {
        blocking::TokenStore::announce(self, fence)
    }

    async fn is_gone(&self, fence: Fence) -> Result<bool, StoreError> {
        blocking::TokenStore::is_gone(self, fence)
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("path", &self.path()).finish_non_exhaustive()
    }
}
