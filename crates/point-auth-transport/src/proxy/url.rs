//! [`Proxy`]: one proxy, parsed from a URL that may hold a user name and a password.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use zeroize::Zeroizing;

use crate::SettingsError;

/// A proxy that is reached over plain HTTP and asked to `CONNECT`.
///
/// Cheap to clone. `Debug` shows host and port, and whether there are credentials.
#[derive(Clone)]
pub struct Proxy(Arc<Parts>);

struct Parts {
    uri: Uri,
    variable: Option<&'static str>,
    credentials: Option<Credentials>,
}

struct Credentials {
    username: Zeroizing<String>,
    password: Zeroizing<String>,
    authorization: HeaderValue,
}

impl Proxy {
    /// Returns `http://host:port`, always with a port, and without a user name, a password or a
    /// path.
    pub fn uri(&self) -> &Uri {
        &self.0.uri
    }

    /// Returns the host: a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.0.uri.host().unwrap_or_default()
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.0.uri.port_u16().unwrap_or(DEFAULT_PORT)
    }

    /// Returns the value of `Proxy-Authorization` (`Basic …`, marked as sensitive), if there are
    /// credentials.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.0.credentials.as_ref().map(|credentials| &credentials.authorization)
    }

    /// Returns the user name, percent-decoded, if there are credentials.
    pub fn username(&self) -> Option<&str> {
        self.0.credentials.as_ref().map(|credentials| credentials.username.as_str())
    }

    /// Returns the password, percent-decoded, if there are credentials. It is empty when the URL
    /// has only a user name.
    pub fn password(&self) -> Option<&str> {
        self.0.credentials.as_ref().map(|credentials| credentials.password.as_str())
    }

    /// Returns the name of the environment variable that the URL came from, if it came from one.
    ///
    /// An adapter whose client refuses the URL puts it in [`SettingsError::ProxyUrl`].
    pub fn variable(&self) -> Option<&'static str> {
        self.0.variable
    }

    /// Parses `url`, which is the value of the environment variable `variable`, if there is one.
    pub(super) fn parse(url: &str, variable: Option<&'static str>) -> Result<Self, SettingsError> {
        let invalid = |reason| SettingsError::ProxyUrl { reason, variable };
        let url = url.trim();
        let rest = match url.split_once("://") {
            // A password may hold `://` too, and the text before it is then not a scheme.
            Some((scheme, rest)) if is_scheme(scheme) => {
                if !scheme.eq_ignore_ascii_case("http") {
                    return Err(SettingsError::ProxyScheme {
                        scheme: scheme.to_ascii_lowercase(),
                        variable,
                    });
                }
                rest
            }
            Some(_) => return Err(invalid("its scheme is no scheme")),
            None => url,
        };
        // Only a slash may follow the port. What looks like a path is often a password with a `/`
        // in it, and then the host would be a piece of that password.
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '\\']) {
            return Err(invalid(
                "something follows the port, or the password is not percent-encoded",
            ));
        }
        let (userinfo, host_and_port) = match authority.rsplit_once('@') {
            Some((userinfo, host_and_port)) => (userinfo, host_and_port),
            None => ("", authority),
        };
        Ok(Self(Arc::new(Parts {
            uri: uri(host_and_port).map_err(invalid)?,
            variable,
            credentials: Credentials::parse(userinfo).map_err(invalid)?,
        })))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("uri", &self.0.uri)
            .field("has_credentials", &self.0.credentials.is_some())
            .finish()
    }
}

/// curl's default is 1080, but most clients use the port of the scheme.
const DEFAULT_PORT: u16 = 80;

/// The description of an invalid URL.
type Reason = &'static str;

/// RFC 3986, section 3.1. The longest registered scheme has fewer than 32 characters.
fn is_scheme(scheme: &str) -> bool {
    scheme.len() < 32
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn uri(host_and_port: &str) -> Result<Uri, Reason> {
    let authority: Authority = host_and_port.parse().map_err(|_| "it has no valid host")?;
    let host = authority.host();
    if host.is_empty() {
        return Err("it has no host");
    }
    let port = match host_and_port.get(host.len()..) {
        None | Some("" | ":") => DEFAULT_PORT,
        Some(port) => {
            let digits = port
                .strip_prefix(':')
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
            digits
                .and_then(|digits| digits.parse().ok())
                .filter(|&port| port > 0)
                .ok_or("its port is no port")?
        }
    };
    Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(format!("{host}:{port}"))
        .path_and_query("/")
        .build()
        .map_err(|_| "it has no valid host")
}

impl Credentials {
    fn parse(userinfo: &str) -> Result<Option<Self>, Reason> {
        if userinfo.is_empty() {
            return Ok(None);
        }
        let (username, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let (username, password) = (percent_decoded(username)?, percent_decoded(password)?);
        if username.contains(':') {
            // RFC 7617, section 2: the proxy would read the text after the colon as the password.
            return Err("its user name has a colon");
        }
        let mut pair = Zeroizing::new(String::with_capacity(username.len() + password.len() + 1));
        pair.push_str(&username);
        pair.push(':');
        pair.push_str(&password);
        let mut value = Zeroizing::new(String::with_capacity(pair.len() * 2 + 16));
        value.push_str("Basic ");
        STANDARD.encode_string(pair.as_bytes(), &mut value);
        // The header takes ownership of the wiped text; `from_str` would copy it.
        let mut authorization = HeaderValue::from_maybe_shared(Bytes::from_owner(value))
            .map_err(|_| "its credentials do not fit in a header")?;
        authorization.set_sensitive(true);
        Ok(Some(Self { username, password, authorization }))
    }
}

/// A `%` without two hexadecimal digits after it stands for itself, as in most programs that read
/// these variables.
fn percent_decoded(text: &str) -> Result<Zeroizing<String>, Reason> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = match after {
            [high, low, after @ ..] if first == b'%' => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (first, rest.get(1..).unwrap_or_default()),
            },
            after => (first, after),
        };
        decoded.push(byte);
        rest = after;
    }
    let decoded =
        std::str::from_utf8(&decoded).map_err(|_| "its user name or password is not UTF-8")?;
    if decoded.chars().any(char::is_control) {
        return Err("its user name or password has a control character");
    }
    Ok(Zeroizing::new(decoded.to_owned()))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
