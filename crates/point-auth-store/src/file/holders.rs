//! Who holds a permit: each holder has a locked file, and the lock ends with the process.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use super::directory::Directory;
use super::error::FileStoreError;
use crate::contract::Fence;

/// The files of holders.
#[derive(Clone)]
pub(super) struct Holders(Arc<Directory>);

/// A locked file, which is removed when this is dropped.
pub(super) struct Held {
    _file: File,
    name: String,
    holders: Holders,
}

impl Holders {
    pub(super) fn new(directory: Directory) -> Self {
        Self(Arc::new(directory))
    }

    pub(super) fn announce(&self, fence: Fence) -> Result<Held, FileStoreError> {
        let name = fence.to_string();
        loop {
            let file = self.0.create_locked(&name)?;
            let metadata = file.metadata().map_err(|source| {
                let path = self.0.path_of(&name);
                FileStoreError::Io { action: "open", path, source }
            })?;
            // A sweep may have come before the lock.
            if metadata.nlink() > 0 {
                return Ok(Held { _file: file, name, holders: self.clone() });
            }
        }
    }

    /// A file that is missing was removed: by its holder, or because that is gone. It was there
    /// before other processes could learn of the fence.
    pub(super) fn is_gone(&self, fence: Fence) -> Result<bool, FileStoreError> {
        self.0.remove_unlocked(&fence.to_string())
    }

    /// Removes the files of processes that are gone.
    pub(super) fn sweep(&self) -> Result<(), FileStoreError> {
        for name in self.0.names()? {
            self.0.remove_unlocked(&name)?;
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // While it is locked. What cannot be removed is unlocked now and removed by a sweep.
        let _is_removed = self.holders.0.remove(&self.name);
    }
}
