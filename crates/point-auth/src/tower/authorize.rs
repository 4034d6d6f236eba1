//! [`AuthorizeLayer`]: sets the bearer token on the requests of a tower service.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use point_auth_core::BaseUrl;
use point_auth_transport::authorize::{AsyncTokenSource, Reply, Rules, UserAlias};
use tower_layer::Layer;
use tower_service::Service;

use crate::credential_source::BoxError;

/// Sets the bearer token on requests, and retries once if the API answers 401.
///
/// The tokens are those of a [`Session`](crate::Session), or of [`Sessions`](crate::Sessions): then
/// each request has the [`UserAlias`] in its extensions whose token it gets.
///
/// Only requests to the session's own base URL, by scheme, host and port, get the token. All others
/// pass unchanged, so that no other server gets it. These are requests to another server, with a
/// URI without a host, or with a `Host` that differs from the URI.
/// [`with_origin`](Self::with_origin) allows a further origin. A request that has an
/// `Authorization` keeps it. The [rules](point_auth_transport::authorize) are those of every
/// middleware of this library.
///
/// If the stack follows redirects, put that layer *above* this one, which then checks each hop.
/// This layer does not see redirects that a layer below it follows. That layer must remove
/// `Authorization` on the way to another origin, at every hop, or the token goes there.
///
/// A request is retried only if it can be copied: [`new`](Self::new) requires a body that can be
/// cloned. [`once`](Self::once) accepts any body, and returns a 401 after it has invalidated the
/// token. No body is buffered. A 401 to the retry is returned too, after that token has been
/// invalidated.
///
/// The layer is always ready. It acquires the token before inner readiness, so that waiting
/// requests hold no concurrency slot that the sign-in may need. Layers that shed load or buffer by
/// readiness therefore belong below it.
///
/// An error is a [`point_auth::Error`](crate::Error) if there was no token, otherwise the service's
/// own error.
pub struct AuthorizeLayer<T, B> {
    tokens: Arc<T>,
    rules: Rules,
    copy: fn(&Request<B>) -> Option<Request<B>>,
}

impl<T: AsyncTokenSource, B> AuthorizeLayer<T, B> {
    /// Creates a layer that retries once after a 401.
    pub fn new(tokens: T) -> Self
    where
        B: Clone,
    {
        Self::with_copy(tokens, |request| Some(request.clone()))
    }

    /// Creates a layer that returns a 401 without a retry.
    pub fn once(tokens: T) -> Self {
        Self::with_copy(tokens, |_| None)
    }

    /// Creates a layer that retries once after a 401 where `copy` returns a copy of the request.
    ///
    /// It is for a body of which some values can be cloned and others are streams.
    pub fn with_copy(tokens: T, copy: fn(&Request<B>) -> Option<Request<B>>) -> Self {
        let rules = Rules::new(tokens.base_url());
        Self { tokens: Arc::new(tokens), rules, copy }
    }
}

impl<T, B> AuthorizeLayer<T, B> {
    /// Sets the token on requests to the origin of this URL as well. The path is ignored.
    #[must_use]
    pub fn with_origin(mut self, url: &BaseUrl) -> Self {
        self.rules = self.rules.with_origin(url);
        self
    }

    /// Sets the token on every request, to any server. Use it in a stack that reaches only the API.
    #[must_use]
    pub fn for_every_request(mut self) -> Self {
        self.rules = self.rules.with_every_origin();
        self
    }

    /// Replaces an `Authorization` that a request has. By default such a request passes unchanged.
    #[must_use]
    pub fn with_replaced_authorization(mut self) -> Self {
        self.rules = self.rules.with_replaced_authorization();
        self
    }
}

impl<S, T, B> Layer<S> for AuthorizeLayer<T, B> {
    type Service = Authorized<S, T, B>;

    fn layer(&self, inner: S) -> Self::Service {
        Authorized { inner, layer: self.clone() }
    }
}

/// The service of [`AuthorizeLayer`], whose requests are authorized.
pub struct Authorized<S, T, B> {
    inner: S,
    layer: AuthorizeLayer<T, B>,
}

impl<S, T, B, R> Service<Request<B>> for Authorized<S, T, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    T: AsyncTokenSource,
    B: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Inner readiness may be a concurrency slot. A request that waits for a token must not hold
        // one, because the sign-in may need it.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut inner = self.inner.clone();
        let authorized = self.layer.rules.begin(&request);
        let (tokens, copy) = (Arc::clone(&self.layer.tokens), self.layer.copy);
        Box::pin(async move {
            let Some(mut authorized) = authorized else {
                return send(&mut inner, request).await;
            };
            let alias = request.extensions().get::<UserAlias>().cloned();
            let mut token = tokens.access_token(alias.as_ref()).await?;
            loop {
                let again = if authorized.may_repeat() { copy(&request) } else { None };
                token.authorize(request.headers_mut());
                let response = send(&mut inner, request).await?;
                let (reply, repeats) = (Reply::new(response.status()), again.is_some());
                let other =
                    authorized.next_token(&*tokens, alias.as_ref(), &token, reply, repeats).await;
                match (other, again) {
                    (Some(other), Some(again)) => (token, request) = (other, again),
                    _ => return Ok(response),
                }
            }
        })
    }
}

/// Sends the request as soon as the service is ready for it.
async fn send<S, B, R>(service: &mut S, request: Request<B>) -> Result<Response<R>, BoxError>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
{
    poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
    service.call(request).await.map_err(Into::into)
}

impl<T, B> Clone for AuthorizeLayer<T, B> {
    fn clone(&self) -> Self {
        Self { tokens: Arc::clone(&self.tokens), rules: self.rules.clone(), copy: self.copy }
    }
}

impl<S: Clone, T, B> Clone for Authorized<S, T, B> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<T: fmt::Debug, B> fmt::Debug for AuthorizeLayer<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizeLayer").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

impl<S, T, B> fmt::Debug for Authorized<S, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorized").finish_non_exhaustive()
    }
}
