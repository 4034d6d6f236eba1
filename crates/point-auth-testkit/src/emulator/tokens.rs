//! The users that may sign in, and the tokens that are valid.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::crypto::GetRandomFailed;
use serde_json::json;

use super::eastern;

/// A user of the emulated API.
pub(super) struct User {
    pub(super) password: String,
    /// The aliases that may stand beside the username; `None` accepts any.
    pub(super) aliases: Option<Vec<String>>,
}

/// How long tokens live.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lives {
    pub(super) access: Duration,
    /// `None` is the vendor's rule: 24 hours, rounded up to midnight US Eastern time.
    pub(super) refresh: Option<Duration>,
}

/// The user that a token was given to, and until when it is good.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) username: String,
    pub(super) user_alias: Option<String>,
    /// `None` is later than a `SystemTime` can hold.
    expires: Option<SystemTime>,
}

impl Grant {
    fn is_good(&self, now: SystemTime) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// A pair of new tokens, or a new access token alone.
pub(super) struct Issued {
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
}

/// Why a sign-in is refused.
pub(super) enum Refusal {
    Login,
    Alias,
}

pub(super) struct Accounts {
    users: HashMap<String, User>,
    access: Grants,
    refresh: Grants,
    lives: Lives,
    key_id: String,
    supersedes_access_tokens: bool,
}

impl Accounts {
    pub(super) fn new(users: HashMap<String, User>, lives: Lives) -> Result<Self, GetRandomFailed> {
        let key_id = random::<20>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            users,
            access: Grants::default(),
            refresh: Grants::default(),
            lives,
            key_id,
            supersedes_access_tokens: false,
        })
    }

    pub(super) fn supersede_access_tokens(&mut self, supersede: bool) {
        self.supersedes_access_tokens = supersede;
    }

    pub(super) fn access_life(&self) -> Duration {
        self.lives.access
    }

    pub(super) fn check(
        &self,
        username: &str,
        password: &str,
        alias: Option<&str>,
    ) -> Result<(), Refusal> {
        let user = self
            .users
            .get(username)
            .filter(|user| user.password == password)
            .ok_or(Refusal::Login)?;
        match (alias, &user.aliases) {
            (Some(alias), Some(known)) if !known.iter().any(|one| one == alias) => {
                Err(Refusal::Alias)
            }
            _ => Ok(()),
        }
    }

    /// Gives out an access token, and a refresh token too if asked for.
    pub(super) fn issue(
        &mut self,
        username: &str,
        user_alias: Option<&str>,
        with_refresh_token: bool,
        now: SystemTime,
    ) -> Result<Issued, GetRandomFailed> {
        let grant = |expires| Grant {
            username: username.to_owned(),
            user_alias: user_alias.map(str::to_owned),
            expires,
        };
        let after = |life| now.checked_add(life);

        let access_token =
            access_token(&self.key_id, username, user_alias, now, self.lives.access)?;
        if self.supersedes_access_tokens {
            self.access.end_those_of(username, user_alias, now);
        }
        self.access.insert(&access_token, grant(after(self.lives.access)), now);

        let refresh_token = if with_refresh_token { Some(refresh_token()?) } else { None };
        if let Some(token) = &refresh_token {
            let vendors_rule = || Some(eastern::midnight_after_24_hours(now));
            let expires = self.lives.refresh.map_or_else(vendors_rule, after);
            self.refresh.insert(token, grant(expires), now);
        }
        Ok(Issued { access_token, refresh_token })
    }

    pub(super) fn access_grant(&self, token: &str, now: SystemTime) -> Option<&Grant> {
        self.access.by_token.get(token).filter(|grant| grant.is_good(now))
    }

    pub(super) fn refresh_grant(&self, token: &str, now: SystemTime) -> Option<&Grant> {
        self.refresh.by_token.get(token).filter(|grant| grant.is_good(now))
    }

    /// The user that a token was given to, whether it is still good or not.
    pub(super) fn owner(&self, token: &str) -> Option<&Grant> {
        self.access.by_token.get(token).or_else(|| self.refresh.by_token.get(token))
    }

    pub(super) fn revoke(&mut self, token: &str) -> bool {
        let [access, refresh] = [&mut self.access, &mut self.refresh];
        access.by_token.remove(token).is_some() | refresh.by_token.remove(token).is_some()
    }

    pub(super) fn change_password(&mut self, username: &str, password: &str) -> bool {
        match self.users.get_mut(username) {
            Some(user) => {
                password.clone_into(&mut user.password);
                true
            }
            None => false,
        }
    }
}

