//! [`Routed`]: a transport whose errors say where the request was going.

use http::{Request, Response};
use point_auth_core::SecretBody;
use point_auth_transport::{SendLimits, TransportError};

/// Any transport. Those that do not name the target of a request in their errors are helped out.
#[derive(Clone)]
pub(crate) struct Routed<T>(pub(crate) T);

#[cfg(feature = "async")]
#[point_auth_transport::async_trait]
impl<T: point_auth_transport::AsyncTransport> point_auth_transport::AsyncTransport for Routed<T> {
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let target = request.uri().clone();
        self.0.send(request, limits).await.map_err(|error| error.with_route(&target, None))
    }
}

#[cfg(feature = "blocking")]
impl<T: point_auth_transport::BlockingTransport> point_auth_transport::BlockingTransport
    for Routed<T>
{
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let target = request.uri().clone();
        self.0.send(request, limits).map_err(|error| error.with_route(&target, None))
    }
}
