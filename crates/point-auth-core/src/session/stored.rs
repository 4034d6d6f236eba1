//! [`StoredTokens`]: the tokens to keep across a restart, and their user.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::SessionMachine;
use super::exchange::InFlight;
use super::held::{HeldRefresh, HeldToken, Phase};
use super::time::Now;
use crate::answer::json_text;
use crate::{AccessToken, BaseUrl, Credentials, RefreshToken, SecretBody, TokenSet};

/// The tokens of a session, with the time of their request and their user.
///
/// `Debug` shows neither token. Both are wiped on drop.
#[derive(Clone)]
pub struct StoredTokens {
    owner: Owner,
    access_token: Option<Stored<AccessToken>>,
    expires_in: Duration,
    refresh_token: Option<Stored<RefreshToken>>,
}

#[derive(Clone)]
struct Stored<T> {
    token: T,
    /// When it was requested, on the wall clock.
    since: SystemTime,
}

/// The user of the tokens. The username is missing if a session started without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) base: String,
    pub(super) username: Option<String>,
    pub(super) user_alias: Option<String>,
}

impl Owner {
    pub(super) fn new(base: &BaseUrl, credentials: Option<&Credentials>) -> Self {
        Self {
            base: base.as_str().to_owned(),
            username: credentials.map(|one| one.username().to_owned()),
            user_alias: credentials.and_then(Credentials::user_alias).map(str::to_owned),
        }
    }
}

/// The error of stored tokens that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredTokensError {
    /// The text is not what [`StoredTokens::expose_json`] writes.
    #[error("these are not stored tokens")]
    Malformed,
    /// The tokens are of another API than the session's.
    #[error("the stored tokens are of another base URL")]
    OtherBaseUrl,
    /// The tokens are of another username than the session's.
    #[error("the stored tokens are of another username")]
    OtherUsername,
    /// The tokens are of another alias than the session's.
    #[error("the stored tokens are of another user alias")]
    OtherUserAlias,
}

/// The written form. Times are whole seconds since 1970, rounded down, so that a token never seems
/// younger than it is.
#[derive(Serialize)]
struct Written<'a> {
    base: &'a str,
    username: Option<&'a str>,
    user_alias: Option<&'a str>,
    access_token: Option<&'a str>,
    asked_at: Option<u64>,
    expires_in: u64,
    refresh_token: Option<&'a str>,
    refresh_token_came_at: Option<u64>,
}

/// The parsed form. Values are raw, because `serde_json` would leave copies of a token behind, and
/// its errors would quote a token in the place of a number.
#[derive(Deserialize)]
struct Read<'a> {
    #[serde(borrow)]
    base: &'a RawValue,
    #[serde(borrow)]
    username: Option<&'a RawValue>,
    #[serde(borrow)]
    user_alias: Option<&'a RawValue>,
    #[serde(borrow)]
    access_token: Option<&'a RawValue>,
    #[serde(borrow)]
    asked_at: Option<&'a RawValue>,
    #[serde(borrow)]
    expires_in: &'a RawValue,
    #[serde(borrow)]
    refresh_token: Option<&'a RawValue>,
    #[serde(borrow)]
    refresh_token_came_at: Option<&'a RawValue>,
}

impl StoredTokens {
    /// Returns JSON with both tokens in it. Store it as securely as a password.
    ///
    /// The tokens suffice to act as this user.
    pub fn expose_json(&self) -> SecretBody {
        let seconds =
            |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let written = Written {
            base: &self.owner.base,
            username: self.owner.username.as_deref(),
            user_alias: self.owner.user_alias.as_deref(),
            access_token: self.access_token.as_ref().map(|stored| stored.token.expose()),
            asked_at: self.access_token.as_ref().map(|stored| seconds(stored.since)),
            expires_in: self.expires_in.as_secs(),
            refresh_token: self.refresh_token.as_ref().map(|stored| stored.token.expose()),
            refresh_token_came_at: self.refresh_token.as_ref().map(|stored| seconds(stored.since)),
        };
        // Text and numbers can always be expressed in JSON.
        SecretBody::json(&written).unwrap_or_default()
    }

