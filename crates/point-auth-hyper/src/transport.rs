//! [`HyperTransport`]: sends one request and returns its response.

use std::fmt;
use std::sync::Arc;

use http::{Request, Response, Version};
use http_body::Body;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;
use point_auth_core::SecretBody;
use point_auth_transport::{
    AsyncTransport, OnceBody, ProxyResolver, SendLimits, SettingsError, TransportError,
    TransportSettings, async_trait, check_head, read_capped, with_deadlines,
};

use crate::client::{self, AnyClient, Wrapped};
use crate::connector::BoxError;
use crate::error::{classify, classify_body};

/// A transport over hyper and the pooling client of hyper-util: HTTP/1.1, or HTTP/2 by ALPN.
///
/// Cheap to clone; the clones share their connections. Sending needs a tokio runtime with timers
/// and I/O; creating a transport does not. `Debug` shows only whether the client was brought.
///
/// # Panics
/// This crate does not panic. tokio panics if the runtime that sends was built without timers or
/// I/O, and has no way to check.
#[derive(Clone)]
pub struct HyperTransport {
    client: Arc<dyn AnyClient>,
    has_tls: bool,
    /// The proxies that an error names; `None` for a client that was brought.
    proxies: Option<ProxyResolver>,
}

impl HyperTransport {
    /// Creates a transport with the default settings.
    ///
    /// The defaults are TLS by rustls with the platform's trust store, and the proxy from the
    /// environment.
    ///
    /// # Errors
    /// The errors of [`with_settings`](Self::with_settings).
    pub fn new() -> Result<Self, SettingsError> {
        Self::with_settings(&TransportSettings::default())
    }

    /// Creates a transport whose client is built from `settings`. It keeps all nine rules of the
    /// contract.
    ///
    /// # Errors
    /// A [`SettingsError`] when a setting is not compiled in or cannot be used.
    pub fn with_settings(settings: &TransportSettings) -> Result<Self, SettingsError> {
        let proxies = settings.proxy().resolve()?;
        let (client, has_tls) = client::build(settings, proxies.clone())?;
        Ok(Self { client, has_tls, proxies: Some(proxies) })
    }

    /// Creates a transport over your own connections, such as a Unix socket or another TLS library.
    ///
    /// The pool and the protocol on a connection stay ours. Only the proxy rule and TLS are up to
    /// you. The connector is also asked for `https` URLs, and must not return a plain connection
    /// for those. It reports HTTP/2 by
    /// [`Connected::negotiated_h2`](hyper_util::client::legacy::connect::Connected::negotiated_h2).
    pub fn with_connector<C>(connector: C) -> Self
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        Self { client: client::with_connector(connector), has_tls: true, proxies: None }
    }

    /// Creates a transport over your own client whose body is [`OnceBody`].
    ///
    /// [The table](crate#a-client-that-you-bring) shows which of the nine rules are then up to you.
    pub fn from_client<C>(client: Client<C, OnceBody>) -> Self
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        Self::from_client_with(client, |body| body)
    }

    /// Creates a transport over your own client with another type of body, such as a `BoxBody`.
    ///
    /// `wrap` converts our body into that type. It must not collect the body. The moment at which
    /// the body is asked for shows whether a request may have been sent, and a collected body can
    /// be sent twice.
    pub fn from_client_with<C, B, W>(client: Client<C, B>, wrap: W) -> Self
    where
        C: Connect + Clone + Send + Sync + 'static,
        B: Body + Send + Unpin + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
        W: Fn(OnceBody) -> B + Send + Sync + 'static,
    {
        Self { client: Arc::new(Wrapped { client, wrap }), has_tls: true, proxies: None }
    }

    async fn exchange(
        &self,
        mut request: Request<OnceBody>,
        max_response_bytes: usize,
    ) -> Result<Response<SecretBody>, TransportError> {
        // The connection determines the version; hyper rejects a request that names another one.
        *request.version_mut() = Version::HTTP_11;
        let response = self.client.request(request).await.map_err(|error| classify(&error))?;
        let (mut parts, body) = response.into_parts();
        // The extensions carry types of hyper's own.
        parts.extensions.clear();
        let body = read_capped(body, max_response_bytes, |error| classify_body(&error)).await?;
        Ok(Response::from_parts(parts, body))
    }
}

#[async_trait]
impl AsyncTransport for HyperTransport {
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let has_body = !request.body().is_empty();
        let (mut parts, body) = request.into_parts();
        check_head(&mut parts, self.has_tls)?;
        let target = parts.uri.clone();
        let (body, sent) = OnceBody::new(body);
        let exchange = self.exchange(Request::from_parts(parts, body), limits.max_response_bytes());
        with_deadlines(limits, &sent, has_body, exchange).await.map_err(|error| {
            let proxy = self.proxies.as_ref().and_then(|proxies| proxies.proxy_for(&target));
            error.with_route(&target, proxy)
        })
    }
}

impl<C> From<Client<C, OnceBody>> for HyperTransport
where
    C: Connect + Clone + Send + Sync + 'static,
{
    fn from(client: Client<C, OnceBody>) -> Self {
        Self::from_client(client)
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport")
            .field("brought", &self.proxies.is_none())
            .finish_non_exhaustive()
    }
}
