//! [`ReqwestTransport`]: sends one request and returns its response.

use std::fmt;

use http::{Request, Response};
use point_auth_core::SecretBody;
use point_auth_transport::{
    AsyncTransport, OnceBody, ProxyResolver, ScrubbedError, SendLimits, SentFlag, SettingsError,
    TransportError, TransportErrorKind, TransportErrorReason, TransportSettings, async_trait,
    check_head, read_capped, with_deadlines,
};
use reqwest::{Body, Client, Url};

use crate::client;
use crate::error::classify;

/// A transport over [`reqwest::Client`].
///
/// Cheap to clone; the clones share their connections. Sending needs a tokio runtime with timers
/// and I/O; creating a transport does not. `Debug` shows only whether the client was brought.
///
/// # Panics
/// This crate does not panic. tokio panics if the runtime that sends was built without timers or
/// I/O, and has no way to check.
#[derive(Clone)]
pub struct ReqwestTransport {
    client: Client,
    has_tls: bool,
    /// The proxies that an error names; `None` for a client that was brought.
    proxies: Option<ProxyResolver>,
}

impl ReqwestTransport {
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
        let (client, has_tls) = client::build(settings)?;
        Ok(Self { client, has_tls, proxies: Some(settings.proxy().resolve()?) })
    }

    /// Creates a transport over your own client, for DNS, a connector layer or a Unix socket.
    ///
    /// [The table](crate#a-client-that-you-bring) shows which of the nine rules are then up to you.
    pub const fn from_client(client: Client) -> Self {
        Self { client, has_tls: true, proxies: None }
    }

    async fn exchange(
        &self,
        request: Request<OnceBody>,
        sent: &SentFlag,
        max_response_bytes: usize,
    ) -> Result<Response<SecretBody>, TransportError> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| {
            let cause = ScrubbedError::new("the request's URI is not a valid URL");
            TransportError::new(TransportErrorKind::Other).not_sent().with_source(cause)
        })?;
        let mut request = reqwest::Request::new(parts.method, url.clone());
        *request.headers_mut() = parts.headers;
        *request.body_mut() = Some(Body::wrap(body));

        let response = self
            .client
            .execute(request)
            .await
            .map_err(|error| classify(error, sent.is_raised()))?;
        if *response.url() != url {
            return Err(TransportErrorReason::OtherUrl.into());
        }
        let (parts, body) = Response::<Body>::from(response).into_parts();
        let body = read_capped(body, max_response_bytes, |error| classify(error, true)).await?;
        let mut response = Response::new(body);
        *response.status_mut() = parts.status;
        *response.version_mut() = parts.version;
        *response.headers_mut() = parts.headers;
        Ok(response)
    }
}

#[async_trait]
impl AsyncTransport for ReqwestTransport {
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
        let exchange =
            self.exchange(Request::from_parts(parts, body), &sent, limits.max_response_bytes());
        with_deadlines(limits, &sent, has_body, exchange).await.map_err(|error| {
            let proxy = self.proxies.as_ref().and_then(|proxies| proxies.proxy_for(&target));
            error.with_route(&target, proxy)
        })
    }
}

impl From<Client> for ReqwestTransport {
    fn from(client: Client) -> Self {
        Self::from_client(client)
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport")
            .field("brought", &self.proxies.is_none())
            .finish_non_exhaustive()
    }
}
