//! A stack of tower services as it may stand in a program already: a pooling client below, layers
//! above.
//!
//! What has to be set so that it keeps the contract of a transport is said where it is set.

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
/// When the TLS settings cannot be used.
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
        // An idle connection that the server is about to close would lose a request, and nothing is
        // sent twice.
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(LONGEST_IDLE)
        // A dead HTTP/2 connection is noticed, rather than used for as long as somebody does.
        .http2_keep_alive_interval(Duration::from_secs(2))
        .http2_keep_alive_timeout(Duration::from_secs(3))
        // Headers without end are an error.
        .http1_max_buf_size(64 * 1024)
        .build(connector);
    // No layer that follows redirects, decompresses, or tries again: the last would not compile,
    // since a password's body cannot be cloned.
    Ok(tower::limit::ConcurrencyLimitLayer::new(16).layer(AnyVersion(client)))
}
// ANCHOR_END: stack

/// Lets the connection decide on the version: hyper's client refuses a request that names another.
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
