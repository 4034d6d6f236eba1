//! A stack of tower services as a program may have it: a pooling client below, layers above.
//!
//! Comments mark each setting that the contract of a transport needs.

use std::task::{Context, Poll};
use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use point_auth::http::{Request, Version};
use point_auth::transport::{LONGEST_IDLE, SettingsError, TlsSettings};
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service};

// ANCHOR: stack
/// The client at the bottom of a stack, for requests with this kind of body.
pub type Bottom<B> = AnyVersion<Client<HttpsConnector<HttpConnector>, B>>;

/// A stack for requests with this kind of body: at most sixteen at once, over a client that pools
/// its connections.
///
/// # Errors
/// A [`SettingsError`] when the TLS settings cannot be used.
pub fn stack<B>(tls: &TlsSettings) -> Result<ConcurrencyLimit<Bottom<B>>, SettingsError>
where
    B: http_body::Body + Send,
    B::Data: Send,
{
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls.rustls_client_config()?)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(tcp);
    let client = Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        // An idle connection that the server is about to close would fail a request, and nothing is
        // sent twice.
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(LONGEST_IDLE)
        // A dead HTTP/2 connection is detected, even while it is in use.
        .http2_keep_alive_interval(Duration::from_secs(2))
        .http2_keep_alive_timeout(Duration::from_secs(3))
        // Endless headers are an error.
        .http1_max_buf_size(64 * 1024)
        .build(connector);
    // No layer may follow redirects, decompress or retry. A retry layer does not compile, because
    // the body with the password cannot be cloned.
    Ok(tower::limit::ConcurrencyLimitLayer::new(16).layer(AnyVersion(client)))
}
// ANCHOR_END: stack

/// Lets the connection determine the version: hyper's client rejects a request that names another
/// one.
#[derive(Clone, Debug)]
pub struct AnyVersion<S>(S);

impl<S: Service<Request<B>>, B> Service<Request<B>> for AnyVersion<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        *request.version_mut() = Version::HTTP_11;
        self.0.call(request)
    }
}
