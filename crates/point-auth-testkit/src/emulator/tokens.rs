//! Who may sign in, and which tokens are good.

use std::collections::HashMap;
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

/// Whom a token was given to and until when it is good.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) username: String,
    pub(super) user_alias: Option<String>,
    expires: SystemTime,
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
    access: HashMap<String, Grant>,
    refresh: HashMap<String, Grant>,
    lives: Lives,
    key_id: String,
    /// How many grants to hold before looking for expired ones.
    sweep_at: usize,
}

const FIRST_SWEEP: usize = 4096;

impl Accounts {
    pub(super) fn new(users: HashMap<String, User>, lives: Lives) -> Result<Self, GetRandomFailed> {
        let key_id = random::<20>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            users,
            access: HashMap::new(),
            refresh: HashMap::new(),
            lives,
            key_id,
            sweep_at: FIRST_SWEEP,
        })
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
        self.sweep(now);
        let after = |life| now.checked_add(life).unwrap_or(now);

        let access_token =
            access_token(&self.key_id, username, user_alias, now, self.lives.access)?;
        self.access.insert(access_token.clone(), grant(after(self.lives.access)));

        let refresh_token = if with_refresh_token { Some(refresh_token()?) } else { None };
        if let Some(token) = &refresh_token {
            let expires =
                self.lives.refresh.map_or_else(|| eastern::midnight_after_24_hours(now), after);
            self.refresh.insert(token.clone(), grant(expires));
        }
        Ok(Issued { access_token, refresh_token })
    }

    /// Forgets expired tokens once there are many, so that an emulator that runs for days does not grow.
    fn sweep(&mut self, now: SystemTime) {
        if self.access.len() + self.refresh.len() < self.sweep_at {
            return;
        }
        self.access.retain(|_, grant| now < grant.expires);
        self.refresh.retain(|_, grant| now < grant.expires);
        self.sweep_at = FIRST_SWEEP.max(2 * (self.access.len() + self.refresh.len()));
    }

    pub(super) fn access_grant(&self, token: &str, now: SystemTime) -> Option<&Grant> {
        self.access.get(token).filter(|grant| now < grant.expires)
    }

    pub(super) fn refresh_grant(&self, token: &str, now: SystemTime) -> Option<&Grant> {
        self.refresh.get(token).filter(|grant| now < grant.expires)
    }

    /// Whom a token was given to, whether it is still good or not.
    pub(super) fn owner(&self, token: &str) -> Option<&Grant> {
        self.access.get(token).or_else(|| self.refresh.get(token))
    }

    pub(super) fn revoke(&mut self, token: &str) -> bool {
        self.access.remove(token).is_some() | self.refresh.remove(token).is_some()
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

/// About 900 characters in the shape of a Google-style RS256 JWT. The signature is random: clients are to treat tokens as
/// opaque, and the emulator looks them up.
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

/// Bytes nobody can foretell, from where TLS takes its own.
fn random<const N: usize>() -> Result<[u8; N], GetRandomFailed> {
    let mut bytes = [0; N];
    crate::crypto::provider().secure_random.fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_tokens_are_forgotten_once_there_are_many() {
        let life = Duration::from_secs(1);
        let lives = Lives { access: life, refresh: Some(life) };
        let mut accounts = Accounts::new(HashMap::new(), lives).unwrap();
        let mut now = UNIX_EPOCH;
        for _ in 0..FIRST_SWEEP {
            now += life;
            accounts.issue("user", None, true, now).unwrap();
            assert!(accounts.access.len() + accounts.refresh.len() <= FIRST_SWEEP + 2);
        }
    }

    #[test]
    fn tokens_that_are_good_are_kept_however_many_they_are() {
        let life = Duration::from_secs(1);
        let lives = Lives { access: life, refresh: Some(life) };
        let mut accounts = Accounts::new(HashMap::new(), lives).unwrap();
        let first = accounts.issue("user", None, true, UNIX_EPOCH).unwrap().access_token;
        for _ in 0..FIRST_SWEEP {
            accounts.issue("user", None, true, UNIX_EPOCH).unwrap();
        }
        assert!(accounts.access_grant(&first, UNIX_EPOCH).is_some());
    }
}