    /// Parses the output of [`expose_json`](Self::expose_json).
    ///
    /// # Errors
    /// [`StoredTokensError::Malformed`] for anything else. The error repeats no part of it.
    pub fn from_json(json: &[u8]) -> Result<Self, StoredTokensError> {
        use StoredTokensError::Malformed;
        let json = std::str::from_utf8(json).map_err(|_| Malformed)?;
        // Otherwise an array of the values would be accepted too.
        if !json.trim_ascii_start().starts_with('{') {
            return Err(Malformed);
        }
        let read: Read<'_> = serde_json::from_str(json).map_err(|_| Malformed)?;
        let owned = |raw: &RawValue| text(raw).map(|text| text.to_string());
        let owner = Owner {
            base: owned(read.base)?,
            username: read.username.map(owned).transpose()?,
            user_alias: read.user_alias.map(owned).transpose()?,
        };
        let seconds =
            |raw: &RawValue| raw.get().parse().map(Duration::from_secs).map_err(|_| Malformed);
        let since = |raw: Option<&RawValue>| {
            UNIX_EPOCH.checked_add(seconds(raw.ok_or(Malformed)?)?).ok_or(Malformed)
        };
        let access_token = match read.access_token {
            Some(raw) => {
                let token = AccessToken::new(&text(raw)?).map_err(|_| Malformed)?;
                Some(Stored { token, since: since(read.asked_at)? })
            }
            None => None,
        };
        let refresh_token = match read.refresh_token {
            Some(raw) => {
                let token = RefreshToken::new(&text(raw)?).map_err(|_| Malformed)?;
                Some(Stored { token, since: since(read.refresh_token_came_at)? })
            }
            None => None,
        };
        Ok(Self {
            owner,
            access_token,
            expires_in: seconds(read.expires_in)?.min(TokenSet::MAX_EXPIRES_IN),
            refresh_token,
        })
    }

    /// Sets the owner of the tokens, for a store that does not keep it with them.
    #[must_use]
    pub fn with_owner(
        mut self,
        base_url: &str,
        username: Option<&str>,
        user_alias: Option<&str>,
    ) -> Self {
        self.owner = Owner {
            base: base_url.to_owned(),
            username: username.map(str::to_owned),
            user_alias: user_alias.map(str::to_owned),
        };
        self
    }

    /// Moves the times to another clock: a time `from` on the old clock is `to` on the new one.
    ///
    /// Use it for a store with a clock of its own. A time before 1970 becomes 1970, so that a token
    /// never seems younger than it is.
    #[must_use]
    pub fn moved(mut self, from: SystemTime, to: SystemTime) -> Self {
        let moved = |since: SystemTime| match from.duration_since(since) {
            Ok(age) => to.checked_sub(age).filter(|time| *time >= UNIX_EPOCH).unwrap_or(UNIX_EPOCH),
            Err(ahead) => to.checked_add(ahead.duration()).unwrap_or(to),
        };
        if let Some(stored) = &mut self.access_token {
            stored.since = moved(stored.since);
        }
        if let Some(stored) = &mut self.refresh_token {
            stored.since = moved(stored.since);
        }
        self
    }

    /// Returns the username of the tokens, if it is known.
    pub fn username(&self) -> Option<&str> {
        self.owner.username.as_deref()
    }

    /// Returns the alias of the tokens, if they have one.
    pub fn user_alias(&self) -> Option<&str> {
        self.owner.user_alias.as_deref()
    }

    fn check_owner(&self, owner: &Owner) -> Result<(), StoredTokensError> {
        if self.owner.base != owner.base {
            return Err(StoredTokensError::OtherBaseUrl);
        }
        if self.owner.username != owner.username {
            return Err(StoredTokensError::OtherUsername);
        }
        if self.owner.user_alias != owner.user_alias {
            return Err(StoredTokensError::OtherUserAlias);
        }
        Ok(())
    }
}

fn text(raw: &RawValue) -> Result<json_text::SecretText<'_>, StoredTokensError> {
    json_text::text(raw.get()).ok_or(StoredTokensError::Malformed)
}

