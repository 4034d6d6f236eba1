//! The result of a sign-in: [`TokenSet`], [`AccessToken`], [`RefreshToken`], [`Scope`],
//! [`TokenType`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::secret_body::Wiped;

/// The error of a text that is not a token: empty, or not visible ASCII without spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is visible ASCII without spaces, and not empty")]
#[non_exhaustive]
pub struct TokenError;

fn check_token(text: &str) -> Result<(), TokenError> {
    // Not `all`, which would stop early and so check one byte at a time.
    let visible = text.bytes().fold(true, |visible, byte| visible & byte.is_ascii_graphic());
    if text.is_empty() || !visible { Err(TokenError) } else { Ok(()) }
}

/// The scheme and the space before the token in `Authorization`.
const BEARER: &str = "Bearer ";

/// A bearer token for the other requests of the API. It is opaque.
///
/// Cloning is cheap. The bytes are wiped when the last clone and the last [header
/// value](Self::header_value) drop. `Debug` shows no part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The complete header value, so that authorizing a request needs no copy and no check. It is
    /// behind one pointer, because tokens are moved and cloned more often than they are used.
    header: Arc<HeaderValue>,
}

impl AccessToken {
    /// Creates a token from a text, such as a stored one.
    ///
    /// # Errors
    /// [`TokenError`] when it is empty or not visible ASCII without spaces.
    pub fn new(token: &str) -> Result<Self, TokenError> {
        check_token(token)?;
        let header = Bytes::from(Wiped::concat(&[BEARER.as_bytes(), token.as_bytes()]));
        let mut header = HeaderValue::from_maybe_shared(header).map_err(|_| TokenError)?;
        header.set_sensitive(true);
        Ok(Self { header: Arc::new(header) })
    }

    /// Returns the token itself. Keep it out of logs.
    pub fn expose(&self) -> &str {
        // Both fallbacks are unreachable: `new` built the header from ASCII, with `Bearer ` and
        // more.
        std::str::from_utf8(self.header.as_bytes().get(BEARER.len()..).unwrap_or_default())
            .unwrap_or_default()
    }

    /// Returns the value for an `Authorization` header, marked sensitive, without a copy of the
    /// token.
    pub fn header_value(&self) -> HeaderValue {
        HeaderValue::clone(&self.header)
    }

    /// Sets `Authorization` in `headers`, and replaces any value that is there.
    pub fn authorize(&self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.header_value());
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken([redacted])")
    }
}

/// A token that obtains new access tokens without the password, until it expires.
///
/// Cloning is cheap. The bytes are wiped when the last clone drops. `Debug` shows no part of it.
#[derive(Clone)]
pub struct RefreshToken(Arc<SecretString>);

impl RefreshToken {
    /// Creates a token from a text, such as a stored one.
    ///
    /// # Errors
    /// [`TokenError`] when it is empty or not visible ASCII without spaces.
    pub fn new(token: &str) -> Result<Self, TokenError> {
        check_token(token)?;
        Ok(Self(Arc::new(SecretString::from(token))))
    }

    /// Returns the token itself. Keep it out of logs.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for RefreshToken {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for RefreshToken {}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken([redacted])")
    }
}

/// The scope of an access token, as the server names it: words separated by spaces (RFC 6749 §3.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope(Arc<str>);

impl Scope {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the complete scope, as the server sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns an iterator over the words of the scope.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_ascii_whitespace()
    }

    /// Returns whether `word` is one of the words.
    pub fn contains(&self, word: &str) -> bool {
        self.iter().any(|one| one == word)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an access token is used. A response with any other type is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenType {
    /// In an `Authorization: Bearer` header (RFC 6750).
    #[default]
    Bearer,
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer => "Bearer",
        })
    }
}

/// The tokens from a sign-in or a refresh.
///
/// `Debug` shows the scope, the type and the lifetime, but neither token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSet {
    access_token: AccessToken,
    refresh_token: Option<RefreshToken>,
    scope: Option<Scope>,
    token_type: TokenType,
    expires_in: Duration,
}

impl TokenSet {
    /// The lifetime of an access token if the response has none: 3,600 seconds, as in the vendor's
    /// documentation.
    pub const DEFAULT_EXPIRES_IN: Duration = Duration::from_secs(3600);
    /// The maximum lifetime: 4,294,967,295 seconds, or 136 years. A longer one counts as this.
    pub const MAX_EXPIRES_IN: Duration = Duration::from_secs(u32::MAX as u64);

    /// Creates a set of one bearer token, with the default lifetime and no refresh token.
    ///
    /// Use it for operations of your own.
    pub const fn new(access_token: AccessToken) -> Self {
        Self {
            access_token,
            refresh_token: None,
            scope: None,
            token_type: TokenType::Bearer,
            expires_in: Self::DEFAULT_EXPIRES_IN,
        }
    }

    /// Sets the refresh token.
    #[must_use]
    pub fn with_refresh_token(mut self, refresh_token: RefreshToken) -> Self {
        self.refresh_token = Some(refresh_token);
        self
    }

    /// Sets the lifetime, counted from when the request was sent.
    ///
    /// It is capped at [`MAX_EXPIRES_IN`](Self::MAX_EXPIRES_IN).
    #[must_use]
    pub fn with_expires_in(mut self, expires_in: Duration) -> Self {
        self.expires_in = expires_in.min(Self::MAX_EXPIRES_IN);
        self
    }

    pub(crate) fn with_scope(mut self, scope: Option<Scope>) -> Self {
        self.scope = scope;
        self
    }

    /// Returns the access token.
    pub const fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    /// Returns the refresh token to use from now on, if there is one.
    pub const fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    /// Returns the scope of the access token, if the server sent one that repeats no secret.
    pub const fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// Returns how the access token is used.
    pub const fn token_type(&self) -> TokenType {
        self.token_type
    }

    /// Returns the lifetime of the access token, counted from when the request was sent.
    ///
    /// Zero means that it has expired.
    pub const fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// Splits the set into the access token and the refresh token, if there is one.
    pub fn into_tokens(self) -> (AccessToken, Option<RefreshToken>) {
        (self.access_token, self.refresh_token)
    }
}
