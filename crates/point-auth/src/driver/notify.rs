//! How the observer is notified, without any lock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use point_auth_core::session::{Outcome, StoredTokens};

use super::Driver;

/// What the observer was told about the tokens.
pub(super) struct Told {
    pub(super) version: u64,
    /// A thread is at it, and looks again when it is done: the observer itself may change them.
    pub(super) is_telling: bool,
}

impl Driver {
    pub(super) fn notify(&self, outcome: &Outcome) {
        if let Some(observer) = &self.common.observer {
            let alias = self.current_alias();
            let alias = alias.as_deref();
            let _panicked =
                catch_unwind(AssertUnwindSafe(|| observer.exchange_ended(alias, outcome)));
        }
        self.notify_of_tokens();
    }

    #[cfg(feature = "store")]
    pub(super) fn notify_store(&self, event: &crate::StoreEvent) {
        if let Some(observer) = &self.common.observer {
            let alias = self.current_alias();
            let alias = alias.as_deref();
            let _panicked = catch_unwind(AssertUnwindSafe(|| observer.store_event(alias, event)));
        }
    }

    /// The alias that the session's tokens are of now.
    pub(super) fn current_alias(&self) -> Option<String> {
        self.lock().session.user_alias().map(str::to_owned)
    }

    pub(super) fn notify_of_tokens(&self) {
        let Some(observer) = &self.common.observer else { return };
        let lock_told = || self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = lock_told();
        if told.is_telling {
            return;
        }
        told.is_telling = true;
        while let Some((version, tokens)) = self.tokens_since(told.version) {
            told.version = version;
            drop(told);
            let alias = self.current_alias();
            let alias = alias.as_deref();
            let _panicked =
                catch_unwind(AssertUnwindSafe(|| observer.tokens_changed(alias, tokens.as_ref())));
            told = lock_told();
        }
        told.is_telling = false;
    }

    /// What is to be stored, if it has changed since that version.
    fn tokens_since(&self, told: u64) -> Option<(u64, Option<StoredTokens>)> {
        let state = self.lock();
        let version = state.session.stored_version();
        (version != told).then(|| (version, state.session.stored_tokens()))
    }
}
