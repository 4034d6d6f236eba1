//! The contract of a store without async.

use std::time::Duration;

use crate::contract::{Announced, EntryName, Fence, Loaded, StoreError, Swapped};
use crate::sealing::Seals;

/// Keeps small values that many processes share, and blocks while it does.
///
/// It keeps what [`crate::TokenStore`] promises.
pub trait TokenStore: Send + Sync + 'static {
    /// Reads a value.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot say.
    fn load(&self, name: &EntryName) -> Result<Loaded, StoreError>;

    /// Writes `value` if what is there is exactly `expected`, or nothing is there for `None`.
    ///
    /// With `keep_for`, the store may drop the value after that time.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot say whether it was done.
    fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError>;

    /// Returns what seals the values and hashes the names.
    fn seals(&self) -> &Seals;

    /// Announces that this process holds `fence` as long as the returned value lives. A store that
    /// cannot notice the end of a process returns `None`, as the default does.
    ///
    /// # Errors
    /// [`StoreError`] when it could notice, and cannot now.
    fn announce(&self, fence: Fence) -> Result<Option<Announced>, StoreError> {
        let _ = fence;
        Ok(None)
    }

    /// Returns whether the process that held `fence` is known to have ended. The default does not
    /// know, and returns false.
    ///
    /// # Errors
    /// [`StoreError`] when it could know, and cannot now.
    fn is_gone(&self, fence: Fence) -> Result<bool, StoreError> {
        let _ = fence;
        Ok(false)
    }
}
