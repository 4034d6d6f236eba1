//! [`UserAgent`]: the `User-Agent` header of the requests.

use std::fmt;

use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue};

/// The `User-Agent` of the requests: `point-auth/<version>`, after an optional product of the
/// user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAgent(HeaderValue);

/// The error of a text that is not valid in a `User-Agent`: empty, longer than 256 bytes, or not
/// visible ASCII and spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the user agent is empty, longer than 256 bytes or not visible ASCII")]
#[non_exhaustive]
pub struct UserAgentError;

const OURS: &str = concat!("point-auth/", env!("CARGO_PKG_VERSION"));
const MAX_BYTES: usize = 256;

impl UserAgent {
    /// Creates the default user agent, `point-auth/<version>`.
    pub fn new() -> Self {
        Self(HeaderValue::from_static(OURS))
    }

    /// Puts `product` in front, in the order of RFC 9110 §10.1.5.
    ///
    /// With `my-app/1.2` the header is `my-app/1.2 point-auth/<version>`.
    ///
    /// # Errors
    /// [`UserAgentError`] when `product` is empty, longer than 256 bytes or not visible ASCII and
    /// spaces.
    pub fn with_product(self, product: &str) -> Result<Self, UserAgentError> {
        let product = product.trim();
        let allowed = product.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if product.is_empty() || product.len() > MAX_BYTES || !allowed {
            return Err(UserAgentError);
        }
        let rest = self.0.to_str().map_err(|_| UserAgentError)?;
        HeaderValue::try_from(format!("{product} {rest}")).map(Self).map_err(|_| UserAgentError)
    }

    /// Returns the header value.
    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Sets this user agent on a request that has none or the default one. Any other value stays,
    /// because an operation may have set it on purpose.
    pub fn set_on(&self, headers: &mut HeaderMap) {
        if headers.get(USER_AGENT).is_none_or(|value| value.as_bytes() == OURS.as_bytes()) {
            headers.insert(USER_AGENT, self.header_value());
        }
    }
}

impl Default for UserAgent {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for UserAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}
