//! Requests of other kinds than a sign-in: without a body, with a query, with another method, with
//! a large body. A client may treat each in its own way.

use http::header::CONTENT_TYPE;
use http::{Method, Request};
use point_auth_core::{AccessToken, BaseUrl, SecretBody};
use point_auth_transport::TransportErrorKind;

use super::bench::sign_in_at;
use super::canary;
use super::violation::Violation;

/// One kind of request.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) method: Method,
    /// What follows the path.
    query: &'static str,
    pub(super) body_bytes: usize,
}

const PATH: &str = "/records/17";
const QUERY: &str = "?from=2024-01-01T00%3A00%3A00Z&empty=&text=a+b%20c~&more=1";
/// More than the buffers in which clients write a head and a small body at once.
const MORE_THAN_A_BUFFER: usize = 70_000;

impl Kind {
    pub(super) const GET: Self = Self { method: Method::GET, query: QUERY, body_bytes: 0 };

    pub(super) const fn post(body_bytes: usize) -> Self {
        Self { method: Method::POST, query: "", body_bytes }
    }

    /// The kinds that clients tell apart when they decide what to send again.
    pub(super) fn distinct() -> [Self; 6] {
        [
            Self::GET,
            Self { method: Method::HEAD, ..Self::GET },
            Self { method: Method::DELETE, ..Self::GET },
            Self { method: Method::PUT, query: "", body_bytes: 300 },
            Self::post(0),
            Self::post(MORE_THAN_A_BUFFER),
        ]
    }

    pub(super) fn all() -> Vec<Self> {
        let others = [
            Self { query: "", ..Self::GET },
            Self { query: "?", ..Self::GET },
            Self { method: Method::OPTIONS, ..Self::GET },
            Self { method: Method::PATCH, query: QUERY, body_bytes: 5000 },
            Self { method: Method::DELETE, query: "", body_bytes: 20 },
            Self { query: QUERY, ..Self::post(4097) },
        ];
        Self::distinct().into_iter().chain(others).collect()
    }

    /// Such a request, with the headers of a sign-in, an access token, and a body whose every byte
    /// depends on its place.
    pub(super) fn request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, Violation> {
        let (mut head, _) = sign_in_at(base)?.into_parts();
        head.method = self.method.clone();
        let uri = format!("{}{PATH}{}", base.as_str(), self.query);
        head.uri = uri.parse().map_err(|_| Violation::new("the URI of the check is none"))?;
        let token =
            AccessToken::new(canary::TOKEN).map_err(|error| Violation::new(error.to_string()))?;
        token.authorize(&mut head.headers);
        if self.body_bytes == 0 {
            head.headers.remove(CONTENT_TYPE);
        }
        let body = (0..self.body_bytes).map(|place| (place % 251) as u8).collect::<Vec<_>>();
        Ok(Request::from_parts(head, SecretBody::new(body)))
    }

    /// How it fails when there is no answer. Without a body a client cannot always tell how far a
    /// request got.
    pub(super) const fn unanswered(&self) -> &'static [TransportErrorKind] {
        match self.body_bytes {
            0 => &[TransportErrorKind::Protocol, TransportErrorKind::Connect],
            _ => &[TransportErrorKind::Protocol],
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a {} of {PATH}{} with {} bytes", self.method, self.query, self.body_bytes)
    }
}
