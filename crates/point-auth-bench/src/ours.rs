//! point-auth itself, over a source in this process.

use std::sync::Arc;

use http::{Request, Response};
use point_auth::transport::{
    AsyncTransport, BlockingTransport, SendLimits, TransportError, async_trait,
};
use point_auth::{AccessToken, Client, Credentials, SecretBody, Session, blocking};

use crate::sample;
use crate::subject::{Source, Subject};

/// Returns the credentials of all measurements.
pub fn credentials() -> Credentials {
    Credentials::new(sample::USERNAME, sample::PASSWORD).unwrap()
}

/// A transport that asks a [`Source`] and uses no network.
#[derive(Clone)]
pub struct InProcess(Source);

impl InProcess {
    /// Creates a transport to this source.
    pub const fn new(source: Source) -> Self {
        Self(source)
    }
}

fn response(source_works: bool) -> Response<SecretBody> {
    let (status, body) =
        if source_works { (200, sample::success().into_body()) } else { (503, b"{}".to_vec()) };
    let mut response = Response::new(SecretBody::new(body));
    *response.status_mut() = status.try_into().unwrap();
    response
}

#[async_trait]
impl AsyncTransport for InProcess {
    async fn send(
        &self,
        _: Request<SecretBody>,
        _: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        Ok(response(self.0.answers().await))
    }
}

impl BlockingTransport for InProcess {
    fn send(
        &self,
        _: Request<SecretBody>,
        _: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        Ok(response(true))
    }
}

/// `Session::access_token`.
#[derive(Clone)]
pub struct Ours(Session);

impl Ours {
    /// Returns the session itself.
    pub fn session(&self) -> &Session {
        &self.0
    }
}

impl Subject for Ours {
    const NAME: &'static str = "point-auth";
    type Token = AccessToken;

    async fn start(source: Source) -> Self {
        Self(Session::new(Client::new(InProcess(source)), credentials()))
    }

    async fn token(&self) -> Option<AccessToken> {
        self.0.access_token().await.ok()
    }
}

/// Returns a session for threads that has its token.
pub fn blocking_session() -> Arc<blocking::Session> {
    let client = blocking::Client::new(InProcess(Source::at_once()));
    let session = blocking::Session::new(client, credentials());
    session.access_token().unwrap();
    Arc::new(session)
}