/// The tokens of one kind, in bounded memory: those that have ended are forgotten once there are
/// many, and the oldest once there is no room for more.
struct Grants {
    by_token: HashMap<Arc<str>, Grant>,
    /// From the oldest to the newest, with the bytes of each. Revoked ones stay until their turn.
    order: VecDeque<(Arc<str>, usize)>,
    /// Of all in `order`.
    bytes: usize,
    most_bytes: usize,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            by_token: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            most_bytes: Self::MOST_BYTES,
        }
    }
}

impl Grants {
    /// Room for more than 50,000 tokens. Bytes and not tokens, since an alias may have a mebibyte.
    const MOST_BYTES: usize = 64 * 1024 * 1024;
    /// A record of requests names the owners of that many tokens although they have ended.
    const ENDED: usize = 4096;
    /// What a token takes up besides its text and that of its grant, generously.
    const OVERHEAD: usize = 256;

    fn insert(&mut self, token: &str, grant: Grant, now: SystemTime) {
        let alias = grant.user_alias.as_ref().map_or(0, String::len);
        let bytes = token.len() + grant.username.len() + alias + Self::OVERHEAD;
        while self.bytes + bytes > self.most_bytes
            || (self.order.len() >= Self::ENDED && self.oldest_has_ended(now))
        {
            let Some((oldest, its_bytes)) = self.order.pop_front() else { break };
            self.by_token.remove(&oldest);
            self.bytes -= its_bytes;
        }
        let token: Arc<str> = token.into();
        self.order.push_back((Arc::clone(&token), bytes));
        self.bytes += bytes;
        self.by_token.insert(token, grant);
    }

    /// Ends the tokens of a user and alias. Their owner stays known.
    fn end_those_of(&mut self, username: &str, user_alias: Option<&str>, now: SystemTime) {
        for grant in self.by_token.values_mut() {
            if grant.username == username && grant.user_alias.as_deref() == user_alias {
                grant.expires = Some(now);
            }
        }
    }

    fn oldest_has_ended(&self, now: SystemTime) -> bool {
        let oldest = self.order.front().and_then(|(token, _)| self.by_token.get(token));
        oldest.is_none_or(|grant| !grant.is_good(now))
    }
}

/// About 900 characters in the shape of a Google-style RS256 JWT. The signature is random: clients
/// are to treat tokens as opaque, and the emulator looks them up.
fn access_token(
    key_id: &str,
    username: &str,
    user_alias: Option<&str>,
    now: SystemTime,
    life: Duration,
) -> Result<String, GetRandomFailed> {
    let issued = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let user_id = URL_SAFE_NO_PAD.encode(random::<21>()?);
    let header = json!({ "alg": "RS256", "kid": key_id, "typ": "JWT" });
    let claims = json!({
        "iss": "https://securetoken.google.com/point-auth-emulator",
        "aud": "point-auth-emulator",
        "auth_time": issued,
        "user_id": user_id,
        "sub": user_id,
        "iat": issued,
        "exp": issued.saturating_add(life.as_secs()),
        "email": username,
        "email_verified": true,
        "alias": user_alias,
        "firebase": {
            "identities": { "email": [username] },
            "sign_in_provider": "custom",
            "tenant": "point-auth-emulator",
        },
    });
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode(random::<256>()?);
    Ok(format!("{}.{}.{signature}", part(header), part(claims)))
}

/// 200 characters that are safe in a URL.
fn refresh_token() -> Result<String, GetRandomFailed> {
    Ok(format!("AMf-{}", URL_SAFE_NO_PAD.encode(random::<147>()?)))
}

