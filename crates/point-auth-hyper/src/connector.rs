//! Opens the connection below TLS: TCP, and the tunnel if the server has a proxy.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use point_auth_transport::{ProxyResolver, SendLimits};
use tokio::net::TcpStream;
use tower_service::Service;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// Connects to the server, directly or by `CONNECT` through its proxy.
#[derive(Clone)]
pub(crate) struct ProxyConnector {
    tcp: HttpConnector,
    proxies: ProxyResolver,
}

impl ProxyConnector {
    /// Creates a connector. `beneath_tls` is whether a connector for `https` goes on top of it.
    /// Without one, an `https` URL must not be connected to.
    pub(crate) fn new(proxies: ProxyResolver, beneath_tls: bool) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        // The addresses of a host share this limit, so that a silent one leaves time for the next.
        tcp.set_connect_timeout(Some(SendLimits::new().connect_timeout()));
        tcp.enforce_http(!beneath_tls);
        Self { tcp, proxies }
    }
}

impl Service<Uri> for ProxyConnector {
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
                // The tunnel reads at most 8 KiB of the proxy's response.
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
