//! The rules by which a middleware puts the access token on a program's own requests.
//!
//! The middlewares of point-auth for tower, for reqwest-middleware and for ureq follow these rules.
//! They are for a middleware of your own, too:
//!
//! 1. **Origins.** Only a request to an allowed origin gets the token: scheme, host and port, by
//!    its URI and by its `Host`. The base URL's origin is allowed, and those that are added.
//! 2. **Your header first.** A request that has an `Authorization` keeps it, unless the rules are
//!    told to [replace](Rules::with_replaced_authorization) it.
//! 3. **A 401 counts** only if it comes from the origin that the token was sent to. It then
//!    [invalidates](AsyncTokenSource::invalidate) the token.
//! 4. **Once more.** The request is sent a second time, to its original URL, if it can be repeated
//!    and if there is another token. A 401 to the second attempt counts and is returned.
//!
//! [`Rules`] decide about a request, and [`Authorized`] about its response. They do no I/O:
//!
//! ```
//! use point_auth_core::BaseUrl;
//! use point_auth_transport::authorize::{Reply, Rules};
//!
//! let rules = Rules::new(&BaseUrl::parse("https://api.example.com")?);
//! let mut request = http::Request::get("https://api.example.com/policies").body(())?;
//!
//! let Some(mut authorized) = rules.begin(&request) else { panic!("this request gets the token") };
//! // Put the token on, send the request, and judge the status of its response.
//! assert!(authorized.rejects(Reply::new(http::StatusCode::UNAUTHORIZED)));
//!
//! *request.uri_mut() = "https://elsewhere.example/".parse()?;
//! assert!(rules.begin(&request).is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod origin;
mod source;

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, StatusCode, Uri};
use point_auth_core::{AccessToken, BaseUrl};

use self::origin::Origin;

pub use self::source::{AsyncTokenSource, BlockingTokenSource, UserAlias};

/// Decides which requests get the token.
#[derive(Clone, Debug)]
#[must_use]
pub struct Rules {
    /// `None` allows every origin.
    allowed: Option<Vec<Arc<Origin>>>,
    replaces: bool,
}

impl Rules {
    /// Creates rules that allow the origin of the base URL, and keep an `Authorization` that is
    /// there.
    pub fn new(base_url: &BaseUrl) -> Self {
        Self {
            allowed: Some(Origin::of_base(base_url).map(Arc::new).into_iter().collect()),
            replaces: false,
        }
    }

    /// Allows the origin of this URL as well. The path is ignored.
    pub fn with_origin(mut self, url: &BaseUrl) -> Self {
        if let Some(allowed) = &mut self.allowed {
            allowed.extend(Origin::of_base(url).map(Arc::new));
        }
        self
    }

    /// Allows every origin, and URIs without one. It is for a client that reaches only the API.
    pub fn with_every_origin(mut self) -> Self {
        self.allowed = None;
        self
    }

    /// Replaces an `Authorization` that a request has.
    pub fn with_replaced_authorization(mut self) -> Self {
        self.replaces = true;
        self
    }

    /// Returns the course of a request that gets the token, or `None` for one that must be sent as
    /// it is.
    pub fn begin<B>(&self, request: &Request<B>) -> Option<Authorized> {
        self.begin_with(request.uri(), request.headers())
    }

    /// Returns what [`begin`](Self::begin) returns, for a client with a request type of its own.
    pub fn begin_with(&self, uri: &Uri, headers: &HeaderMap) -> Option<Authorized> {
        if !self.replaces && headers.contains_key(AUTHORIZATION) {
            return None;
        }
        let origin = match &self.allowed {
            None => None,
            Some(allowed) => {
                let origin = Origin::of_request(uri, headers)?;
                Some(Arc::clone(allowed.iter().find(|one| ***one == origin)?))
            }
        };
        Some(Authorized { origin, is_last: false })
    }
}

/// Follows one request that gets the token, up to the response to return.
#[derive(Debug, Default)]
pub struct Authorized {
    /// The origin that the token is sent to; `None` if every origin is allowed.
    origin: Option<Arc<Origin>>,
    /// Whether the second attempt is the one that was sent.
    is_last: bool,
}

impl Authorized {
    /// Creates the course of a request that gets the token wherever it goes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether a response says that the API does not accept the token. If so, the token is
    /// to be invalidated.
    pub fn rejects(&self, reply: Reply<'_>) -> bool {
        reply.status == StatusCode::UNAUTHORIZED && self.is_from_there(reply.url)
    }

    /// Invalidates `token` if the response rejects it, and returns another token to send the
    /// request with once more. `None` means that the response is the one to return.
    ///
    /// There is another token once, and only if the request `can_be_repeated`. Where it cannot be
    /// obtained, the API's own response is more informative than the error.
    pub async fn next_token<S: AsyncTokenSource>(
        &mut self,
        source: &S,
        alias: Option<&UserAlias>,
        token: &AccessToken,
        reply: Reply<'_>,
        can_be_repeated: bool,
    ) -> Option<AccessToken> {
        if !self.rejects(reply) {
            return None;
        }
        source.invalidate(alias, token);
        if self.is_last || !can_be_repeated {
            // A second token that is rejected is young, so that a backoff follows and no storm.
            return None;
        }
        self.is_last = true;
        let other = source.access_token(alias).await.ok()?;
        (other != *token).then_some(other)
    }

    /// Returns whether the request may be sent once more after this attempt. If not, a copy of it
    /// is of no use.
    pub fn may_repeat(&self) -> bool {
        !self.is_last
    }

    fn is_from_there(&self, url: Option<&Uri>) -> bool {
        match (url, &self.origin) {
            (Some(url), Some(origin)) => Origin::of(url).as_ref() == Some(&**origin),
            _ => true,
        }
    }
}

/// What the rules want to know of a response.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    status: StatusCode,
    url: Option<&'a Uri>,
}

impl<'a> Reply<'a> {
    /// Creates the reply of a client that follows no redirect.
    pub const fn new(status: StatusCode) -> Self {
        Self { status, url: None }
    }

    /// Sets the URL that the response came from, after the redirects that the client followed.
    #[must_use]
    pub const fn with_url(mut self, url: &'a Uri) -> Self {
        self.url = Some(url);
        self
    }
}
