//! Notifies the observers, outside of all locks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use point_auth_core::session::{ExchangeKind, Outcome, StoredTokens};

use super::Driver;
use crate::Observer;

/// The tokens that the observers were last notified of.
pub(super) struct Notified {
    pub(super) version: u64,
    /// Whether a thread is notifying. It checks for changes afterwards, because an observer may
    /// cause them.
    pub(super) is_notifying: bool,
}

impl Driver {
    pub(super) fn notify_of_start(&self, kind: ExchangeKind, attempt: u32) {
        self.each_observer(|observer, alias| observer.exchange_began(alias, kind, attempt));
    }

    pub(super) fn notify(&self, outcome: &Outcome) {
        self.each_observer(|observer, alias| observer.exchange_ended(alias, outcome));
        self.notify_of_state();
    }

    /// Shows the state of the session after a change.
    pub(super) fn notify_of_state(&self) {
        #[cfg(feature = "metrics")]
        self.gauges.show(&self.common.meter, || {
            // Not with `lock`, which also keeps the errors of the session.
            self.state.lock().unwrap_or_else(PoisonError::into_inner).seen
        });
        self.notify_of_tokens();
    }

    #[cfg(feature = "store")]
    pub(super) fn notify_store(&self, event: &crate::StoreEvent) {
        #[cfg(feature = "tracing")]
        super::trace::store(event);
        #[cfg(feature = "metrics")]
        self.common.meter.store_event(event);
        self.each_observer(|observer, alias| observer.store_event(alias, event));
    }

    /// A panic in one does not keep the others from being notified.
    fn each_observer(&self, notify: impl Fn(&dyn Observer, Option<&str>)) {
        let observers = &self.common.observers;
        if observers.is_empty() {
            return;
        }
        let alias = self.current_alias();
        for observer in observers {
            let call = AssertUnwindSafe(|| notify(&**observer, alias.as_deref()));
            let _panicked = catch_unwind(call);
        }
    }

    /// Returns the alias of the session's current tokens.
    pub(super) fn current_alias(&self) -> Option<String> {
        self.lock().session.user_alias().map(str::to_owned)
    }

    fn notify_of_tokens(&self) {
        if self.common.observers.is_empty() {
            return;
        }
        let lock = || self.notified.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notified = lock();
        if notified.is_notifying {
            return;
        }
        notified.is_notifying = true;
        while let Some((version, tokens)) = self.tokens_since(notified.version) {
            notified.version = version;
            drop(notified);
            self.each_observer(|observer, alias| observer.tokens_changed(alias, tokens.as_ref()));
            notified = lock();
        }
        notified.is_notifying = false;
    }

    /// Returns the tokens to store, if they have changed since that version.
    fn tokens_since(&self, notified: u64) -> Option<(u64, Option<StoredTokens>)> {
        let now = self.now();
        let state = self.lock();
        let version = state.session.stored_version();
        (version != notified).then(|| (version, state.session.stored_tokens(now)))
    }
}
