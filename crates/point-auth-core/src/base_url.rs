//! [`BaseUrl`]: the address of the API.

mod host;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use http::Uri;

use crate::RequestError;
use crate::operation::KEPT_PATHS;
use host::Host;

/// The address of the API: scheme, host, port and the optional path prefix of a gateway.
///
/// Always `https`, or `http` to this machine. It is normalized: lower case, no default port, no
/// slash at the end. The URLs of the operations are joined once and kept. Cloning is cheap.
#[derive(Clone)]
pub struct BaseUrl(Arc<Inner>);

struct Inner {
    url: String,
    kept: [(&'static str, Uri); 2],
}

/// The reason why a text is not a base URL. It does not repeat the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// The text has more than [`BaseUrl::MAX_BYTES`].
    #[error("the base URL is longer than 2,048 bytes")]
    TooLong,
    /// The text has white space, a control character or a character outside of ASCII. Write an
    /// international host name in its ASCII form.
    #[error("the base URL has a character that is not visible ASCII")]
    Character,
    /// The text has a backslash, which some clients read as a slash.
    #[error("the base URL has a backslash")]
    Backslash,
    /// The scheme is missing, or neither `https` nor `http`.
    #[error("the base URL does not begin with https:// or http://")]
    Scheme,
    /// The scheme is `http` to another machine. The password would travel unencrypted.
    #[error("http is for this machine only (127.0.0.0/8, ::1, localhost); use https")]
    Insecure,
    /// There is a username or password before the host.
    #[error("the base URL has a username or password in it")]
    UserInfo,
    /// The text has a query.
    #[error("the base URL has a query")]
    Query,
    /// The text has a fragment.
    #[error("the base URL has a fragment")]
    Fragment,
    /// There is no host.
    #[error("the base URL has no host")]
    NoHost,
    /// The host is neither a DNS name nor an IP address in its usual form.
    #[error("the base URL's host is neither a DNS name nor an IP address")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the base URL's port is not a number from 1 to 65535")]
    Port,
    /// The path has a character that a URL path cannot have, a bad `%` escape, an empty segment, or
    /// `.` or `..`.
    #[error("the base URL's path has a character or segment that clients read differently")]
    Path,
}

macro_rules! production {
    ($path:literal) => {
        concat!("https://api.pointservices.com", $path)
    };
}

impl BaseUrl {
    /// The maximum length of a base URL in bytes.
    pub const MAX_BYTES: usize = 2048;

    /// Returns `https://api.pointservices.com`, the production API.
    pub fn production() -> Self {
        let [sign_in, refresh] = KEPT_PATHS;
        let kept = [
            (
                sign_in,
                Uri::from_static(production!(
                    "/user-management-services-ws/oauth2/002/signInWithPassword"
                )),
            ),
            (
                refresh,
                Uri::from_static(production!(
                    "/user-management-services-ws/oauth2/002/refreshIdToken"
                )),
            ),
        ];
        Self(Arc::new(Inner { url: production!("").to_owned(), kept }))
    }

    /// Parses a base URL, such as `https://gateway.example/pointservices`.
    ///
    /// # Errors
    /// [`BaseUrlError`], with the first fault found.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        if text.len() > Self::MAX_BYTES {
            return Err(BaseUrlError::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BaseUrlError::Character);
        }
        if text.contains('\\') {
            return Err(BaseUrlError::Backslash);
        }
        let (scheme, rest) = text.split_once("://").ok_or(BaseUrlError::Scheme)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(BaseUrlError::Scheme),
        };
        let (before_fragment, fragment) = split(rest, '#');
        let (before_query, query) = split(before_fragment, '?');
        let (authority, path) = match before_query.find('/') {
            Some(slash) => before_query.split_at(slash),
            None => (before_query, ""),
        };
        if authority.contains('@') {
            return Err(BaseUrlError::UserInfo);
        }
        if query.is_some() {
            return Err(BaseUrlError::Query);
        }
        if fragment.is_some() {
            return Err(BaseUrlError::Fragment);
        }
        let (host, port) = host::split_port(authority)?;
        let host = Host::parse(host)?;
        if !secure && !host.is_loopback() {
            return Err(BaseUrlError::Insecure);
        }
        let prefix = path.strip_suffix('/').unwrap_or(path);
        // Each join would double a second slash at the end.
        if !prefix.is_empty() && (prefix.ends_with('/') || !is_path(prefix)) {
            return Err(BaseUrlError::Path);
        }
        let (scheme, default_port) = if secure { ("https", 443) } else { ("http", 80) };
        let url = match port.filter(|port| *port != default_port) {
            Some(port) => format!("{scheme}://{host}:{port}{prefix}"),
            None => format!("{scheme}://{host}{prefix}"),
        };
        // An IPv6 address may be longer in its normal form.
        if url.len() > Self::MAX_BYTES {
            return Err(BaseUrlError::TooLong);
        }
        let [sign_in, refresh] = KEPT_PATHS;
        let kept = |path| join(&url, path).map(|uri| (path, uri)).map_err(|_| BaseUrlError::Path);
        let kept = [kept(sign_in)?, kept(refresh)?];
        Ok(Self(Arc::new(Inner { url, kept })))
    }

    /// Returns the URL of `path` below this base URL, with the same host and no double slash.
    ///
    /// # Errors
    /// [`RequestError::Path`] when `path` does not begin with `/`, or is not a URL path that all
    /// clients read alike. It may have a query, but no fragment.
    pub fn join(&self, path: &str) -> Result<Uri, RequestError> {
        match self.0.kept.iter().find(|(kept, _)| *kept == path) {
            Some((_, uri)) => Ok(uri.clone()),
            None => join(&self.0.url, path),
        }
    }

    /// Returns the normalized URL, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0.url
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn join(base: &str, path: &str) -> Result<Uri, RequestError> {
    let (before_query, query) = split(path, '?');
    let query = query.unwrap_or_default();
    if !is_path(before_query) || !is_escaped(query, is_query_byte) {
        return Err(RequestError::Path);
    }
    Uri::try_from(format!("{base}{path}")).map_err(|_| RequestError::Path)
}

/// Returns whether `path` begins with a slash and is read alike by all clients. It may have only
/// the characters of RFC 3986, no empty segment but the last, and no dot segment, escaped or not.
fn is_path(path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else { return false };
    let segments = path.strip_suffix('/').unwrap_or(path);
    (path.is_empty() || segments.split('/').all(is_segment)) && is_escaped(path, is_path_byte)
}

fn is_segment(segment: &str) -> bool {
    let dots = segment.replace("%2e", ".").replace("%2E", ".");
    !matches!(dots.as_str(), "" | "." | "..")
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte)
}

/// Returns whether a query may have this byte. The apostrophe is left out: the URL Standard escapes
/// it there, and RFC 3986 does not.
fn is_query_byte(byte: u8) -> bool {
    byte == b'?' || (byte != b'\'' && is_path_byte(byte))
}

/// Returns whether `text` has only `allowed` bytes and complete `%XX` escapes.
fn is_escaped(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut hex = || bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        if !(allowed(byte) || (byte == b'%' && hex() && hex())) {
            return false;
        }
    }
    true
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        Self::parse(text)
    }
}

impl PartialEq for BaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.0.url == other.0.url
    }
}

impl Eq for BaseUrl {}

impl std::hash::Hash for BaseUrl {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.url.hash(state);
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.url)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BaseUrl").field(&self.0.url).finish()
    }
}
