//! What stories are made of: policies, clocks, credentials, responses.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arbitrary::{Result, Unstructured};
use http::{HeaderValue, Response, StatusCode};
use point_auth_core::Credentials;
use point_auth_core::session::{Now, Policy};

/// In every secret, and in nothing else.
pub(super) const CANARY: &str = "c4n4ry";

const SPANS: [Duration; 16] = [
    Duration::ZERO,
    Duration::from_nanos(1),
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(20),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(3500),
    Duration::from_secs(3600),
    Duration::from_secs(49 * 3600),
    Duration::from_secs(u32::MAX as u64),
    Duration::MAX,
];

/// A well-known span, or one of so many milliseconds.
pub(super) fn span(input: &mut Unstructured<'_>) -> Result<Duration> {
    let kind: u8 = input.arbitrary()?;
    match SPANS.get(usize::from(kind)) {
        Some(span) => Ok(*span),
        None => Ok(Duration::from_millis(input.arbitrary::<u32>()?.into())),
    }
}

/// The default one, mostly, or whatever the builder lets pass.
pub(super) fn policy(input: &mut Unstructured<'_>) -> Result<Policy> {
    if input.arbitrary::<u8>()? % 4 > 0 {
        return Ok(Policy::default());
    }
    let mut builder = Policy::builder();
    for _ in 0..input.arbitrary::<u8>()? % 8 {
        let which: u8 = input.arbitrary()?;
        if which.is_multiple_of(6) {
            let number = u32::from(input.arbitrary::<u8>()?);
            // Everything there is, at the end.
            builder = builder.with_attempts(if number == 255 { u32::MAX } else { number });
            continue;
        }
        let span = span(input)?;
        builder = match which % 6 {
            1 => builder.with_advisory_window(span),
            2 => builder.with_mandatory_window(span),
            3 => builder.with_acquire_timeout(span),
            4 => builder.with_exchange_timeout(span),
            _ => builder.with_longest_backoff(span),
        };
    }
    Ok(builder.build().unwrap_or_default())
}

/// What both clocks say in the beginning: an ordinary day, mostly, or near an end of either.
pub(super) fn beginning(input: &mut Unstructured<'_>) -> Result<Now> {
    let mut now =
        Now::new(Duration::from_secs(1_000_000), UNIX_EPOCH + Duration::from_secs(1_767_225_600));
    let kind: u8 = input.arbitrary()?;
    if kind >= 64 {
        return Ok(now);
    }
    let margin = span(input)?;
    match kind % 3 {
        0 => now.monotonic = Duration::ZERO,
        1 => now.monotonic = Duration::MAX.saturating_sub(margin),
        _ => {}
    }
    let far = Duration::from_secs(i64::MAX as u64);
    now.wall = match kind / 4 % 4 {
        0 => UNIX_EPOCH,
        1 => {
            UNIX_EPOCH.checked_add(far).and_then(|end| end.checked_sub(margin)).unwrap_or(now.wall)
        }
        2 => UNIX_EPOCH
            .checked_sub(far)
            .and_then(|start| start.checked_add(margin))
            .unwrap_or(now.wall),
        _ => now.wall,
    };
    Ok(now)
}

/// Username, alias and password by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Who([u8; 3]);

impl Who {
    pub(super) const JANE: Self = Self([0; 3]);

    pub(super) fn any(input: &mut Unstructured<'_>) -> Result<Self> {
        let number: u8 = input.arbitrary()?;
        // Few enough for a ledger to remember all passwords.
        Ok(Self([number % 3, number / 3 % 3, number / 9 % 2]))
    }

    pub(super) fn username(self) -> &'static str {
        // The second is the first to a server.
        ["jane", "JANE", "joe"][usize::from(self.0[0])]
    }

    pub(super) fn alias(self) -> Option<&'static str> {
        [None, Some("alias-1"), Some("alias-2")][usize::from(self.0[1])]
    }

    pub(super) fn password(self) -> String {
        format!("{CANARY}-password-{}", self.0[2])
    }

    /// The same to a server: a denial of one is a denial of the other.
    pub(super) fn is_same(self, other: Self) -> bool {
        self.username().eq_ignore_ascii_case(other.username()) && self.0[1..] == other.0[1..]
    }

    pub(super) fn credentials(self) -> Credentials {
        let credentials = Credentials::new(self.username(), self.password()).unwrap();
        match self.alias() {
            Some(alias) => credentials.with_user_alias(alias).unwrap(),
            None => credentials,
        }
    }
}

/// A response with one of the statuses that matter, and perhaps a wish to be left alone.
pub(super) fn response(input: &mut Unstructured<'_>, body: String) -> Result<Response<String>> {
    const STATUSES: [u16; 16] =
        [200, 200, 200, 400, 401, 403, 404, 408, 425, 429, 500, 503, 504, 520, 302, 204];
    const WISHES: [&str; 6] = [
        "0",
        "7",
        "3600",
        "99999999999",
        "Thu, 01 Jan 2026 00:02:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ];
    let mut response = Response::new(body);
    let status = STATUSES[usize::from(input.arbitrary::<u8>()? % 16)];
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if let Some(wish) = WISHES.get(usize::from(input.arbitrary::<u8>()?)) {
        response.headers_mut().insert("retry-after", HeaderValue::from_static(wish));
    }
    Ok(response)
}

/// Seconds since 1970, as far as there are any.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
