//! What a sign-in gives: [`TokenSet`], [`AccessToken`], [`RefreshToken`], [`Scope`], [`TokenType`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::secret_body::Wiped;

/// The text is not a token: empty, or not visible ASCII without spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is visible ASCII without spaces, and not empty")]
#[non_exhaustive]
pub struct TokenError;

fn check_token(text: &str) -> Result<(), TokenError> {
    // Not `all`, which would stop at the first that is not and so look at one byte at a time.
    let visible = text.bytes().fold(true, |visible, byte| visible & byte.is_ascii_graphic());
    if text.is_empty() || !visible { Err(TokenError) } else { Ok(()) }
}

/// The scheme and the space in front of the token in `Authorization`.
const BEARER: &str = "Bearer ";

/// A bearer token for the API's other requests. Opaque: nothing is read from it.
///
/// Cloning is cheap; the bytes are wiped when the last clone drops, and with it the last
/// [header value](Self::header_value). `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Whole, so that handing it out costs neither a copy nor a check; and behind one pointer,
    /// since tokens are moved and cloned more often than they are put on requests.
    header: Arc<HeaderValue>,
}

impl AccessToken {
    /// Takes a token from outside, such as one that was stored.
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

    /// The token itself. Keep it out of logs.
    pub fn expose(&self) -> &str {
        // Both fall-backs are out of reach: `new` made the header of ASCII and of more than `Bearer
        // `.
        std::str::from_utf8(self.header.as_bytes().get(BEARER.len()..).unwrap_or_default())
            .unwrap_or_default()
    }

    /// The value for an `Authorization` header, marked sensitive, without copying the token.
    pub fn header_value(&self) -> HeaderValue {
        HeaderValue::clone(&self.header)
    }

    /// Sets `Authorization` in `headers`, in place of any value that is there.
    pub fn authorize(&self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.header_value());
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken([redacted])")
    }
}

/// A token that gets a new access token without the password, until it ends itself.
///
/// Cloning is cheap; the bytes are wiped when the last clone drops. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct RefreshToken(Arc<SecretString>);

impl RefreshToken {
    /// Takes a token from outside, such as one that was stored.
    ///
    /// # Errors
    /// [`TokenError`] when it is empty or not visible ASCII without spaces.
    pub fn new(token: &str) -> Result<Self, TokenError> {
        check_token(token)?;
        Ok(Self(Arc::new(SecretString::from(token))))
    }

    /// The token itself. Keep it out of logs.
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

/// What an access token is good for, as the server names it: words with spaces between them (RFC
/// 6749 §3.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope(Arc<str>);

impl Scope {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// All of it, as the server sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Each word of it.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_ascii_whitespace()
    }

    /// Whether `word` is one of its words.
    pub fn contains(&self, word: &str) -> bool {
        self.iter().any(|one| one == word)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an access token is used. Any other type than these is refused when the answer is read.
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

/// What a sign-in or a refresh answered.
///
/// `Debug` shows the scope, the type and the life, and neither token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSet {
    access_token: AccessToken,
    refresh_token: Option<RefreshToken>,
    scope: Option<Scope>,
    token_type: TokenType,
    expires_in: Duration,
}

impl TokenSet {
    /// The life of an access token whose answer does not say: 3,600 seconds, as the vendor's
    /// documentation has it.
    pub const DEFAULT_EXPIRES_IN: Duration = Duration::from_secs(3600);
    /// The longest life that is believed: 4,294,967,295 seconds, or 136 years.
    pub const MAX_EXPIRES_IN: Duration = Duration::from_secs(u32::MAX as u64);

    /// A set of one bearer token, with the default life and no refresh token: for operations of
    /// your own.
    pub const fn new(access_token: AccessToken) -> Self {
        Self {
            access_token,
            refresh_token: None,
            scope: None,
            token_type: TokenType::Bearer,
            expires_in: Self::DEFAULT_EXPIRES_IN,
        }
    }

    /// Adds a refresh token.
    #[must_use]
    pub fn with_refresh_token(mut self, refresh_token: RefreshToken) -> Self {
        self.refresh_token = Some(refresh_token);
        self
    }

    /// Sets the life, from when the request was sent; at most
    /// [`MAX_EXPIRES_IN`](Self::MAX_EXPIRES_IN).
    #[must_use]
    pub fn with_expires_in(mut self, expires_in: Duration) -> Self {
        self.expires_in = expires_in.min(Self::MAX_EXPIRES_IN);
        self
    }

    pub(crate) fn with_scope(mut self, scope: Option<Scope>) -> Self {
        self.scope = scope;
        self
    }

    /// The access token.
    pub const fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    /// The refresh token, if one was answered; after a [`Refresh`](crate::Refresh) the one to use
    /// from now on.
    pub const fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    /// What the access token is good for, if the server said, and said it without repeating a
    /// secret.
    pub const fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// How the access token is used.
    pub const fn token_type(&self) -> TokenType {
        self.token_type
    }

    /// How long the access token lives, counted from when the request was sent. Zero means that it
    /// has ended.
    pub const fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// Takes the set apart: the access token, and the refresh token if there is one.
    pub fn into_tokens(self) -> (AccessToken, Option<RefreshToken>) {
        (self.access_token, self.refresh_token)
    }
}
