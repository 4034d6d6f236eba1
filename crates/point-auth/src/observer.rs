//! [`Observer`]: stores tokens, counts or logs what a session does.

use point_auth_core::session::{ExchangeKind, Outcome, StoredTokens};

/// Observes a session, to store its tokens, to count or to log.
///
/// All methods are called outside of all locks, on the task or thread that runs the exchange, after
/// the waiters were woken. A slow observer delays only the session's own next attempt. A panic in
/// it is caught and ignored.
pub trait Observer: Send + Sync + 'static {
    /// Reports that an exchange begins: its request is about to be sent.
    ///
    /// `attempt` counts from 1 after a success or a backoff. The sign-in after a refused refresh has
    /// the number of that refresh. The request waits for the return of this call.
    fn exchange_began(&self, user_alias: Option<&str>, kind: ExchangeKind, attempt: u32) {
        let _ = (user_alias, kind, attempt);
    }

    /// Reports that an exchange has ended, or that none began because it must not.
    ///
    /// `user_alias` is the alias of the exchange, in `Sessions` and whenever the credentials have
    /// one. [`Outcome::took`] returns the duration.
    fn exchange_ended(&self, user_alias: Option<&str>, outcome: &Outcome) {
        let _ = (user_alias, outcome);
    }

    /// Reports what a session finds out about its store.
    #[cfg(feature = "store")]
    fn store_event(&self, user_alias: Option<&str>, event: &crate::StoreEvent) {
        let _ = (user_alias, event);
    }

    /// Reports that the tokens to store have changed, or that there are none.
    ///
    /// The calls for one session never overlap, and never bring older tokens after newer ones.
    /// `tokens` is [the content to keep](StoredTokens::expose_json) across a restart. It is as
    /// secret as a password.
    fn tokens_changed(&self, user_alias: Option<&str>, tokens: Option<&StoredTokens>) {
        let _ = (user_alias, tokens);
    }
}
