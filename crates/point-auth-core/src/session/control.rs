//! What people and the API tell a session from outside: a token is rejected, the credentials are new, somebody resets it.

use std::time::Duration;

use super::action::{ExchangeId, ExchangeKind};
use super::exchange::With;
use super::outcome::AttemptError;
use super::stored::Owner;
use super::time::{Moment, Now};
use super::{Pause, Session, Source};
use crate::{AccessToken, Credentials};

impl Session {
    /// Tells the session that the API answered 401 to a request with this token.
    ///
    /// Call it for each such answer, as often as there are; what is told of a token that has been replaced is ignored. Answers whether
    /// that was the token that there is: then poll every call that waits.
    pub fn invalidate(&mut self, rejected: &AccessToken, now: Now) -> bool {
        let Some(held) = self.token.take_if(|held| held.token == *rejected) else { return false };
        self.stored_version = self.stored_version.wrapping_add(1);
        self.rejected = Some(held.token.clone());
        self.pause_without_token();
        if held.age(now) >= self.policy.young_token {
            self.rejections = 0;
            return true;
        }
        self.rejections = self.rejections.saturating_add(1);
        if self.flight.is_none() {
            // The pause that follows is what keeps sign-ins apart.
            self.next_sign_in = None;
            let until =
                Moment::after(now, self.doubled(self.policy.shortest_pause, self.rejections));
            let mut pause = Pause::new(AttemptError::Rejected, until);
            if let Some(before) = &self.pause {
                pause.until = until.later(before.until);
                pause.without_token = pause.until;
                pause.other_login = until.later(before.other_login);
            }
            self.end_round(pause);
        }
        true
    }

    /// Signs in with these credentials from now on. Then poll every call that waits.
    ///
    /// A changed username or alias drops all tokens; a changed password keeps them. A changed username or password opens the
    /// latch of a denied sign-in, but for a username that differs only in its case. A sign-in under way is void, and may have counted if it was the same account's; so
    /// is a refresh for somebody else. A pause goes on, which [`reset`](Self::reset) ends, but not one for sign-ins of another
    /// password that were lost. The same credentials again change nothing.
    pub fn set_credentials(&mut self, credentials: Credentials, now: Now) {
        let owner = Owner::new(&self.base, Some(&credentials));
        let same_owner = owner == self.owner;
        let same_login =
            self.credentials.known().is_some_and(|old| super::login::same(old, &credentials));
        if same_owner && same_login {
            return;
        }
        let void =
            self.flight.take_if(|flight| !same_owner || flight.kind() == ExchangeKind::SignIn);
        if !same_login {
            self.other_login();
        }
        if !same_owner {
            self.drop_tokens(now);
            self.owner = owner;
        }
        if let Some(With::Credentials(sent)) = void.map(|flight| flight.with)
            && super::login::same(&sent, &credentials)
        {
            // Its answer will be ignored, and it may have counted against the same account.
            self.counts.lost = self.counts.lost.saturating_add(1);
            self.login.lost(&sent, now);
            let gap = Moment::after(now, self.policy.shortest_pause);
            match self.login.paused_until(now) {
                Some(until) => {
                    let pause = Pause::new(AttemptError::TooManyLost, until);
                    let other_login = Moment::after(now, Duration::ZERO);
                    self.end_round(Pause { other_login, ..pause });
                }
                None => self.round.next_attempt = Some(gap),
            }
        }
        self.credentials = Source::Here(credentials);
    }

    /// Tells a session on demand, or one without credentials, that it will be given others than before from now on: those of this username,
    /// if that is known. Then poll every call that waits.
    ///
    /// It goes on if it waits over a denied sign-in or over lost ones. Another username drops all tokens, and an exchange under way
    /// is void; the alias stays as it was. Does nothing to a session that has credentials of its own.
    pub fn expect_credentials(&mut self, username: Option<&str>, now: Now) {
        if self.credentials.known().is_some() {
            return;
        }
        self.credentials = Source::OnDemand;
        self.other_login();
        let Some(username) = username else { return };
        if self.owner.username.as_deref().is_some_and(|old| old != username) {
            self.flight = None;
            self.drop_tokens(now);
        }
        self.owner.username = Some(username.to_owned());
        self.told_owner.0 = true;
    }

    /// What was known of the login before is of no account any more.
    fn other_login(&mut self) {
        self.latch = None;
        self.login.reset();
        self.round.failed_attempts = 0;
        self.round.next_attempt = None;
        self.round.is_last_try = false;
        if let Some(pause) = &mut self.pause {
            pause.until = pause.until.earlier(pause.other_login);
            pause.without_token = pause.without_token.earlier(pause.other_login);
        }
        self.next_sign_in = None;
    }

    /// Tells the session that whoever was told to [get credentials](super::Action::GetCredentials) has gone before anything was sent, and
    /// nobody waits any more. It is as if it had not begun.
    pub fn withdraw(&mut self, id: ExchangeId) {
        self.flight
            .take_if(|flight| flight.id == id && matches!(flight.with, With::CredentialsToCome));
    }

    /// Opens the latch and ends the pause, because somebody who knows better says so. Then poll every call that waits.
    ///
    /// Tokens stay. An exchange under way goes on.
    pub fn reset(&mut self) {
        self.latch = None;
        self.login.reset();
        self.pause = None;
        self.next_sign_in = None;
        self.failed_rounds = 0;
        self.rejections = 0;
        self.round.failed_attempts = 0;
        self.round.next_attempt = None;
        self.round.is_last_try = false;
    }

    /// They belong to somebody else.
    pub(super) fn drop_tokens(&mut self, now: Now) {
        self.token = None;
        self.refresh = None;
        self.rejected = None;
        self.stored_version = self.stored_version.wrapping_add(1);
        // Somebody else's token is none that there was enough of.
        let soon = Moment::after(now, self.policy.shortest_pause);
        self.next_sign_in = self.next_sign_in.map(|next| next.earlier(soon));
        self.pause_without_token();
    }

    /// The token for whose sake a pause may be longer is gone.
    fn pause_without_token(&mut self) {
        if let Some(pause) = &mut self.pause {
            pause.until = pause.until.earlier(pause.without_token);
        }
    }
}
