//! What is in a value: [`AliasRecord`] and [`LoginRecord`], as sealed JSON.
//!
//! All times are of the store's clock. Unknown fields are passed over, so that a newer version may
//! add some.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use point_auth_core::session::{KeptLedger, KeptPassword, KeptPermit, StoredTokens};
use point_auth_core::{Denial, SecretBody};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::contract::Fence;
use crate::sealing::SealError;

/// Changes with each reset of a login. `None`: there was none yet.
pub(crate) type Epoch = Option<Fence>;

/// What is kept of one alias.
#[derive(Clone, Default)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct AliasRecord {
    pub(crate) tokens: Option<KeptTokens>,
    pub(crate) permit: Option<HeldPermit>,
    /// The fingerprint of the password that worked last.
    pub(crate) worked: Option<String>,
    /// The last denials, each of another password.
    pub(crate) denied: Vec<KeptDenial>,
}

#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct KeptTokens {
    pub(crate) version: Fence,
    /// With times of the store's clock, and without an owner once they were read: the name of the
    /// value says whose they are.
    pub(crate) tokens: StoredTokens,
}

/// Who may exchange now.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct HeldPermit {
    pub(crate) fence: Fence,
    pub(crate) until: Duration,
    /// How long it lasts in all.
    pub(crate) life: Duration,
}

#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct KeptDenial {
    pub(crate) fingerprint: String,
    pub(crate) epoch: Epoch,
    pub(crate) denial: Denial,
}

/// What is kept of a login: the ledger, by fingerprints.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct LoginRecord {
    pub(crate) epoch: Epoch,
    pub(crate) ledger: KeptLedger<String>,
    /// When it was written.
    pub(crate) written: Duration,
}

/// So many denied passwords are kept of an alias.
const MOST_DENIED: usize = 5;

impl AliasRecord {
    pub(crate) fn deny(&mut self, denial: KeptDenial) {
        let is_same =
            |old: &KeptDenial| old.fingerprint == denial.fingerprint && old.epoch == denial.epoch;
        self.denied.retain(|old| !is_same(old));
        self.denied.push(denial);
        if self.denied.len() > MOST_DENIED {
            self.denied.remove(0);
        }
    }

    /// The denial of this password in `epoch`. A store without one had no reset, or has lost it:
    /// then all denials count.
    pub(crate) fn denial(&self, fingerprint: &str, epoch: Epoch) -> Option<&Denial> {
        let is_current = |kept: &KeptDenial| epoch.is_none() || kept.epoch == epoch;
        let of_this = |kept: &&KeptDenial| kept.fingerprint == fingerprint && is_current(kept);
        self.denied.iter().find(of_this).map(|kept| &kept.denial)
    }

    pub(crate) fn to_json(&self) -> SecretBody {
        let tokens = self.tokens.as_ref().map(|kept| (kept.version, kept.tokens.expose_json()));
        let tokens = tokens.as_ref().and_then(|(version, json)| {
            // What `expose_json` has written can be read.
            let written: WrittenTokens<'_> = serde_json::from_slice(json.as_ref()).ok()?;
            Some(TokensJson::new(*version, written))
        });
        let denied = self.denied.iter().map(|kept| DenialJson {
            fingerprint: kept.fingerprint.clone(),
            epoch: kept.epoch.map(text),
            status: kept.denial.status().as_u16(),
            code: kept.denial.code().to_owned(),
            description: kept.denial.description().map(str::to_owned),
        });
        let permit = self.permit.map(|permit| PermitJson {
            fence: text(permit.fence),
            until: millis(permit.until),
            life: millis(permit.life),
        });
        let json =
            AliasJson { tokens, permit, worked: self.worked.clone(), denied: denied.collect() };
        // Text and numbers have a JSON form.
        SecretBody::json(&json).unwrap_or_default()
    }

