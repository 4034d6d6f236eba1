//! The two traits that a transport implements, one or both.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Request, Response};
use point_auth_core::SecretBody;

use crate::{SendLimits, TransportError};

/// Sends one HTTP request without blocking, and keeps the nine rules of the
/// [contract](crate#the-contract).
///
/// An implementation is marked `#[async_trait]`, so the trait can be used as `Arc<dyn
/// AsyncTransport>`; the attribute is re-exported as
/// [`point_auth_transport::async_trait`](crate::async_trait).
///
/// Dropping the future abandons the exchange. The request may have been sent nevertheless.
#[async_trait]
pub trait AsyncTransport: Send + Sync {
    /// Sends `request` once and reads the whole response, within `limits`.
    ///
    /// The URI is absolute, and the headers are complete except for those of the connection
    /// (`Host`, `Content-Length`). [`check_head`](crate::check_head) ensures this for operations
    /// from elsewhere. Every status is a response, 3xx and 5xx included.
    ///
    /// # Errors
    /// A [`TransportError`] when there is no complete response within the limits. It records
    /// whether the request may have reached the server.
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError>;
}

/// Sends one HTTP request on the calling thread, and keeps the nine rules of the
/// [contract](crate#the-contract).
pub trait BlockingTransport: Send + Sync {
    /// Sends `request` once and reads the whole response, within `limits`.
    ///
    /// The notes on request and response at [`AsyncTransport::send`] apply here too.
    ///
    /// # Errors
    /// A [`TransportError`] when there is no complete response within the limits. It records
    /// whether the request may have reached the server.
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError>;
}

macro_rules! forward {
    ($($pointer:ty),+) => {$(
        #[async_trait]
        impl<T: AsyncTransport + ?Sized> AsyncTransport for $pointer {
            async fn send(
                &self,
                request: Request<SecretBody>,
                limits: &SendLimits,
            ) -> Result<Response<SecretBody>, TransportError> {
                (**self).send(request, limits).await
            }
        }

        impl<T: BlockingTransport + ?Sized> BlockingTransport for $pointer {
            fn send(
                &self,
                request: Request<SecretBody>,
                limits: &SendLimits,
            ) -> Result<Response<SecretBody>, TransportError> {
                (**self).send(request, limits)
            }
        }
    )+};
}

forward!(&T, Box<T>, Arc<T>);
