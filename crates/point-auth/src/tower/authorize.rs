//! [`AuthorizeLayer`]: the bearer token on requests that pass by.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode, Uri};
use tower_layer::Layer;
use tower_service::Service;

use crate::Session;
use crate::credential_source::BoxError;

/// Puts the bearer token of a [`Session`] on the requests that pass by, and tries once more with another if the API answers 401.
///
/// Only requests to the session's own [base URL](Session::base_url), by scheme, host and port, get the token; those to other
/// places, and those whose URI says no place, pass as they are, so that nobody else is shown it.
/// [`for_every_request`](Self::for_every_request) is for a stack that reaches nothing but the API.
///
/// A request is tried again only if its body can be cloned, which [`new`](Self::new) asks for; [`once`](AuthorizeLayer::once) takes any
/// body, and a 401 then is handed back after the token has been given up.
///
/// An error is a [`point_auth::Error`](crate::Error) where there was no token, else the service's own.
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

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that has said it is ready goes along; the next call asks its copy.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        let AuthorizeLayer { session, everywhere, copies } = self.layer.clone();
        if !everywhere && !is_same_place(request.uri(), session.base_url().as_str()) {
            let sending = inner.call(request);
            return Box::pin(async move { sending.await.map_err(Into::into) });
        }
        Box::pin(async move {
            let again = copies.copy(&request);
            let token = session.authorize(&mut request).await?;
            let response = inner.call(request).await.map_err(Into::into)?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            session.invalidate(&token);
            let Some(mut again) = again else { return Ok(response) };
            // If there is no other token to be had, the API's own answer says more than that.
            if session.authorize(&mut again).await.is_err() {
                return Ok(response);
            }
            drop(response);
            poll_fn(|cx| inner.poll_ready(cx)).await.map_err(Into::into)?;
            inner.call(again).await.map_err(Into::into)
        })
    }
}

/// Whether both are at one place: scheme, host and port.
fn is_same_place(uri: &Uri, base: &str) -> bool {
    let Ok(base) = base.parse::<Uri>() else { return false };
    let place = |uri: &Uri| {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let port = uri.port_u16().or(match &*scheme {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        })?;
        Some((scheme, uri.host()?.to_ascii_lowercase(), port))
    };
    place(uri).is_some_and(|uri| Some(uri) == place(&base))
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
