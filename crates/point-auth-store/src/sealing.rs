//! [`Seals`]: what hashes the names and seals the values of a store.

use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use point_auth_core::secrecy::ExposeSecret;
use point_auth_core::{BaseUrl, Credentials};
use zeroize::Zeroizing;

use crate::contract::EntryName;
use crate::key::{Secret, StoreKey, mac};

/// Seals values, so that a reader of the store learns nothing and a writer cannot put one alias's
/// value in place of another's.
///
/// The default is XChaCha20-Poly1305 with the keys of a [`StoreKey`]. Implement this for a key
/// service or a validated module.
pub trait Sealer: Send + Sync + 'static {
    /// Seals `plain`. `context` is the value's name, which is authenticated with it.
    ///
    /// # Errors
    /// [`SealError`] when it cannot be sealed now.
    fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError>;

    /// Opens what [`seal`](Self::seal) made with the same `context`.
    ///
    /// # Errors
    /// [`SealError`] when it cannot be opened.
    fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError>;
}

/// A value cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// It is no sealed value, it was changed, or it belongs to another name.
    #[error("the value in the store is damaged, or belongs to another name")]
    Damaged,
    /// It was sealed with a key that this process does not have.
    #[error("the value in the store is sealed with an unknown key")]
    UnknownKey,
    /// It was written by a newer version of this library.
    #[error("the value in the store was written by a newer version")]
    Newer,
    /// The sealer cannot work now.
    #[error("values cannot be sealed or opened now")]
    Unavailable,
}

/// What seals the values and hashes the names of a store.
#[derive(Clone)]
pub struct Seals {
    names: Secret,
    passwords: Secret,
    sealer: Arc<dyn Sealer>,
}

impl Seals {
    /// Creates one that does all with this key.
    pub fn new(key: &StoreKey) -> Self {
        Self::with_sealer(key, Ring::new(key))
    }

    /// Creates one that hashes with `index` and seals with `sealer`.
    pub fn with_sealer(index: &StoreKey, sealer: impl Sealer) -> Self {
        Self {
            names: index.index("point-auth names"),
            passwords: index.index("point-auth passwords"),
            sealer: Arc::new(sealer),
        }
    }

    /// Returns the name of the value that is a login's own. The case of the username makes no
    /// difference.
    pub fn login_name(&self, base_url: &BaseUrl, username: &str) -> EntryName {
        self.login(base_url.as_str(), username)
    }

    /// Returns the name of the value of one alias of a login, or of the login without an alias.
    pub fn alias_name(
        &self,
        base_url: &BaseUrl,
        username: &str,
        user_alias: Option<&str>,
    ) -> EntryName {
        self.alias(&self.login_name(base_url, username), user_alias)
    }

    /// The name of the value that is a login's own.
    pub(crate) fn login(&self, base_url: &str, username: &str) -> EntryName {
        let login = hex(&mac(&self.names, &[base_url, &lowercase(username)]), 16);
        EntryName { login, entry: "login".to_owned() }
    }

    /// The name of the value of one alias of a login.
    pub(crate) fn alias(&self, login: &EntryName, user_alias: Option<&str>) -> EntryName {
        let entry = match user_alias {
            Some(user_alias) => hex(&mac(&self.names, &[&login.login, user_alias]), 16),
            None => "no-alias".to_owned(),
        };
        EntryName { login: login.login.clone(), entry }
    }

    /// What stands for a password in a store. The case of the username makes no difference.
    pub(crate) fn fingerprint(&self, base_url: &str, credentials: &Credentials) -> String {
        let username = lowercase(credentials.username());
        let password = credentials.password().expose_secret();
        // Shorter than a name: only the last passwords of one login have to differ.
        hex(&mac(&self.passwords, &[base_url, &username, password]), 12)
    }

    pub(crate) fn seal(&self, plain: &[u8], name: &EntryName) -> Result<Vec<u8>, SealError> {
        self.sealer.seal(plain, name.to_string().as_bytes())
    }

    pub(crate) fn open(
        &self,
        sealed: &[u8],
        name: &EntryName,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.sealer.open(sealed, name.to_string().as_bytes())
    }
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seals").finish_non_exhaustive()
    }
}

/// XChaCha20-Poly1305 with a ring of keys.
///
/// A sealed value is the format (1 byte), the number of the key (8 bytes), a random nonce (24
/// bytes), the ciphertext and a tag (16 bytes). The format and the name are authenticated.
struct Ring {
    keys: Vec<(KeyId, XChaCha20Poly1305)>,
}

type KeyId = [u8; 8];

const FORMAT: u8 = 1;
const NONCE: usize = 24;

impl Ring {
    fn new(key: &StoreKey) -> Self {
        let keys = key.ring().map(|secret| {
            let id = mac(&secret, &["point-auth key id"]);
            let mut short = KeyId::default();
            short.iter_mut().zip(id.iter()).for_each(|(to, from)| *to = *from);
            (short, XChaCha20Poly1305::new((&*secret).into()))
        });
        Self { keys: keys.collect() }
    }
}

impl Sealer for Ring {
    fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        let (id, cipher) = self.keys.first().ok_or(SealError::Unavailable)?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Unavailable)?;
        let aad = [&[FORMAT], context].concat();
        let payload = Payload { msg: plain, aad: &aad };
        let sealed =
            cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Unavailable)?;
        Ok([&[FORMAT], id.as_slice(), &nonce, &sealed].concat())
    }

    fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (format, rest) = sealed.split_first().ok_or(SealError::Damaged)?;
        match *format {
            FORMAT => {}
            newer if newer > FORMAT && newer < b' ' => return Err(SealError::Newer),
            _ => return Err(SealError::Damaged),
        }
        let (id, rest) = rest.split_first_chunk::<8>().ok_or(SealError::Damaged)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Damaged)?;
        let found = self.keys.iter().find(|(known, _)| known == id);
        let (_, cipher) = found.ok_or(SealError::UnknownKey)?;
        let aad = [&[FORMAT], context].concat();
        let opened = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &aad });
        opened.map(Zeroizing::new).map_err(|_| SealError::Damaged)
    }
}

fn lowercase(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// The first bytes of a hash, in hexadecimal.
fn hex(hash: &Secret, bytes: usize) -> String {
    hash.iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}
