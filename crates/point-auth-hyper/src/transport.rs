//! [`HyperTransport`]: one request and its response.

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

/// A transport over hyper and the pooling client of hyper-util: HTTP/1.1 and HTTP/2, as TLS's ALPN
/// decides.
///
/// Cheap to clone; the clones share their connections. It needs a tokio runtime with timers and I/O
/// when it sends, not when it is made. `Debug` shows nothing but whether the client was brought.
///
/// # Panics
/// Not here; but tokio panics when it sends in a runtime that was built without timers or I/O, and
/// offers no way to ask.
#[derive(Clone)]
pub struct HyperTransport {
    client: Arc<dyn AnyClient>,
    has_tls: bool,
    /// Which proxy an error names; `None` where that is up to a client that was brought.
    proxies: Option<ProxyResolver>,
}

impl HyperTransport {
    /// A transport with the default settings: TLS by rustls with the platform's trust store, and
    /// the proxy that the environment names.
    ///
    /// # Errors
    /// As [`with_settings`](Self::with_settings).
    pub fn new() -> Result<Self, SettingsError> {
        Self::with_settings(&TransportSettings::default())
    }

    /// A transport whose client is built from `settings`. It keeps all nine rules of the contract.
    ///
    /// # Errors
    /// A [`SettingsError`] when the settings ask for something that is not compiled in, or cannot
    /// be used.
    pub fn with_settings(settings: &TransportSettings) -> Result<Self, SettingsError> {
        let proxies = settings.proxy().resolve()?;
        let (client, has_tls) = client::build(settings, proxies.clone())?;
        Ok(Self { client, has_tls, proxies: Some(proxies) })
    }

    /// A transport over connections of your own making, such as a socket that is not TCP or a TLS
    /// library that is not ours.
    ///
    /// The pool and all that happens on a connection is ours, so that only the proxy rule is up to
    /// you, and TLS: the connector is asked for `https` URLs too, and must not answer those with a
    /// plain connection. It says by
    /// [`Connected::negotiated_h2`](hyper_util::client::legacy::connect::Connected::negotiated_h2)
    /// that HTTP/2 is spoken.
    pub fn with_connector<C>(connector: C) -> Self
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        Self { client: client::with_connector(connector), has_tls: true, proxies: None }
    }

    /// A transport over a client of your own that sends our [`OnceBody`].
    ///
    /// Which of the nine rules are then up to you is in [the table](crate#a-client-that-you-bring).
    pub fn from_client<C>(client: Client<C, OnceBody>) -> Self
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        Self::from_client_with(client, |body| body)
    }

    /// A transport over a client of your own that sends another kind of body, such as a `BoxBody`;
    /// `wrap` makes that out of ours.
    ///
    /// `wrap` must not collect the body: whether a request may have been sent is known by when the
    /// body is asked for, and what was collected can be sent twice.
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
        // The connection decides; hyper refuses a request that names another version.
        *request.version_mut() = Version::HTTP_11;
        let response = self.client.request(request).await.map_err(|error| classify(&error))?;
        let (mut parts, body) = response.into_parts();
        // hyper's own types travel there.
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