    pub(crate) fn from_json(json: &[u8]) -> Result<Self, SealError> {
        let json: AliasJson<'_> = serde_json::from_slice(json).map_err(|_| SealError::Damaged)?;
        let tokens = json.tokens.map(|kept| {
            let version = fence(&kept.version)?;
            let written = SecretBody::json(&WrittenTokens::from(kept));
            let written = written.map_err(|_| SealError::Damaged)?;
            let tokens = StoredTokens::from_json(written.as_ref());
            let tokens = tokens.map_err(|_| SealError::Damaged)?;
            Ok(KeptTokens { version, tokens })
        });
        let permit = json.permit.map(|kept| {
            let [until, life] = [kept.until, kept.life].map(Duration::from_millis);
            Ok(HeldPermit { fence: fence(&kept.fence)?, until, life })
        });
        let denied = json.denied.into_iter().map(|kept| {
            let status = StatusCode::from_u16(kept.status).map_err(|_| SealError::Damaged)?;
            let denial = Denial::from_kept(status, kept.code, kept.description);
            let epoch = kept.epoch.as_deref().map(fence).transpose()?;
            Ok(KeptDenial { fingerprint: kept.fingerprint, epoch, denial })
        });
        Ok(Self {
            tokens: tokens.transpose()?,
            permit: permit.transpose()?,
            worked: json.worked,
            denied: denied.collect::<Result<_, _>>()?,
        })
    }
}

impl LoginRecord {
    /// The record at `now`. If the store's clock has gone back since it was written, as after a
    /// failover, its times are moved back as far: no permit and no hold lasts longer for that.
    pub(crate) fn at_time(mut self, now: Duration) -> Self {
        let back = self.written.saturating_sub(now);
        let move_back = |time: &mut Duration| *time = time.saturating_sub(back);
        for password in &mut self.ledger.passwords {
            move_back(&mut password.worked_denials.1);
            move_back(&mut password.other_denials.1);
            password.unknown_until.iter_mut().for_each(move_back);
        }
        self.ledger.permits.iter_mut().for_each(|permit| move_back(&mut permit.expires));
        self.written = now;
        self
    }

    /// Whether it says something else, whenever both were written.
    pub(crate) fn differs_from(&self, other: &Self) -> bool {
        self.epoch != other.epoch || self.ledger != other.ledger
    }

    pub(crate) fn to_json(&self) -> SecretBody {
        let denials = |(count, last): (u32, Duration)| (count, millis(last));
        let passwords = self.ledger.passwords.iter().map(|kept| PasswordJson {
            fingerprint: kept.key.clone(),
            is_proven: kept.is_proven,
            worked_denials: denials(kept.worked_denials),
            other_denials: denials(kept.other_denials),
            unknown: kept.unknown,
            unknown_until: kept.unknown_until.map(millis),
        });
        let permits = self.ledger.permits.iter().map(|kept| SignInJson {
            fence: text(Fence::of(kept.id)),
            fingerprint: kept.key.clone(),
            has_worked: kept.has_worked,
            expires: millis(kept.expires),
        });
        let json = LoginJson {
            written: millis(self.written),
            epoch: self.epoch.map(text),
            passwords: passwords.collect(),
            permits: permits.collect(),
        };
        SecretBody::json(&json).unwrap_or_default()
    }

    pub(crate) fn from_json(json: &[u8]) -> Result<Self, SealError> {
        let json: LoginJson = serde_json::from_slice(json).map_err(|_| SealError::Damaged)?;
        let denials = |(count, last)| (count, Duration::from_millis(last));
        let passwords = json.passwords.into_iter().map(|kept| KeptPassword {
            key: kept.fingerprint,
            is_proven: kept.is_proven,
            worked_denials: denials(kept.worked_denials),
            other_denials: denials(kept.other_denials),
            unknown: kept.unknown,
            unknown_until: kept.unknown_until.map(Duration::from_millis),
        });
        let permits = json.permits.into_iter().map(|kept| {
            Ok(KeptPermit {
                id: fence(&kept.fence)?.number(),
                key: kept.fingerprint,
                has_worked: kept.has_worked,
                expires: Duration::from_millis(kept.expires),
            })
        });
        let ledger = KeptLedger {
            passwords: passwords.collect(),
            permits: permits.collect::<Result<_, _>>()?,
        };
        let epoch = json.epoch.as_deref().map(fence).transpose()?;
        Ok(Self { epoch, ledger, written: Duration::from_millis(json.written) })
    }
}

