//! Builds hyper-util's client, and wraps any such client in one type.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body::Body;
use hyper_util::client::legacy::connect::Connect;
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use point_auth_transport::{
    LONGEST_IDLE, OnceBody, ProxyResolver, SettingsError, TlsBackend, TransportSettings,
};

use crate::connector::{BoxError, ProxyConnector};

/// The data that a server may send before it is read. A response of the API has about 1.3 kB.
const HTTP2_WINDOW: u32 = 128 * 1024;
/// Silence on a connection with a response due, after which a ping is sent.
const HTTP2_PING_AFTER: Duration = Duration::from_secs(2);
/// Time for the reply to that ping. The connection closes after 5 seconds in total, like an idle
/// one.
const HTTP2_PING_WITHIN: Duration = Duration::from_secs(3);
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// The TLS libraries that this crate can use. The crates below may have more compiled in.
const BACKENDS: &[TlsBackend] = &[
    #[cfg(feature = "rustls")]
    TlsBackend::Rustls,
    #[cfg(feature = "native-tls")]
    TlsBackend::NativeTls,
];

/// A client with any connector and any body type.
pub(crate) trait AnyClient: Send + Sync {
    fn request(&self, request: Request<OnceBody>) -> ResponseFuture;
}

/// A client, and the function that converts our body into its body type.
pub(crate) struct Wrapped<C, B, W> {
    pub(crate) client: Client<C, B>,
    pub(crate) wrap: W,
}

impl<C, B, W> AnyClient for Wrapped<C, B, W>
where
    C: Connect + Clone + Send + Sync + 'static,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
    W: Fn(OnceBody) -> B + Send + Sync,
{
    fn request(&self, request: Request<OnceBody>) -> ResponseFuture {
        self.client.request(request.map(&self.wrap))
    }
}

/// Returns the client, and whether it can speak TLS.
pub(crate) fn build(
    settings: &TransportSettings,
    proxies: ProxyResolver,
) -> Result<(Arc<dyn AnyClient>, bool), SettingsError> {
    let backend = settings.tls().resolved_backend_of(BACKENDS)?;
    let connector = ProxyConnector::new(proxies, backend.is_some());
    let client = match backend {
        #[cfg(feature = "rustls")]
        Some(TlsBackend::Rustls) => {
            let mut config = settings.tls().rustls_client_config()?;
            // Set here, because the builder of hyper-rustls panics if a configuration already has
            // ALPN.
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            with_connector(hyper_rustls::HttpsConnector::from((connector, config)))
        }
        #[cfg(feature = "native-tls")]
        Some(TlsBackend::NativeTls) => {
            let tls = settings
                .tls()
                .native_tls_connector()?
                .request_alpns(&["h2", "http/1.1"])
                .build()
                .map_err(|error| SettingsError::client(&error))?;
            with_connector(hyper_tls::HttpsConnector::from((
                connector,
                tokio_native_tls::TlsConnector::from(tls),
            )))
        }
        #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
        None => with_connector(connector),
        // Unreachable. A client without TLS here would compile all of hyper a second time.
        _ => return Err(SettingsError::Unsupported { what: "a TLS library of another crate" }),
    };
    Ok((client, backend.is_some()))
}

/// Builds the client on `connector`: the pool and the limits.
///
/// hyper hands back a request that it has not sent because its pooled connection was closed. Such a
/// request goes on another connection. That is no second sending: not even the head was written,
/// and [`OnceBody`] cannot go out twice.
pub(crate) fn with_connector<C>(connector: C) -> Arc<dyn AnyClient>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client = Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(LONGEST_IDLE)
        // A connection with open streams is never idle. Only its silence shows that it is dead.
        .http2_keep_alive_interval(HTTP2_PING_AFTER)
        .http2_keep_alive_timeout(HTTP2_PING_WITHIN)
        .retry_canceled_requests(true)
        .set_host(true)
        .http1_max_buf_size(MAX_HEADER_BYTES)
        .http2_initial_stream_window_size(HTTP2_WINDOW)
        .http2_initial_connection_window_size(HTTP2_WINDOW)
        .build(connector);
    Arc::new(Wrapped { client, wrap: |body| body })
}
