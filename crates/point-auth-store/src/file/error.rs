//! [`FileStoreError`]: why a directory cannot be used as a store.

use std::io;
use std::path::PathBuf;

use crate::key::StoreKeyError;

/// A directory, or a file in it, cannot be used as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileStoreError {
    /// The operating system refuses: the disk is full or read-only, or a permission is missing.
    #[error("could not {action} {}", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is a symbolic link.
    #[error("{} is a symbolic link", .path.display())]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// It is of another kind: no directory, or no regular file.
    #[error("{} is not a {expected}", .path.display())]
    WrongKind {
        /// What is there.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// It belongs to another user.
    #[error("{} belongs to the user with the number {owner}", .path.display())]
    ForeignOwner {
        /// The file or directory.
        path: PathBuf,
        /// The user that it belongs to.
        owner: u32,
    },
    /// Other users may read or write it.
    #[error("{} has the mode {mode:04o}, so that other users may use it", .path.display())]
    Exposed {
        /// The file or directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The directory has no store in it, and other files.
    #[error("{} holds {name:?}, which is not part of a store", .path.display())]
    NotAStore {
        /// The directory.
        path: PathBuf,
        /// One of the files.
        name: String,
    },
    /// The file of the key holds no key.
    #[error("{} holds no key", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: StoreKeyError,
    },
    /// A newer version of this library has made the store.
    #[error("{} was written by a newer version", .path.display())]
    Newer {
        /// The file that says so.
        path: PathBuf,
    },
    /// The content of a file makes no sense.
    #[error("{} is damaged", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Another process has held the lock for 5 s.
    #[error("{} is locked by another process", .path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The system gives no random numbers for a key.
    #[error("no key could be made")]
    NoKey(#[source] StoreKeyError),
    /// A store in files needs Unix.
    #[error("a store in files needs Unix")]
    Unsupported,
}
