//! [`Observer`]: stores tokens, counts or logs what a session does.

use point_auth_core::session::{Outcome, StoredTokens};

/// Hears what a session does, to store its tokens, to count or to log.
///
/// Both methods are called outside of all locks, on the task or thread that caused the call, after
/// the waiters were woken. A slow observer delays only the session's own next attempt. A panic in
/// one is caught and passed over.
pub trait Observer: Send + Sync + 'static {
    /// Reports that an exchange has ended.
    ///
    /// `user_alias` is the alias that it was for, in `Sessions` and wherever the credentials have
    /// one. [`Outcome::took`] says how long it took.
    fn exchange_ended(&self, user_alias: Option<&str>, outcome: &Outcome) {
        let _ = (user_alias, outcome);
    }

    /// Reports what a session finds out about its store.
    #[cfg(feature = "store")]
    fn store_event(&self, user_alias: Option<&str>, event: &crate::StoreEvent) {
        let _ = (user_alias, event);
    }

    /// Reports that there is something else to store than before, or nothing any more.
    ///
    /// Called for one change of a session after another, never for two at once, and never with
    /// older tokens after newer ones. `tokens` is [what to keep](StoredTokens::expose_json) across
    /// a restart: as secret as a password.
    fn tokens_changed(&self, user_alias: Option<&str>, tokens: Option<&StoredTokens>) {
        let _ = (user_alias, tokens);
    }
}
