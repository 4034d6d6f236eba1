//! [`AuthorizeLayer`]: sets the bearer token on the requests of a tower service.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::HOST;
use http::uri::Authority;
use http::{Request, Response, StatusCode, Uri};
use tower_layer::Layer;
use tower_service::Service;

use crate::Session;
use crate::credential_source::BoxError;

/// Sets the bearer token of a [`Session`] on requests, and retries once if the API answers 401.
///
/// Only requests to the session's own [base URL](Session::base_url), by scheme, host and port, get
/// the token. All others pass unchanged, so that no other server gets it. These are requests to
/// another server, with a URI without a host, or with a `Host` that differs from the URI. Use
/// [`for_every_request`](Self::for_every_request) in a stack that reaches only the API.
///
/// If the stack follows redirects, put that layer *above* this one, which then checks each hop.
/// This layer does not see redirects that a layer below it follows. That layer must remove
/// `Authorization` on the way to another host, or the token goes there.
///
/// A request is retried only if its body can be cloned, which [`new`](Self::new) requires.
/// [`once`](AuthorizeLayer::once) accepts any body, and returns a 401 after it has invalidated the
/// token. A 401 to the retry is returned too, after that token has been invalidated.
///
/// The layer is always ready. It acquires the token before inner readiness, so that waiting
/// requests hold no concurrency slot that the sign-in may need. Layers that shed load or buffer by
/// readiness therefore belong below it.
///
/// An error is a [`point_auth::Error`](crate::Error) if there was no token, otherwise the service's
/// own error.
#[derive(Clone)]
pub struct AuthorizeLayer<C = Retry> {
    session: Session,
    everywhere: bool,
    copies: C,
}

/// Copies a request before it is sent, so that it can be sent again.
pub trait Copies<B>: Clone + Send + 'static {
    /// Returns the copy, if the request can be copied.
    fn copy(&self, request: &Request<B>) -> Option<Request<B>>;
}

/// Copies every request.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Retry;

/// Copies no request.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Never;

impl<B: Clone> Copies<B> for Retry {
    fn copy(&self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}

impl<B> Copies<B> for Never {
    fn copy(&self, _: &Request<B>) -> Option<Request<B>> {
        None
    }
}

impl AuthorizeLayer {
    /// Creates a layer that retries once after a 401.
    pub const fn new(session: Session) -> Self {
        Self { session, everywhere: false, copies: Retry }
    }
}

impl AuthorizeLayer<Never> {
    /// Creates a layer that returns a 401 without a retry.
    pub const fn once(session: Session) -> Self {
        Self { session, everywhere: false, copies: Never }
    }
}

impl<C> AuthorizeLayer<C> {
    /// Sets the token on every request, to any server.
    #[must_use]
    pub fn for_every_request(mut self) -> Self {
        self.everywhere = true;
        self
    }
}

impl<S, C: Clone> Layer<S> for AuthorizeLayer<C> {
    type Service = Authorized<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Authorized { inner, layer: self.clone() }
    }
}

/// The service of [`AuthorizeLayer`], whose requests are authorized.
#[derive(Clone)]
pub struct Authorized<S, C = Retry> {
    inner: S,
    layer: AuthorizeLayer<C>,
}

impl<S, C, B, R> Service<Request<B>> for Authorized<S, C>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    C: Copies<B>,
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
        let AuthorizeLayer { session, everywhere, copies } = self.layer.clone();
        Box::pin(async move {
            if !everywhere && !goes_to(&request, session.base_url().as_str()) {
                return send(&mut inner, request).await;
            }
            let again = copies.copy(&request);
            let token = session.authorize(&mut request).await?;
            let response = send(&mut inner, request).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            session.invalidate(&token);
            let Some(mut again) = again else { return Ok(response) };
            // Without another token, the API's own response is more informative.
            let Ok(other) = session.authorize(&mut again).await else { return Ok(response) };
            drop(response);
            let response = send(&mut inner, again).await?;
            if response.status() == StatusCode::UNAUTHORIZED {
                // The token is young, so a backoff follows and no storm.
                session.invalidate(&other);
            }
            Ok(response)
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

/// Returns whether a request goes to this base's scheme, host and port, by its URI and its `Host`.
fn goes_to<B>(request: &Request<B>, base: &str) -> bool {
    let Ok(base) = base.parse::<Uri>() else { return false };
    let place = |uri: &Uri| place(uri.scheme_str()?, uri.authority()?);
    let Some(to) = place(request.uri()).filter(|to| Some(to) == place(&base).as_ref()) else {
        return false;
    };
    request.headers().get_all(HOST).iter().all(|host| {
        let host = Authority::try_from(host.as_bytes()).ok();
        host.and_then(|host| self::place(&to.0, &host)).is_some_and(|host| host == to)
    })
}

/// Returns scheme, host and port, unless one of them is unknown.
fn place(scheme: &str, authority: &Authority) -> Option<(String, String, u16)> {
    let scheme = scheme.to_ascii_lowercase();
    let (_, after_userinfo) =
        authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
    let port = match (after_userinfo.strip_prefix(authority.host())?, &*scheme) {
        ("" | ":", "https") => 443,
        ("" | ":", "http") => 80,
        // An invalid port does not stand for the default port, whatever a client makes of it.
        (port, _) => port.strip_prefix(':')?.parse().ok()?,
    };
    Some((scheme, authority.host().to_ascii_lowercase(), port))
}

impl<C> fmt::Debug for AuthorizeLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizeLayer").field("session", &self.session).finish_non_exhaustive()
    }
}

impl<S, C> fmt::Debug for Authorized<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorized").finish_non_exhaustive()
    }
}
