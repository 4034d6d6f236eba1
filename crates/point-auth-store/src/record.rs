//! What is in a value: [`AliasRecord`] and [`LoginRecord`], as sealed JSON.
//!
//! All times are of the store's clock. Unknown fields are passed over, so that a newer version may
//! add some.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
pub(crate) struct AliasRecord {
    pub(crate) tokens: Option<KeptTokens>,
    pub(crate) permit: Option<HeldPermit>,
    /// The fingerprint of the password that worked last.
    pub(crate) worked: Option<String>,
    /// The last denials, each of another password.
    pub(crate) denied: Vec<KeptDenial>,
}

#[derive(Clone)]
pub(crate) struct KeptTokens {
    pub(crate) version: Fence,
    /// With times of the store's clock.
    pub(crate) tokens: StoredTokens,
}

/// Who may exchange now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldPermit {
    pub(crate) fence: Fence,
    pub(crate) until: Duration,
}

#[derive(Clone)]
pub(crate) struct KeptDenial {
    pub(crate) fingerprint: String,
    pub(crate) epoch: Epoch,
    pub(crate) denial: Denial,
}

/// What is kept of a login: the ledger, by fingerprints.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct LoginRecord {
    pub(crate) epoch: Epoch,
    pub(crate) ledger: KeptLedger<String>,
}

/// So many denied passwords are kept of an alias.
const MOST_DENIED: usize = 5;

impl AliasRecord {
    pub(crate) fn deny(&mut self, denial: KeptDenial) {
        self.denied.retain(|old| old.fingerprint != denial.fingerprint);
        self.denied.push(denial);
        if self.denied.len() > MOST_DENIED {
            self.denied.remove(0);
        }
    }

    pub(crate) fn denial(&self, fingerprint: &str, epoch: Epoch) -> Option<&Denial> {
        let of_this = |kept: &&KeptDenial| kept.fingerprint == fingerprint && kept.epoch == epoch;
        self.denied.iter().find(of_this).map(|kept| &kept.denial)
    }

    pub(crate) fn to_json(&self) -> SecretBody {
        let tokens = self.tokens.as_ref().map(|kept| (kept.version, kept.tokens.expose_json()));
        let tokens = tokens.as_ref().and_then(|(version, json)| {
            // What `expose_json` has written is JSON.
            let json: &RawValue = serde_json::from_slice(json.as_ref()).ok()?;
            Some(TokensJson { version: version.to_string(), json })
        });
        let denied = self.denied.iter().map(|kept| DenialJson {
            fingerprint: kept.fingerprint.clone(),
            epoch: kept.epoch.map(|epoch| epoch.to_string()),
            status: kept.denial.status().as_u16(),
            code: kept.denial.code().to_owned(),
            description: kept.denial.description().map(str::to_owned),
        });
        let permit = self.permit.map(|permit| PermitJson {
            fence: permit.fence.to_string(),
            until: millis(permit.until),
        });
        let json =
            AliasJson { tokens, permit, worked: self.worked.clone(), denied: denied.collect() };
        // Text and numbers have a JSON form.
        SecretBody::json(&json).unwrap_or_default()
    }

    pub(crate) fn from_json(json: &[u8]) -> Result<Self, SealError> {
        let json: AliasJson<'_> = serde_json::from_slice(json).map_err(|_| SealError::Damaged)?;
        let tokens = json.tokens.map(|kept| {
            let tokens = StoredTokens::from_json(kept.json.get().as_bytes());
            let tokens = tokens.map_err(|_| SealError::Damaged)?;
            Ok(KeptTokens { version: fence(&kept.version)?, tokens })
        });
        let permit = json.permit.map(|kept| {
            let until = Duration::from_millis(kept.until);
            Ok(HeldPermit { fence: fence(&kept.fence)?, until })
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
            fence: Fence(kept.id).to_string(),
            fingerprint: kept.key.clone(),
            has_worked: kept.has_worked,
            expires: millis(kept.expires),
        });
        let json = LoginJson {
            epoch: self.epoch.map(|epoch| epoch.to_string()),
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
                id: fence(&kept.fence)?.0,
                key: kept.fingerprint,
                has_worked: kept.has_worked,
                expires: Duration::from_millis(kept.expires),
            })
        });
        let ledger = KeptLedger {
            passwords: passwords.collect(),
            permits: permits.collect::<Result<_, _>>()?,
        };
        Ok(Self { epoch: json.epoch.as_deref().map(fence).transpose()?, ledger })
    }
}

/// The store's time as a time of the wall clock's kind.
pub(crate) fn as_wall(store: Duration) -> SystemTime {
    UNIX_EPOCH.checked_add(store).unwrap_or(UNIX_EPOCH)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn fence(text: &str) -> Result<Fence, SealError> {
    u128::from_str_radix(text, 16).map(Fence).map_err(|_| SealError::Damaged)
}

#[derive(Serialize, Deserialize)]
struct AliasJson<'a> {
    #[serde(borrow)]
    tokens: Option<TokensJson<'a>>,
    permit: Option<PermitJson>,
    worked: Option<String>,
    denied: Vec<DenialJson>,
}

#[derive(Serialize, Deserialize)]
struct TokensJson<'a> {
    version: String,
    /// As it stands there, so that no copy of a token is left behind.
    #[serde(borrow)]
    json: &'a RawValue,
}

#[derive(Serialize, Deserialize)]
struct PermitJson {
    fence: String,
    until: u64,
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
