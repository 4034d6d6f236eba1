//! What the observer is told, outside of all locks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use point_auth_core::session::{Outcome, StoredTokens};

use super::Driver;

/// What the observer was told of the tokens.
pub(super) struct Told {
    pub(super) version: u64,
    /// Somebody is at it, and looks again when it is done: it may be the observer itself that has changed them.
    pub(super) is_telling: bool,
}

impl Driver {
    pub(super) fn tell(&self, outcome: &Outcome) {
        if let Some(observer) = &self.common.observer {
            let alias = self.told_alias();
            let alias = alias.as_deref();
            let _panicked =
                catch_unwind(AssertUnwindSafe(|| observer.exchange_ended(alias, outcome)));
        }
        self.tell_of_tokens();
    }

    /// Whose the session is now.
    fn told_alias(&self) -> Option<String> {
        self.lock().session.user_alias().map(str::to_owned)
    }

    pub(super) fn tell_of_tokens(&self) {
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
            let alias = self.told_alias();
            let alias = alias.as_deref();
            let _panicked =
                catch_unwind(AssertUnwindSafe(|| observer.tokens_changed(alias, tokens.as_ref())));
            told = lock_told();
        }
        told.is_telling = false;
    }

    /// What is to be stored, if that is not the same as at that version.
    fn tokens_since(&self, told: u64) -> Option<(u64, Option<StoredTokens>)> {
        let state = self.lock();
        let version = state.session.stored_version();
        (version != told).then(|| (version, state.session.stored_tokens()))
    }
}
