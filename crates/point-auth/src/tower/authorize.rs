//! [`AuthorizeLayer`]: the bearer token on requests that pass by.

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

/// Puts the bearer token of a [`Session`] on the requests that pass by, and tries once more with
/// another if the API answers 401.
///
/// Only requests to the session's own [base URL](Session::base_url), by scheme, host and port, get
/// the token; those to other places, those whose URI says no place, and those whose `Host` says
/// another than their URI, pass as they are, so that nobody else is shown it.
/// [`for_every_request`](Self::for_every_request) is for a stack that reaches nothing but the API.
///
/// Where the stack follows redirects, put what does so *above* this layer, which then looks at each
/// hop anew. What follows them below it is not seen from here: it must take `Authorization` off on
/// the way to another host, or the token goes there.
///
/// A request is tried again only if its body can be cloned, which [`new`](Self::new) asks for;
/// [`once`](AuthorizeLayer::once) takes any body, and a 401 then is handed back after the token has
/// been given up. A 401 to the second try is handed back after that token has been given up, too.
///
/// It is always ready, and waits for its token first and for the service's readiness then: whoever
/// waits for a token holds no place that the sign-in may need. What sheds load or buffers by
/// readiness therefore belongs below it.
///
/// An error is a [`point_auth::Error`](crate::Error) where there was no token, else the service's
/// own.
#[derive(Clone)]
pub struct AuthorizeLayer<C = Retry> {
    session: Session,
    everywhere: bool,
    copies: C,
}

/// Copies a request before it is sent, to send it again.
pub trait Copies<B>: Clone + Send + 'static {
    /// The copy, if there can be one.
    fn copy(&self, request: &Request<B>) -> Option<Request<B>>;
}

/// Every request is copied.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Retry;

/// No request is copied.
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
    /// Tries once more on a 401.
    pub const fn new(session: Session) -> Self {
        Self { session, everywhere: false, copies: Retry }
    }
}

impl AuthorizeLayer<Never> {
    /// Hands a 401 back.
    pub const fn once(session: Session) -> Self {
        Self { session, everywhere: false, copies: Never }
    }
}

impl<C> AuthorizeLayer<C> {
    /// Puts the token on every request, wherever it goes.
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

/// A service whose requests are authorized: what [`AuthorizeLayer`] makes.
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
        // Readiness may be a place among few, which nobody may hold who waits for a token: the
        // sign-in may need it.
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
            // If there is no other token to be had, the API's own answer says more than that.
            let Ok(other) = session.authorize(&mut again).await else { return Ok(response) };
            drop(response);
            let response = send(&mut inner, again).await?;
            if response.status() == StatusCode::UNAUTHORIZED {
                // Young as it is, a pause follows and no storm.
                session.invalidate(&other);
            }
            Ok(response)
        })
    }
}

/// As soon as the service is ready for it.
async fn send<S, B, R>(service: &mut S, request: Request<B>) -> Result<Response<R>, BoxError>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
{
    poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
    service.call(request).await.map_err(Into::into)
}

/// Whether a request goes to this base's scheme, host and port, and says nothing else anywhere.
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

/// Scheme, host and port, unless one of them cannot be told.
fn place(scheme: &str, authority: &Authority) -> Option<(String, String, u16)> {
    let scheme = scheme.to_ascii_lowercase();
    let (_, after_userinfo) =
        authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
    let port = match (after_userinfo.strip_prefix(authority.host())?, &*scheme) {
        ("" | ":", "https") => 443,
        ("" | ":", "http") => 80,
        // One that is no number is no way to say the usual one, whatever a client makes of it.
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
