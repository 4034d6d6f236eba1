//! [`Authorize`], and its guard of redirects.

use std::fmt;

use http::{Extensions, Uri};
use point_auth_core::BaseUrl;
use point_auth_transport::async_trait;
use point_auth_transport::authorize::{AsyncTokenSource, Reply, Rules, UserAlias};
use reqwest_middleware::reqwest::redirect::{Attempt, Policy};
use reqwest_middleware::reqwest::{Request, Response, Url};
use reqwest_middleware::{Error, Middleware, Next, Result};

/// Puts the bearer token on requests, and retries once if the API answers 401.
///
/// The tokens are those of a `Session` of point-auth, or of its `Sessions`: then each request says
/// whose token it gets, by [`with_extension`](reqwest_middleware::RequestBuilder::with_extension)
/// of a [`UserAlias`].
///
/// Only requests to the base URL's origin get the token, and to those of
/// [`with_origin`](Self::with_origin): the same scheme, host and port. A request that has an
/// `Authorization` keeps it. The [rules](point_auth_transport::authorize) are those of every
/// middleware of this library.
///
/// A 401 invalidates the token, if it comes from the origin that the request was for. The request
/// is then sent once more to its original URL, if its body can be cloned. No streaming body is
/// buffered for that: its 401 is returned. A 401 to the retry is returned too, after that token has
/// been invalidated.
///
/// reqwest follows redirects below this middleware: see
/// [`guard_redirects`](Self::guard_redirects). After a redirect to another origin, also to one that
/// is allowed, the request has no token.
///
/// If there is no token, nothing is sent. The error is
/// [`Error::Middleware`](reqwest_middleware::Error::Middleware), and downcasts to
/// `point_auth::Error`.
#[derive(Clone)]
pub struct Authorize<T> {
    tokens: T,
    rules: Rules,
}

impl<T: AsyncTokenSource> Authorize<T> {
    /// Creates the middleware of a session, or of sessions.
    pub fn new(tokens: T) -> Self {
        let rules = Rules::new(tokens.base_url());
        Self { tokens, rules }
    }
}

impl<T> Authorize<T> {
    /// Puts the token on requests to the origin of this URL as well. The path is ignored.
    #[must_use]
    pub fn with_origin(mut self, url: &BaseUrl) -> Self {
        self.rules = self.rules.with_origin(url);
        self
    }

    /// Replaces an `Authorization` that a request has. By default such a request passes unchanged.
    #[must_use]
    pub fn with_replaced_authorization(mut self) -> Self {
        self.rules = self.rules.with_replaced_authorization();
        self
    }

    /// Returns a policy for the reqwest client, by which no redirect takes the token to another
    /// server.
    ///
    /// It follows redirects as `policy` does, and stops at one: from an allowed origin the request
    /// has gone to another, and is to be redirected within that. reqwest would send the token
    /// there. The caller gets the 3xx. Call it on the `Authorize` of the client, with all its
    /// origins.
    pub fn guard_redirects(&self, policy: Policy) -> Policy {
        let rules = self.rules.clone();
        Policy::custom(move |attempt| match takes_token_elsewhere(&rules, &attempt) {
            true => attempt.stop(),
            false => policy.redirect(attempt),
        })
    }
}

/// Returns whether reqwest sends the first request's token to another origin in this hop.
fn takes_token_elsewhere(rules: &Rules, attempt: &Attempt<'_>) -> bool {
    let (Some(first), Some(last)) = (attempt.previous().first(), attempt.previous().last()) else {
        return false;
    };
    // The headers of the first request are unknown here, so its token is assumed.
    let had_token = uri(first).is_some_and(|uri| rules.begin_with(&uri, &<_>::default()).is_some());
    had_token && is_same_origin(attempt.url(), last) && !is_same_origin(last, first)
}

fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

#[async_trait]
impl<T: AsyncTokenSource> Middleware for Authorize<T> {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let uri = uri(request.url());
        let authorized = uri.and_then(|uri| self.rules.begin_with(&uri, request.headers()));
        let Some(mut authorized) = authorized else {
            return next.run(request, extensions).await;
        };
        let alias = extensions.get::<UserAlias>().cloned();
        let token = self.tokens.access_token(alias.as_ref()).await;
        let mut token = token.map_err(Error::middleware)?;
        loop {
            let again = if authorized.may_repeat() { request.try_clone() } else { None };
            token.authorize(request.headers_mut());
            let response = next.clone().run(request, extensions).await?;
            let Some(url) = self::uri(response.url()) else { return Ok(response) };
            let reply = Reply::new(response.status()).with_url(&url);
            let other = authorized
                .next_token(&self.tokens, alias.as_ref(), &token, reply, again.is_some())
                .await;
            match (other, again) {
                (Some(other), Some(again)) => (token, request) = (other, again),
                _ => return Ok(response),
            }
        }
    }
}

/// Returns the URL as the rules read it, unless it has no such form.
fn uri(url: &Url) -> Option<Uri> {
    url.as_str().parse().ok()
}

impl<T: fmt::Debug> fmt::Debug for Authorize<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorize").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}
