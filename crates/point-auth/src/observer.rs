//! [`Observer`]: whoever stores tokens, counts or watches.

use point_auth_core::session::{Outcome, StoredTokens};

/// Is told what a session does, to store its tokens, to count, to log.
///
/// Both methods are called outside of all locks, on the task or thread that did it, after everybody whose wait it ends was woken. One that is slow
/// delays nobody but the session's own next attempt; one that panics harms nobody.
pub trait Observer: Send + Sync + 'static {
    /// An exchange has ended. `user_alias` is whose it was, in `Sessions` and wherever the credentials have one.
    fn exchange_ended(&self, user_alias: Option<&str>, outcome: &Outcome) {
        let _ = (user_alias, outcome);
    }

    /// There is something else to be stored than before, or nothing any more. Called for one change after another, never for two at once
    /// of one session, and never with older tokens after newer ones.
    ///
    /// `tokens` is [what to keep](StoredTokens::expose_json) across a restart: as secret as a password.
    fn tokens_changed(&self, user_alias: Option<&str>, tokens: Option<&StoredTokens>) {
        let _ = (user_alias, tokens);
    }
}
