//! The ledger of a child process that was forked.

use super::Ledger;
use crate::session::time::Now;

impl Ledger {
    /// Returns the ledger of a child process that is forked from this one.
    ///
    /// The holders of its permits stay in the parent. A permit whose request may have been sent
    /// counts as an unknown outcome in the child. This ledger does not change.
    #[must_use]
    pub fn forked(&self, now: Now) -> Self {
        let mut child = self.clone();
        for outstanding in std::mem::take(&mut child.permits) {
            child.ended_unsettled(outstanding, now);
        }
        child
    }
}