impl fmt::Debug for StoredTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredTokens")
            .field("base", &self.owner.base)
            .field("access_token", &self.access_token.is_some())
            .field("refresh_token", &self.refresh_token.is_some())
            .finish_non_exhaustive()
    }
}

impl SessionMachine {
    /// Returns a number that changes whenever [`stored_tokens`](Self::stored_tokens) does.
    ///
    /// Store the tokens when it changes.
    pub const fn stored_version(&self) -> u64 {
        self.stored_version
    }

    /// Returns the tokens to keep across a restart, or `None` if there are none.
    ///
    /// An access token that a [poll](Self::poll) has found to be over is left out. The times are on
    /// the wall clock as it is `now`, so that a clock that was set since makes no token look
    /// younger.
    pub fn stored_tokens(&self, now: Now) -> Option<StoredTokens> {
        let token = self.token.as_ref().filter(|held| !held.has_ended);
        if token.is_none() && self.refresh.is_none() {
            return None;
        }
        Some(StoredTokens {
            owner: self.owner.clone(),
            access_token: token
                .map(|held| Stored { token: held.token.clone(), since: held.asked_before(now) }),
            expires_in: token.map_or(Duration::ZERO, |held| held.life),
            refresh_token: self
                .refresh
                .as_ref()
                .map(|held| Stored { token: held.token.clone(), since: held.came_before(now) }),
        })
    }

    /// Restores tokens that were stored before a restart. Then poll all waiting calls.
    ///
    /// Tokens of the session that were requested later stay, so that an outdated store is harmless.
    /// An access token is ignored if it has ended. A refresh token is ignored if it has certainly
    /// expired. A token from the future, or one that the API rejected in this session, is ignored
    /// too.
    ///
    /// # Errors
    /// [`StoredTokensError`] when they belong to another base URL, username or alias. A session
    /// without credentials and without good tokens adopts the username and the alias of the stored
    /// tokens.
    pub fn restore(&mut self, stored: StoredTokens, now: Now) -> Result<(), StoredTokensError> {
        let mut owner = self.owner.clone();
        // An exchange in flight will bring tokens of a known user.
        let is_known = self.in_flight.as_ref().is_some_and(InFlight::is_sent);
        let has_none = !is_known
            && self.last_use(now).is_none()
            && !self.refresh.as_ref().is_some_and(|refresh| refresh.may_be_good(now));
        if self.credentials.known().is_none() && has_none {
            // What was not set comes from the stored tokens.
            let (username, user_alias) = self.given_owner;
            if !username {
                owner.username.clone_from(&stored.owner.username);
            }
            if !user_alias {
                owner.user_alias.clone_from(&stored.owner.user_alias);
            }
        }
        stored.check_owner(&owner)?;
        if owner != self.owner {
            self.drop_tokens(now);
            self.owner = owner;
        }
        // If the clock has gone back, the age is unknown.
        let age_of = |since: SystemTime| now.wall.duration_since(since).ok();
        if let Some(Stored { token, since }) = stored.access_token
            && let Some(age) = age_of(since)
        {
            let share = self.jitter.next();
            let held = HeldToken::new(token, now, age, stored.expires_in, &self.policy, share);
            let was_rejected = self.rejected.as_ref() == Some(&held.token);
            let is_newer = self.token.as_ref().is_none_or(|old| match old.phase(now) {
                // A clock that has gone back does not revive a token.
                Phase::Over => !old.has_ended || old.token != held.token,
                _ => old.asked_at.wall < held.asked_at.wall,
            });
            if held.phase(now) != Phase::Over && !was_rejected && is_newer {
                self.token = Some(held);
                self.stored_version = self.stored_version.wrapping_add(1);
            }
        }
        if let Some(Stored { token, since }) = stored.refresh_token
            && let Some(age) = age_of(since)
        {
            let held = HeldRefresh::new(token, now, age);
            let is_newer = self
                .refresh
                .as_ref()
                .is_none_or(|old| !old.may_be_good(now) || old.came_at.wall < held.came_at.wall);
            if held.may_be_good(now) && is_newer {
                self.refresh = Some(held);
                self.stored_version = self.stored_version.wrapping_add(1);
            }
        }
        Ok(())
    }
}
