//! What there is of a store in files on systems other than Unix: an error.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use super::error::FileStoreError;
use crate::Seals;
use crate::contract::{Announced, EntryName, Fence, Loaded, Swapped};

/// There is none.
pub(super) struct Opened(Infallible);

impl Opened {
    pub(super) fn open(_: &Path) -> Result<Self, FileStoreError> {
        Err(FileStoreError::Unsupported)
    }

    pub(super) fn path(&self) -> &Path {
        match self.0 {}
    }

    pub(super) fn seals(&self) -> &Seals {
        match self.0 {}
    }

    pub(super) fn load(&self, _: &EntryName) -> Result<Loaded, FileStoreError> {
        match self.0 {}
    }

    pub(super) fn swap(
        &self,
        _: &EntryName,
        _: Option<&[u8]>,
        _: &[u8],
        _: Option<Duration>,
    ) -> Result<Swapped, FileStoreError> {
        match self.0 {}
    }

    pub(super) fn announce(&self, _: Fence) -> Result<Option<Announced>, FileStoreError> {
        match self.0 {}
    }

    pub(super) fn is_gone(&self, _: Fence) -> Result<bool, FileStoreError> {
        match self.0 {}
    }
}
