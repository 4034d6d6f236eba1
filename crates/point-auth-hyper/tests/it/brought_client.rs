//! A client or a connector that the user brings.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use point_auth_hyper::{HyperTransport, OnceBody};
use point_auth_testkit::{Fault, Operation, RawBehavior, RawServer};
use point_auth_transport::{ScrubbedError, TransportErrorKind};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::support::{assert_shows_no_more, assert_tokens, emulator, sign_in};

/// A client with the defaults.
fn client() -> Client<HttpConnector, OnceBody> {
    Client::builder(TokioExecutor::new()).build_http()
}

#[tokio::test]
async fn a_client_with_our_body_signs_in() {
    let emulator = emulator().start().unwrap();
    let transport = HyperTransport::from(client());
    assert_tokens(&sign_in(&transport, &emulator.base_url()).await.unwrap());
    assert_eq!(format!("{transport:?}"), "HyperTransport { brought: true, .. }");
}

#[tokio::test]
async fn a_client_with_another_body_signs_in() {
    let emulator = emulator().start().unwrap();
    let client: Client<_, BoxBody<Bytes, ScrubbedError>> =
        Client::builder(TokioExecutor::new()).build_http();
    let transport = HyperTransport::from_client_with(client, |body| body.boxed());
    assert_tokens(&sign_in(&transport, &emulator.base_url()).await.unwrap());
}

#[tokio::test]
async fn a_pooled_connection_that_is_closed_gets_a_sign_in_once() {
    let emulator = emulator().start().unwrap();
    let transport = HyperTransport::from_client(client());
    assert_tokens(&sign_in(&transport, &emulator.base_url()).await.unwrap());
    emulator.push_fault(Fault::close_pooled_connection());
    let error = sign_in(&transport, &emulator.base_url()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Protocol);
    assert!(error.may_have_been_sent());
    assert_shows_no_more(&error);
    assert_eq!(emulator.count(Operation::SignIn), 2);
}

#[tokio::test]
async fn a_client_of_plain_http_is_never_handed_an_https_url_in_the_clear() {
    let server = RawServer::start(RawBehavior::Silent).unwrap();
    let transport = HyperTransport::from_client(client());
    let error = sign_in(&transport, &format!("https://{}", server.addr())).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert!(!error.may_have_been_sent());
    assert_eq!(server.connections(), 0);
}

/// Leads everywhere to the same place.
#[derive(Clone)]
struct Always(SocketAddr);

impl Service<Uri> for Always {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let address = self.0;
        Box::pin(async move { TcpStream::connect(address).await.map(TokioIo::new) })
    }
}

#[tokio::test]
async fn a_connector_of_ones_own_gets_everything_but_the_connection() {
    let emulator = emulator().start().unwrap();
    let transport = HyperTransport::with_connector(Always(emulator.addr()));
    // No server listens there.
    let base = "http://127.0.0.1:1";
    assert_tokens(&sign_in(&transport, base).await.unwrap());
    emulator.push_fault(Fault::close_pooled_connection());
    let error = sign_in(&transport, base).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Protocol);
    assert_eq!(emulator.count(Operation::SignIn), 2);
    assert_eq!(emulator.connections(), 1);
}

#[test]
fn debug_shows_no_more_than_whose_client_it_is() {
    let emulator = emulator().start().unwrap();
    let transport = crate::support::transport(&emulator);
    assert_eq!(format!("{transport:?}"), "HyperTransport { brought: false, .. }");
}