/// The store's time as a time of the wall clock's kind.
pub(crate) fn as_wall(store: Duration) -> SystemTime {
    UNIX_EPOCH.checked_add(store).unwrap_or(UNIX_EPOCH)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A fence in base64, which is shorter than its digits.
fn text(fence: Fence) -> String {
    URL_SAFE_NO_PAD.encode(fence.bytes())
}

fn fence(text: &str) -> Result<Fence, SealError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::Damaged)?;
    let bytes = bytes.try_into().map_err(|_| SealError::Damaged)?;
    Ok(Fence::of(u128::from_be_bytes(bytes)))
}

/// With short names, since a login may have 100,000 of these.
#[derive(Serialize, Deserialize)]
struct AliasJson<'a> {
    #[serde(borrow, rename = "t", default, skip_serializing_if = "Option::is_none")]
    tokens: Option<TokensJson<'a>>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    permit: Option<PermitJson>,
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    worked: Option<String>,
    #[serde(rename = "d", default, skip_serializing_if = "Vec::is_empty")]
    denied: Vec<DenialJson>,
}

/// Tokens as they stand there, so that no copy of one is left behind.
#[derive(Serialize, Deserialize)]
struct TokensJson<'a> {
    #[serde(rename = "v")]
    version: String,
    #[serde(borrow, rename = "a", default, skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a RawValue>,
    #[serde(borrow, rename = "aa", default, skip_serializing_if = "Option::is_none")]
    asked_at: Option<&'a RawValue>,
    #[serde(borrow, rename = "e")]
    expires_in: &'a RawValue,
    #[serde(borrow, rename = "r", default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a RawValue>,
    #[serde(borrow, rename = "ra", default, skip_serializing_if = "Option::is_none")]
    refresh_token_came_at: Option<&'a RawValue>,
}

/// As [`StoredTokens`] are written.
#[derive(Serialize, Deserialize)]
struct WrittenTokens<'a> {
    #[serde(skip_deserializing)]
    base: &'a str,
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

impl<'a> TokensJson<'a> {
    fn new(version: Fence, written: WrittenTokens<'a>) -> Self {
        Self {
            version: text(version),
            access_token: written.access_token,
            asked_at: written.asked_at,
            expires_in: written.expires_in,
            refresh_token: written.refresh_token,
            refresh_token_came_at: written.refresh_token_came_at,
        }
    }
}

impl<'a> From<TokensJson<'a>> for WrittenTokens<'a> {
    fn from(short: TokensJson<'a>) -> Self {
        Self {
            base: "",
            access_token: short.access_token,
            asked_at: short.asked_at,
            expires_in: short.expires_in,
            refresh_token: short.refresh_token,
            refresh_token_came_at: short.refresh_token_came_at,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct PermitJson {
    #[serde(rename = "f")]
    fence: String,
    #[serde(rename = "u")]
    until: u64,
    #[serde(rename = "l")]
    life: u64,
}

#[derive(Serialize, Deserialize)]
struct DenialJson {
    fingerprint: String,
    epoch: Option<String>,
    status: u16,
    code: String,
    description: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct LoginJson {
    written: u64,
    epoch: Option<String>,
    passwords: Vec<PasswordJson>,
    permits: Vec<SignInJson>,
}

#[derive(Serialize, Deserialize)]
struct PasswordJson {
    fingerprint: String,
    is_proven: bool,
    worked_denials: (u32, u64),
    other_denials: (u32, u64),
    unknown: u32,
    unknown_until: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct SignInJson {
    fence: String,
    fingerprint: String,
    has_worked: bool,
    expires: u64,
}
