//! [`TowerTransport`]: any tower service that sends HTTP requests, as a transport.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};

use http::{Request, Response};
use http_body::Body;
use point_auth_core::SecretBody;
use point_auth_transport::{
    AsyncTransport, OnceBody, SendLimits, TransportError, TransportErrorKind, async_trait,
    check_head, read_capped, with_deadlines,
};
use tower_service::Service;

use crate::credential_source::BoxError;

/// A transport over any tower service that takes a request with [`OnceBody`].
///
/// This crate provides the deadlines, the size limit of the response, the knowledge whether a
/// request may have been sent, and the texts of errors. `OnceBody` can neither be cloned nor read
/// twice, so that no layer in between sends a request again; one that needs to does not compile.
///
/// The rest is up to the service. It must follow no redirect (not even with a bodyless GET),
/// decompress nothing, keep idle connections for at most [5
/// seconds](point_auth_transport::LONGEST_IDLE), and log no headers. The conformance suite of
/// `point-auth-testkit` checks this.
///
/// Sending needs a tokio runtime with timers.
pub struct TowerTransport<S> {
    /// Cloned for each request; behind a lock, because services need not be `Sync`.
    service: Mutex<S>,
}

impl<S> TowerTransport<S> {
    /// Creates a transport over this service, which is cloned for each request.
    pub const fn new(service: S) -> Self {
        Self { service: Mutex::new(service) }
    }
}

impl<S: Clone> TowerTransport<S> {
    fn service(&self) -> S {
        self.service.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl<S, B> AsyncTransport for TowerTransport<S>
where
    S: Service<Request<OnceBody>, Response = Response<B>> + Clone + Send,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError> + Send,
{
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let has_body = !request.body().is_empty();
        let (mut parts, body) = request.into_parts();
        check_head(&mut parts, true)?;
        let target = parts.uri.clone();
        let (body, sent) = OnceBody::new(body);
        let request = Request::from_parts(parts, body);
        let mut service = self.service();
        let exchange = async {
            // Until the body is asked for, the service is still connecting.
            let so_far = |error: S::Error| match sent.is_raised() {
                true => classify(error, TransportErrorKind::Protocol),
                false => classify(error, TransportErrorKind::Connect),
            };
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(so_far)?;
            let response = service.call(request).await.map_err(so_far)?;
            let (mut parts, body) = response.into_parts();
            // The extensions may hold types of the service.
            parts.extensions.clear();
            let broken = |error| classify(error, TransportErrorKind::Protocol);
            let body = read_capped(body, limits.max_response_bytes(), broken).await?;
            Ok(Response::from_parts(parts, body))
        };
        let outcome = with_deadlines(limits, &sent, has_body, exchange).await;
        outcome.map_err(|error| error.with_route(&target, None))
    }
}

fn classify(error: impl Into<BoxError>, otherwise: TransportErrorKind) -> TransportError {
    TransportError::classify(&*error.into(), otherwise)
}

impl<S: Clone> Clone for TowerTransport<S> {
    fn clone(&self) -> Self {
        Self::new(self.service())
    }
}

impl<S> fmt::Debug for TowerTransport<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerTransport").finish_non_exhaustive()
    }
}
