//! [`Authorize`]: a middleware of ureq that puts the token on requests.

use std::fmt;

use http::{Request, Response};
use point_auth_core::BaseUrl;
use point_auth_transport::authorize::{
    AuthorizedRequest, BlockingTokenSource, Reply, Rules, UserAlias,
};
use ureq::config::RedirectAuthHeaders;
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::{Body, Error, RequestExt, ResponseExt, SendBody};

/// Puts the bearer token on the requests of an agent, and invalidates it if the API answers 401.
///
/// The tokens are those of a `blocking::Session` of point-auth, or of its `blocking::Sessions`:
/// then each request says whose token it gets, by the extension [`UserAlias`].
///
/// Only requests to the base URL's origin get the token, and to those of
/// [`with_origin`](Self::with_origin): the same scheme, host and port. A request that has an
/// `Authorization` keeps it. The [rules](point_auth_transport::authorize) are those of every
/// middleware of this library, with one difference: ureq lets a middleware send a request once. So
/// a 401 is returned, as a response or as [`Error::StatusCode`](ureq::Error::StatusCode), and the
/// caller's next request gets another token.
///
/// **A request with the token follows no redirect:** the caller gets the 3xx, whatever the agent's
/// configuration. ureq would compare hosts without ports, and its error for a 401 does not say
/// which server it came from. [`with_redirects`](Self::with_redirects) lets ureq follow them.
///
/// The wait for a token is bounded by the session (15 seconds by default), and not by the timeouts
/// of the agent, which start afterwards.
///
/// The log target `ureq_proto` shows the token at `TRACE`: keep it above that level.
///
/// If there is no token, nothing is sent. The error is [`Error::Other`](ureq::Error::Other), with a
/// `point_auth::Error` in it.
///
/// ```no_run
/// use point_auth_ureq::Authorize;
/// use point_auth_ureq::ureq::Agent;
/// # fn example(session: impl point_auth_transport::authorize::BlockingTokenSource) {
///
/// let agent: Agent = Agent::config_builder().middleware(Authorize::new(session)).build().into();
/// let policies = agent.get("https://api.pointservices.com/…").call();
/// # }
/// ```
#[derive(Clone)]
pub struct Authorize<T> {
    tokens: T,
    rules: Rules,
    follows_redirects: bool,
}

impl<T: BlockingTokenSource> Authorize<T> {
    /// Creates the middleware of a session, or of sessions.
    pub fn new(tokens: T) -> Self {
        let rules = Rules::new(tokens.base_url());
        Self { tokens, rules, follows_redirects: false }
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

    /// Follows redirects as the agent is configured to, without the token from the first redirect
    /// on, also within the API.
    ///
    /// It is for an API that redirects to downloads elsewhere. A 401 then counts only where it
    /// comes as a response, which says whether there was a redirect: set
    /// [`http_status_as_error`](ureq::config::ConfigBuilder::http_status_as_error) to `false`.
    #[must_use]
    pub fn with_redirects(mut self) -> Self {
        self.follows_redirects = true;
        self
    }

    /// Returns the request with what this middleware needs in its configuration.
    fn configured<'a>(&self, request: Request<SendBody<'a>>) -> Option<Request<SendBody<'a>>> {
        let config = request.middleware_config()?;
        let config = match self.follows_redirects {
            true => {
                config.redirect_auth_headers(RedirectAuthHeaders::Never).save_redirect_history(true)
            }
            false => config.max_redirects(0),
        };
        Some(config.build())
    }

    /// Returns whether the API rejects the token.
    fn rejects(
        &self,
        authorized: &AuthorizedRequest,
        result: &Result<Response<Body>, Error>,
    ) -> bool {
        match result {
            Ok(response) if self.follows_redirects => {
                // After a redirect the request had no token.
                let visited = response.get_redirect_history().unwrap_or_default();
                visited.len() == 1 && authorized.rejects(Reply::new(response.status()))
            }
            Ok(response) => authorized.rejects(Reply::new(response.status())),
            Err(Error::StatusCode(status)) if !self.follows_redirects => {
                http::StatusCode::from_u16(*status)
                    .is_ok_and(|status| authorized.rejects(Reply::new(status)))
            }
            Err(_) => false,
        }
    }
}

impl<T: BlockingTokenSource> Middleware for Authorize<T> {
    fn handle(
        &self,
        request: Request<SendBody<'_>>,
        next: MiddlewareNext<'_>,
    ) -> Result<Response<Body>, Error> {
        let Some(authorized) = self.rules.begin(&request) else { return next.handle(request) };
        let alias = request.extensions().get::<UserAlias>().cloned();
        let token = self.tokens.access_token(alias.as_ref());
        let token = token.map_err(|error| Error::Other(Box::new(error)))?;
        let mut request =
            self.configured(request).ok_or_else(|| Error::Other("no agent sends this".into()))?;
        token.authorize(request.headers_mut());
        let result = next.handle(request);
        if self.rejects(&authorized, &result) {
            self.tokens.invalidate(alias.as_ref(), &token);
        }
        result
    }
}

impl<T: fmt::Debug> fmt::Debug for Authorize<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorize").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}
