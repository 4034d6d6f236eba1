//! A transport that returns new tokens of realistic size at once, or never answers.

use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Request, Response};
use point_auth::SecretBody;
use point_auth::transport::{
    AsyncTransport, BlockingTransport, SendLimits, TransportError, async_trait,
};

#[derive(Default)]
pub(crate) struct Instant {
    is_silent: bool,
    answered: AtomicU64,
}

impl Instant {
    pub(crate) fn that_never_answers() -> Self {
        Self { is_silent: true, ..Self::default() }
    }

    /// An access token of 900 bytes and a refresh token of 200.
    fn answer(&self) -> Response<SecretBody> {
        let number = self.answered.fetch_add(1, Ordering::Relaxed);
        let body = format!(
            r#"{{"access_token":"{number:0>900}","refresh_token":"{number:0>200}","expires_in":3600,"scope":"policy"}}"#
        );
        Response::new(SecretBody::new(body.into_bytes()))
    }
}

#[async_trait]
impl AsyncTransport for Instant {
    async fn send(
        &self,
        _: Request<SecretBody>,
        _: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        if self.is_silent {
            pending::<()>().await;
        }
        Ok(self.answer())
    }
}

impl BlockingTransport for Instant {
    fn send(
        &self,
        _: Request<SecretBody>,
        _: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        Ok(self.answer())
    }
}
