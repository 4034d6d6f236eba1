//! [`Upstream`]: the clients of the API.
//!
//! A request over HTTP/1.1 goes on over HTTP/1.1, on a connection that it has for itself. So one
//! that is slow, or is given up, does not hold up the others: a server allows a connection of
//! HTTP/2 so many requests at one time, and ends one with too many that are given up. A client that
//! chose HTTP/2 shares a connection already.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri, Version};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use point_auth_transport::rustls::ClientConfig;
use point_auth_transport::{
    Chain, LONGEST_IDLE, ProxyResolver, SendLimits, SettingsError, TlsBackend, TransportError,
    TransportErrorKind, TransportSettings,
};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::limits::RESPONSE_HEAD_BYTES;

/// What each response of an HTTP/2 connection may have under way before it is read.
const STREAM_WINDOW: u32 = 64 * 1024;
/// The same for all of them together. Slow readers of as many streams as a server allows must leave
/// some for the others.
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
const PING_AFTER: Duration = Duration::from_secs(10);
const PING_WITHIN: Duration = Duration::from_secs(10);
/// Idle connections that are kept. More would only be closed again.
const IDLE_CONNECTIONS: usize = 128;

pub(crate) type RequestBody = UnsyncBoxBody<Bytes, io::Error>;

type AnyClient = Client<HttpsConnector<Connector>, RequestBody>;

pub(crate) struct Upstream {
    for_http1: AnyClient,
    /// By ALPN, it may speak HTTP/1.1 all the same.
    for_http2: AnyClient,
    proxies: ProxyResolver,
}

impl Upstream {
    pub(crate) fn new(settings: &TransportSettings) -> Result<Self, SettingsError> {
        settings.tls().resolved_backend_of(&[TlsBackend::Rustls])?;
        let proxies = settings.proxy().resolve()?;
        let config = settings.tls().rustls_client_config()?;
        let connector = Connector::new(proxies.clone());
        Ok(Self {
            for_http1: client(connector.clone(), config.clone(), &["http/1.1"]),
            for_http2: client(connector, config, &["h2", "http/1.1"]),
            proxies,
        })
    }

    /// Sends a request that came over the version `from`, once. Returns the response when its head
    /// has come.
    pub(crate) async fn send<B>(
        &self,
        request: Request<B>,
        from: Version,
    ) -> Result<Response<Incoming>, TransportError>
    where
        B: Body<Data = Bytes, Error = io::Error> + Send + 'static,
    {
        let target = request.uri().clone();
        let client = if from == Version::HTTP_2 { &self.for_http2 } else { &self.for_http1 };
        let sent = client.request(request.map(UnsyncBoxBody::new)).await;
        sent.map_err(|error| self.named(classify(&error), &target))
    }

    /// Names the server, or the proxy on the way to it, in an error.
    pub(crate) fn named(&self, error: TransportError, target: &Uri) -> TransportError {
        error.with_route(target, self.proxies.proxy_for(target))
    }
}

fn client(connector: Connector, mut config: ClientConfig, protocols: &[&str]) -> AnyClient {
    // Set here, because the builder of hyper-rustls panics if a configuration already has ALPN.
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(LONGEST_IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        // Of a request that was not begun, on a connection that had ended.
        .retry_canceled_requests(true)
        .http1_max_buf_size(RESPONSE_HEAD_BYTES)
        .http2_max_header_list_size(u32::try_from(RESPONSE_HEAD_BYTES).unwrap_or(u32::MAX))
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(PING_AFTER)
        .http2_keep_alive_timeout(PING_WITHIN)
        .build(HttpsConnector::from((connector, config)))
}

fn classify(error: &legacy::Error) -> TransportError {
    let causes = || Chain::new(error).filter_map(|cause| cause.downcast_ref::<hyper::Error>());
    let fallback = if error.is_connect() {
        TransportErrorKind::Connect
    } else if causes().any(hyper::Error::is_timeout) {
        TransportErrorKind::Timeout
    } else {
        TransportErrorKind::Protocol
    };
    TransportError::classify(error, fallback)
}

type BoxError = Box<dyn Error + Send + Sync>;

/// Connects to the API, directly or by `CONNECT` through a proxy on the way.
#[derive(Clone)]
struct Connector {
    tcp: HttpConnector,
    proxies: ProxyResolver,
}

impl Connector {
    fn new(proxies: ProxyResolver) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(SendLimits::new().connect_timeout()));
        // TLS goes on top of it.
        tcp.enforce_http(false);
        Self { tcp, proxies }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        match self.proxies.proxy_for(&destination) {
            None => {
                let connecting = self.tcp.call(destination);
                Box::pin(async move { Ok(connecting.await?) })
            }
            Some(proxy) => {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), self.tcp.clone());
                if let Some(authorization) = proxy.authorization() {
                    tunnel = tunnel.with_auth(authorization.clone());
                }
                let connecting = tunnel.call(destination);
                Box::pin(async move { Ok(connecting.await?) })
            }
        }
    }
}
