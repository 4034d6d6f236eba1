//! yup-oauth2's authenticator of a user, over hyper's client with connections to a server in this
//! process.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::DuplexStream;
use tower_service::Service;
use yup_oauth2::authenticator::Authenticator;
use yup_oauth2::authorized_user::AuthorizedUserSecret;
use yup_oauth2::{AccessToken, AuthorizedUserAuthenticator, CustomHyperClientBuilder};

use super::server;
use crate::subject::{Source, Subject};

/// The authenticator.
#[derive(Clone)]
pub struct Yup(Arc<Authenticator<Connector>>);

impl Subject for Yup {
    const NAME: &'static str = "yup-oauth2";
    type Token = AccessToken;

    async fn start(source: Source) -> Self {
        let secret = AuthorizedUserSecret {
            client_id: "client".to_owned(),
            client_secret: "secret".to_owned(),
            refresh_token: "refresh".to_owned(),
            key_type: "authorized_user".to_owned(),
        };
        let client = Client::builder(TokioExecutor::new()).build(Connector(source));
        let client = CustomHyperClientBuilder::from(client);
        Self(Arc::new(
            AuthorizedUserAuthenticator::with_client(secret, client).build().await.unwrap(),
        ))
    }

    async fn token(&self) -> Option<AccessToken> {
        self.0.token(&["policy"]).await.ok()
    }
}

/// Connects to a new server each time.
#[derive(Clone)]
struct Connector(Source);

impl Service<Uri> for Connector {
    type Response = InMemory;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<InMemory>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (ours, theirs) = tokio::io::duplex(4096);
        tokio::spawn(server::serve(TokioIo::new(theirs), self.0.clone()));
        std::future::ready(Ok(InMemory(TokioIo::new(ours))))
    }
}

struct InMemory(TokioIo<DuplexStream>);

impl Connection for InMemory {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for InMemory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for InMemory {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