/// Unpredictable bytes, from the random source of the TLS provider.
fn random<const N: usize>() -> Result<[u8; N], GetRandomFailed> {
    let mut bytes = [0; N];
    crate::crypto::provider().secure_random.fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(life: Duration) -> Accounts {
        Accounts::new(HashMap::new(), Lives { access: life, refresh: Some(life) }).unwrap()
    }

    fn kept(accounts: &Accounts) -> [usize; 2] {
        let kinds = [&accounts.access, &accounts.refresh];
        for kind in kinds {
            assert!(kind.by_token.len() <= kind.order.len());
            assert_eq!(kind.bytes, kind.order.iter().map(|(_, bytes)| bytes).sum::<usize>());
        }
        kinds.map(|kind| kind.order.len())
    }

    #[test]
    fn tokens_that_have_ended_are_forgotten_once_there_are_many() {
        let life = Duration::from_secs(1);
        let mut accounts = accounts(life);
        let mut now = UNIX_EPOCH;
        for _ in 0..2 * Grants::ENDED {
            now += life;
            accounts.issue("user", None, true, now).unwrap();
        }
        assert_eq!(kept(&accounts), [Grants::ENDED; 2]);
        assert_eq!(accounts.access.by_token.len(), Grants::ENDED);
    }

    #[test]
    fn of_the_tokens_that_are_good_the_newest_are_kept_as_far_as_there_is_room() {
        let mut accounts = accounts(Duration::MAX);
        accounts.access.most_bytes = 150_000;
        accounts.refresh.most_bytes = 50_000;
        let mut issue = |alias| accounts.issue("user", Some(alias), true, UNIX_EPOCH).unwrap();
        let first = issue("ann");
        let many: Vec<_> = (0..20_000).map(|_| issue("ann")).collect();
        let [access, refresh] = kept(&accounts);
        assert!((100..150).contains(&access) && (100..150).contains(&refresh));
        assert!(accounts.access.bytes <= 150_000 && accounts.refresh.bytes <= 50_000);

        assert!(accounts.access_grant(&first.access_token, UNIX_EPOCH).is_none());
        assert!(accounts.refresh_grant(&first.refresh_token.unwrap(), UNIX_EPOCH).is_none());
        for newest in many.iter().rev().take(100) {
            assert!(accounts.access_grant(&newest.access_token, UNIX_EPOCH).is_some());
            let token = newest.refresh_token.as_ref().unwrap();
            assert!(accounts.refresh_grant(token, UNIX_EPOCH).is_some());
        }
    }

    #[test]
    fn the_bytes_of_aliases_count() {
        let mut accounts = accounts(Duration::MAX);
        accounts.access.most_bytes = 150_000;
        accounts.refresh.most_bytes = 50_000;
        let alias = "a".repeat(20_000);
        for _ in 0..10 {
            accounts.issue("user", Some(&alias), true, UNIX_EPOCH).unwrap();
        }
        assert_eq!(kept(&accounts), [3, 2]);
    }

    #[test]
    fn revoked_tokens_make_room_in_their_turn() {
        let mut accounts = accounts(Duration::MAX);
        for _ in 0..2 * Grants::ENDED {
            let issued = accounts.issue("user", None, true, UNIX_EPOCH).unwrap();
            assert!(accounts.revoke(&issued.access_token));
            assert!(accounts.revoke(&issued.refresh_token.unwrap()));
        }
        assert_eq!(kept(&accounts), [Grants::ENDED; 2]);
    }

    #[test]
    fn fifty_thousand_tokens_are_good_at_once() {
        let mut accounts = accounts(Duration::MAX);
        let first = accounts.issue("user@example.com", Some("alias"), true, UNIX_EPOCH).unwrap();
        for _ in 1..50_000 {
            accounts.issue("user@example.com", Some("alias"), true, UNIX_EPOCH).unwrap();
        }
        assert!(accounts.access_grant(&first.access_token, UNIX_EPOCH).is_some());
        accounts.access.insert(&"a".repeat(Grants::MOST_BYTES / 2), grant(), UNIX_EPOCH);
        assert!(accounts.access_grant(&first.access_token, UNIX_EPOCH).is_none());
        assert!(accounts.access.bytes <= Grants::MOST_BYTES);
    }

    fn grant() -> Grant {
        Grant { username: "user".to_owned(), user_alias: None, expires: None }
    }

    #[test]
    fn a_life_beyond_the_end_of_time_overflows_nothing() {
        for life in [Duration::from_secs(u64::MAX), Duration::MAX] {
            let mut accounts = accounts(life);
            let issued = accounts.issue("user", None, true, SystemTime::now()).unwrap();
            let later = SystemTime::now() + Duration::from_secs(1 << 40);
            assert!(accounts.access_grant(&issued.access_token, later).is_some());
            assert!(accounts.refresh_grant(&issued.refresh_token.unwrap(), later).is_some());
        }
    }
}
