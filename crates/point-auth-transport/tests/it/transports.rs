//! The traits through pointers: a transport behind `dyn` is a transport.

use std::sync::Arc;

use http::{Request, Response};
use point_auth_core::SecretBody;
use point_auth_transport::{
    AsyncTransport, BlockingTransport, SendLimits, TransportError, async_trait,
};

/// Responds with the body of the request.
struct Echo;

#[async_trait]
impl AsyncTransport for Echo {
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        BlockingTransport::send(self, request, limits)
    }
}

impl BlockingTransport for Echo {
    fn send(
        &self,
        request: Request<SecretBody>,
        _: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        Ok(Response::new(request.into_body()))
    }
}

fn request() -> Request<SecretBody> {
    Request::new(SecretBody::new(b"ping".to_vec()))
}

fn blocking(transport: impl BlockingTransport) -> SecretBody {
    transport.send(request(), &SendLimits::new()).unwrap().into_body()
}

async fn asynchronous(transport: impl AsyncTransport) -> SecretBody {
    transport.send(request(), &SendLimits::new()).await.unwrap().into_body()
}

#[tokio::test]
async fn a_transport_behind_a_pointer_is_a_transport() {
    let shared: Arc<dyn AsyncTransport> = Arc::new(Echo);
    for body in [
        asynchronous(&shared).await,
        asynchronous(shared).await,
        asynchronous(Box::new(Echo)).await,
    ] {
        assert_eq!(body.as_ref(), b"ping");
    }
    let shared: Arc<dyn BlockingTransport> = Arc::new(Echo);
    for body in [blocking(&shared), blocking(Arc::clone(&shared)), blocking(&Echo)] {
        assert_eq!(body.as_ref(), b"ping");
    }
}
