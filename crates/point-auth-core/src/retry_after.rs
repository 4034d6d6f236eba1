//! [`RetryAfter`]: the delay that a server asks for (RFC 9110 §10.2.3).

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// The delay that a server asks for before the next request, in either form of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9110 has two forms")]
pub enum RetryAfter {
    /// This long after the response, in whole seconds.
    Delay(Duration),
    /// Until this time by the server's clock.
    At(SystemTime),
}

/// Longer than any real delay, and short enough to add to any clock.
const MAX_DELAY_SECONDS: u64 = u32::MAX as u64;

impl RetryAfter {
    /// Reads the header: the first value that is a number of seconds or an HTTP date.
    ///
    /// Other values are ignored. A number past 4,294,967,295 (136 years) counts as that.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        headers
            .get_all(RETRY_AFTER)
            .iter()
            .find_map(|value| Self::parse(value.to_str().ok()?.trim()))
    }

    fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            // All digits: the only remaining failure is a number beyond u64.
            let seconds = text.parse().unwrap_or(u64::MAX).min(MAX_DELAY_SECONDS);
            return Some(Self::Delay(Duration::from_secs(seconds)));
        }
        httpdate::parse_http_date(text).ok().map(Self::At)
    }

    /// Returns the delay from `now`, the time at which the response arrived. It is zero if the date
    /// has passed.
    pub fn delay_from(self, now: SystemTime) -> Duration {
        match self {
            Self::Delay(delay) => delay,
            Self::At(time) => time.duration_since(now).unwrap_or_default(),
        }
    }
}
