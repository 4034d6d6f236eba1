//! Scheme, host and port: where a request goes.

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, Uri};
use point_auth_core::BaseUrl;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    pub(super) fn of_base(url: &BaseUrl) -> Option<Self> {
        Self::of(&url.as_str().parse().ok()?)
    }

    /// Returns the origin of an absolute URI, unless a part of it is unknown.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        Self::new(uri.scheme_str()?, uri.authority()?)
    }

    /// Returns where a request goes, unless its `Host` says otherwise than its URI.
    pub(super) fn of_request(uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        let origin = Self::of(uri)?;
        let agrees = headers.get_all(HOST).iter().all(|host| {
            let host = Authority::try_from(host.as_bytes()).ok();
            host.and_then(|host| Self::new(&origin.scheme, &host)).as_ref() == Some(&origin)
        });
        agrees.then_some(origin)
    }

    fn new(scheme: &str, authority: &Authority) -> Option<Self> {
        let scheme = scheme.to_ascii_lowercase();
        let (_, after_userinfo) =
            authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
        let port = match (after_userinfo.strip_prefix(authority.host())?, &*scheme) {
            ("" | ":", "https") => 443,
            ("" | ":", "http") => 80,
            // An invalid port does not stand for the default port, whatever a client makes of it.
            (port, _) => port.strip_prefix(':')?.parse().ok()?,
        };
        Some(Self { scheme, host: authority.host().to_ascii_lowercase(), port })
    }
}
