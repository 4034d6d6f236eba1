//! A store in Redis: its URL, the password beside it, and the key that seals the tokens.

use std::path::PathBuf;

use point_auth::StoreKey;
use point_auth::blocking::RedisStore;
use zeroize::Zeroizing;

use crate::config::{self, Found, Settings};
use crate::failure::{Failure, Result};
use crate::profile::network::has_password;
use crate::secret_file::{self, Others};

/// The key as text, for where there is no file.
const KEY: &str = "POINT_AUTH_STORE_KEY";
/// The password of the connection.
const PASSWORD: &str = "POINT_AUTH_STORE_REDIS_PASSWORD";

/// No key or password is longer.
const MOST_BYTES: usize = 64 * 1024;

/// The place of the store, without any secret.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    url: Found<String>,
    key_file: Option<Found<PathBuf>>,
    password_file: Option<Found<PathBuf>>,
}

impl Place {
    pub(super) fn read(settings: &Settings, url: Found<String>) -> Result<Self> {
        let query = url.value.split_once('?').map_or("", |(_, query)| query);
        if has_password(&url.value) || query.split('&').any(|part| part.starts_with("pass=")) {
            let why = "a password may not stand here: set store.redis_password_file or ";
            return Err(url.refused(format!("{why}{PASSWORD}")));
        }
        let key_file = settings.path("store.key_file")?;
        let password_file = settings.path("store.redis_password_file")?;
        Ok(Self { url, key_file, password_file })
    }

    pub(super) fn url(&self) -> &str {
        &self.url.value
    }

    pub(super) fn open(&self) -> Result<RedisStore> {
        let key = self.key()?;
        let url = self.url_with_password()?;
        RedisStore::from_url(&url, key).map_err(|error| self.url.refused(error))
    }

    /// Opens the store for a program that is async.
    #[cfg(feature = "proxy")]
    pub(super) fn open_async(&self) -> Result<point_auth::RedisStore> {
        let key = self.key()?;
        let url = self.url_with_password()?;
        point_auth::RedisStore::from_url(&url, key).map_err(|error| self.url.refused(error))
    }

    fn key(&self) -> Result<StoreKey> {
        let (text, origin) = match secret(KEY, self.key_file.as_ref())? {
            Some(found) => found,
            None => {
                let message = "a store in Redis needs a key that all machines share";
                let hint = "set store.key_file or POINT_AUTH_STORE_KEY: 32 random bytes in base64";
                return Err(Failure::usage(message).with_hint(hint));
            }
        };
        StoreKey::parse(&text).map_err(|error| Failure::usage(format!("{origin}: {error}")))
    }

    /// The URL with the password in it, which is only in memory.
    fn url_with_password(&self) -> Result<Zeroizing<String>> {
        let url = Zeroizing::new(self.url.value.clone());
        let Some((password, _)) = secret(PASSWORD, self.password_file.as_ref())? else {
            return Ok(url);
        };
        // With room for all of it, since growth would leave copies behind.
        let mut encoded = Zeroizing::new(String::with_capacity(3 * password.len()));
        for byte in password.bytes() {
            let digit = |part: u8| char::from_digit(u32::from(part), 16);
            encoded.push('%');
            encoded.extend(digit(byte >> 4).into_iter().chain(digit(byte & 0xF)));
        }
        let is_socket = url.starts_with("unix:") || url.starts_with("redis+unix:");
        let mut whole = Zeroizing::new(String::with_capacity(url.len() + encoded.len() + 16));
        if is_socket {
            let separator = if url.contains('?') { "&pass=" } else { "?pass=" };
            whole.extend([url.as_str(), separator, encoded.as_str()]);
        } else {
            let (scheme, rest) = url.split_once("://").unwrap_or(("redis", &url));
            let (user, host) = rest.split_once('@').unwrap_or(("", rest));
            let user = user.trim_end_matches(':');
            whole.extend([scheme, "://", user, ":", encoded.as_str(), "@", host]);
        }
        Ok(whole)
    }
}

/// A secret of a variable, or else of a file: without white space around it, and its origin.
fn secret(
    variable: &'static str,
    file: Option<&Found<PathBuf>>,
) -> Result<Option<(Zeroizing<String>, String)>> {
    if let Some(found) = config::variable(variable)? {
        return Ok(Some((Zeroizing::new(found.value), found.origin)));
    }
    let Some(found) = file else { return Ok(None) };
    let bytes = secret_file::read(&found.value, &found.origin, Others::MayNothing, MOST_BYTES)?;
    let missing = || found.refused(format!("{} is missing", found.value.display()));
    let bytes = bytes.ok_or_else(missing)?;
    match std::str::from_utf8(&bytes).map(str::trim) {
        Ok(text) if !text.is_empty() => {
            Ok(Some((Zeroizing::new(text.to_owned()), found.origin.clone())))
        }
        Ok(_) => Err(found.refused("the file is empty")),
        Err(_) => Err(found.refused("the file is not Unicode")),
    }
}
