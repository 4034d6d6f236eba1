//! [`StoreKey`]: the secret that names, fingerprints and sealing keys are derived from.

use std::env;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a key.
const LENGTH: usize = 32;

pub(crate) type Secret = Zeroizing<[u8; LENGTH]>;

/// The secret that the processes of a fleet have in common: it names, fingerprints and seals what is
/// in a store.
///
/// As text it is one key of 32 random bytes in base64, or `INDEX:FIRST,OLDER…` to change the key
/// that seals: values are sealed with `FIRST` and opened with any of the list, while `INDEX` names
/// the values and stays as it was. So a fleet with the key `A` changes to `B` in three steps: `A:A,B`
/// everywhere, then `A:B,A`, and `A:B` once all tokens have been renewed.
///
/// It is wiped when it is dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct StoreKey {
    index: Secret,
    /// The first one seals.
    ring: Vec<Secret>,
}

/// A text is no key of a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreKeyError {
    /// The variable is not set, or not Unicode.
    #[error("the environment variable {name} is not set")]
    Missing {
        /// The variable.
        name: String,
    },
    /// A key is not 32 bytes in base64.
    #[error("a store key has 32 bytes, written in base64{}", in_variable(.name.as_deref()))]
    Malformed {
        /// The variable that it came from, if it did.
        name: Option<String>,
    },
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

fn in_variable(name: Option<&str>) -> String {
    name.map(|name| format!(" (environment variable {name})")).unwrap_or_default()
}

impl StoreKey {
    /// Creates a random key.
    ///
    /// # Errors
    /// [`StoreKeyError::NoRandomness`] when the system gives none.
    pub fn generate() -> Result<Self, StoreKeyError> {
        let mut key = Zeroizing::new([0; LENGTH]);
        getrandom::fill(&mut *key).map_err(|_| StoreKeyError::NoRandomness)?;
        Ok(Self { index: key.clone(), ring: vec![key] })
    }

    /// Reads a key from an environment variable.
    ///
    /// # Errors
    /// [`StoreKeyError`] when it is missing or no key. It names the variable and never the value.
    pub fn from_env(name: &str) -> Result<Self, StoreKeyError> {
        let missing = |_| StoreKeyError::Missing { name: name.to_owned() };
        let text = Zeroizing::new(env::var(name).map_err(missing)?);
        let malformed = |_| StoreKeyError::Malformed { name: Some(name.to_owned()) };
        Self::parse(&text).map_err(malformed)
    }

    /// Reads a key from its text. White space around it is not part of it.
    ///
    /// # Errors
    /// [`StoreKeyError::Malformed`] when it is none.
    pub fn parse(text: &str) -> Result<Self, StoreKeyError> {
        let (index, ring) = match text.trim().split_once(':') {
            Some((index, ring)) => (decode(index)?, ring),
            None => (decode(text.trim())?, text.trim()),
        };
        Ok(Self { index, ring: ring.split(',').map(decode).collect::<Result<_, _>>()? })
    }

    /// Returns the text that [`parse`](Self::parse) reads. It is as secret as the tokens.
    pub fn expose(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * LENGTH * (1 + self.ring.len())));
        STANDARD.encode_string(*self.index, &mut text);
        for (place, key) in self.ring.iter().enumerate() {
            text.push(if place == 0 { ':' } else { ',' });
            STANDARD.encode_string(**key, &mut text);
        }
        text
    }

    /// A key for one purpose, from the index.
    pub(crate) fn index(&self, purpose: &str) -> Secret {
        derive(&self.index, purpose)
    }

    /// The keys that open, of which the first one seals.
    pub(crate) fn ring(&self) -> impl Iterator<Item = Secret> {
        self.ring.iter().map(|key| derive(key, "point-auth seal"))
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreKey").field("ring", &self.ring.len()).finish_non_exhaustive()
    }
}

/// HMAC-SHA-256 of some parts, none of which runs into the next.
pub(crate) fn mac(key: &Secret, parts: &[&str]) -> Secret {
    // An HMAC takes a key of any length.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&**key) else {
        return Zeroizing::new([0; LENGTH]);
    };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    let mut bytes = mac.finalize().into_bytes();
    let mut out = Zeroizing::new([0; LENGTH]);
    out.copy_from_slice(&bytes);
    bytes.zeroize();
    out
}

fn derive(key: &Secret, purpose: &str) -> Secret {
    mac(key, &[purpose])
}

fn decode(text: &str) -> Result<Secret, StoreKeyError> {
    let text = text.trim();
    let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text));
    let bytes = Zeroizing::new(bytes.map_err(|_| StoreKeyError::Malformed { name: None })?);
    let mut key = Zeroizing::new([0; LENGTH]);
    if bytes.len() != LENGTH {
        return Err(StoreKeyError::Malformed { name: None });
    }
    key.copy_from_slice(&bytes);
    Ok(key)
}
