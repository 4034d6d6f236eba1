//! What people and the API tell a session from outside: a token is rejected, the credentials are new, somebody resets it.

use secrecy::ExposeSecret;

use super::Session;
use super::action::ExchangeKind;
use super::exchange::Flight;
use super::outcome::AttemptError;
use super::stored::Owner;
use super::time::{Moment, Now};
use crate::{AccessToken, Credentials};

impl Session {
    /// Tells the session that the API answered 401 to a request with this token.
    ///
    /// Call it for each such answer, as often as there are; what is told of a token that has been replaced is ignored. Then poll
    /// every call that waits.
    pub fn invalidate(&mut self, rejected: &AccessToken, now: Now) {
        let Some(held) = self.token.take_if(|held| held.token == *rejected) else { return };
        self.rejected = Some(held.token.clone());
        self.pause_without_token();
        if held.age(now) >= self.policy.young_token {
            self.rejections = 0;
            return;
        }
        self.rejections = self.rejections.saturating_add(1);
        if self.flight.is_none() {
            let mut until = Moment::after(now, self.doubled(self.policy.shortest_pause, self.rejections));
            if let Some(pause) = &self.pause {
                until = until.later(pause.until);
            }
            self.end_round(AttemptError::Rejected, until, until);
        }
    }

    /// Signs in with these credentials from now on.
    ///
    /// An exchange under way is void. A changed username or alias drops all tokens; a changed password keeps them. A changed
    /// username or password opens the latch of a denied sign-in. A pause goes on, which [`reset`](Self::reset) ends. The same
    /// credentials again change nothing.
    pub fn set_credentials(&mut self, credentials: Credentials) {
        let owner = Owner::new(&self.base, Some(&credentials));
        let same_username = owner.username == self.owner.username;
        let same_owner = owner == self.owner;
        let same_password = self
            .credentials
            .as_ref()
            .is_some_and(|old| old.password().expose_secret() == credentials.password().expose_secret());
        if same_owner && same_password {
            return;
        }
        let void = self.flight.take();
        self.round.failed_attempts = 0;
        self.round.next_attempt = None;
        if !(same_username && same_password) {
            self.latch = None;
            self.lost_sign_ins = 0;
        } else if void.as_ref().map(Flight::kind) == Some(ExchangeKind::SignIn) {
            // Its answer will be ignored, and it may have counted against the same account.
            self.lost_sign_ins = self.lost_sign_ins.saturating_add(1);
        }
        if !same_owner {
            self.drop_tokens();
        }
        self.owner = owner;
        self.credentials = Some(credentials);
    }

    /// Opens the latch and ends the pause, because somebody who knows better says so.
    ///
    /// Tokens stay. An exchange under way goes on.
    pub fn reset(&mut self) {
        self.latch = None;
        self.pause = None;
        self.failed_rounds = 0;
        self.rejections = 0;
        self.lost_sign_ins = 0;
        self.round.failed_attempts = 0;
        self.round.next_attempt = None;
    }

    /// They belong to somebody else.
    pub(super) fn drop_tokens(&mut self) {
        self.token = None;
        self.refresh = None;
        self.rejected = None;
        self.pause_without_token();
    }

    /// The token for whose sake a pause may be longer is gone.
    fn pause_without_token(&mut self) {
        if let Some(pause) = &mut self.pause {
            pause.until = pause.until.earlier(pause.without_token);
        }
    }
}
