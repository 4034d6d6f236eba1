//! Builds reqwest clients: one for a transport, and one for the user's own requests.

use std::time::Duration;

use http::Uri;
use point_auth_transport::{
    LONGEST_IDLE, ProxyResolver, SendLimits, SettingsError, TlsBackend, TlsSettings,
    TransportSettings,
};
use reqwest::{Client, ClientBuilder, Proxy, Url, redirect, retry};

/// The data that a server may send before it is read. A response of the API has about 1.3 kB.
const HTTP2_WINDOW: u32 = 128 * 1024;
/// Silence on a connection with a response due, after which a ping is sent.
const HTTP2_PING_AFTER: Duration = Duration::from_secs(2);
/// Time for the reply to that ping. The connection closes after 5 seconds in total, like an idle
/// one.
const HTTP2_PING_WITHIN: Duration = Duration::from_secs(3);
const MAX_HEADER_LIST_BYTES: u32 = 16 * 1024;

/// The TLS libraries that this crate can use. The crates below may have more compiled in.
const BACKENDS: &[TlsBackend] = &[
    #[cfg(feature = "rustls")]
    TlsBackend::Rustls,
    #[cfg(feature = "native-tls")]
    TlsBackend::NativeTls,
];

/// Returns a builder for a [`reqwest::Client`] with the TLS and the proxy of `settings`.
///
/// The client is for the caller's own requests, to the API and elsewhere, so that roots, client
/// certificate and proxy are set once. It differs from [`Client::builder`] in TLS and proxies
/// alone. Redirects, retries, timeouts, idle connections and decompression keep reqwest's defaults.
/// [The crate docs](crate#a-client-for-your-own-requests) compare it with the client of a
/// transport.
///
/// The environment and the trust store are read here, so build one client and clone it.
///
/// # Errors
/// The errors of [`ReqwestTransport::with_settings`](crate::ReqwestTransport::with_settings).
pub fn client_builder(settings: &TransportSettings) -> Result<ClientBuilder, SettingsError> {
    with_settings(settings, settings.tls().resolved_backend_of(BACKENDS)?)
}

/// Returns the client of a transport, and whether it can speak TLS.
pub(crate) fn build(settings: &TransportSettings) -> Result<(Client, bool), SettingsError> {
    let backend = settings.tls().resolved_backend_of(BACKENDS)?;
    // The `no_*` calls matter where another crate enables more features of reqwest.
    let builder = with_settings(settings, backend)?
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .no_hickory_dns()
        .pool_idle_timeout(LONGEST_IDLE)
        // The addresses of a host share this limit, so that a silent one leaves time for the next.
        .connect_timeout(SendLimits::new().connect_timeout())
        // A connection with open streams is never idle. Only its silence shows that it is dead.
        .http2_keep_alive_interval(HTTP2_PING_AFTER)
        .http2_keep_alive_timeout(HTTP2_PING_WITHIN)
        .http2_initial_stream_window_size(HTTP2_WINDOW)
        .http2_initial_connection_window_size(HTTP2_WINDOW)
        .http2_max_header_list_size(MAX_HEADER_LIST_BYTES);
    let client = builder.build().map_err(|error| SettingsError::client(&error.without_url()))?;
    Ok((client, backend.is_some()))
}

/// Applies the settings, and nothing else.
fn with_settings(
    settings: &TransportSettings,
    backend: Option<TlsBackend>,
) -> Result<ClientBuilder, SettingsError> {
    let builder = with_proxy(Client::builder().no_proxy(), settings.proxy().resolve()?)?;
    with_tls(builder, settings.tls(), backend)
}

fn with_proxy(
    builder: ClientBuilder,
    proxies: ProxyResolver,
) -> Result<ClientBuilder, SettingsError> {
    let Some(proxy) = proxies.proxy() else { return Ok(builder) };
    let url = Url::parse(&proxy.uri().to_string()).map_err(|_| SettingsError::ProxyUrl {
        reason: "its host is not valid",
        variable: proxy.variable(),
    })?;
    let authorization = proxy.authorization().cloned();
    let chosen = Proxy::custom(move |target| {
        let target = target.as_str().parse::<Uri>().ok()?;
        proxies.proxy_for(&target).map(|_| url.clone())
    });
    Ok(builder.proxy(match authorization {
        Some(authorization) => chosen.custom_http_auth(authorization),
        None => chosen,
    }))
}

#[cfg_attr(
    not(any(feature = "rustls", feature = "native-tls")),
    expect(unused_variables, reason = "there is no TLS to set")
)]
fn with_tls(
    builder: ClientBuilder,
    tls: &TlsSettings,
    backend: Option<TlsBackend>,
) -> Result<ClientBuilder, SettingsError> {
    // reqwest does not change the ALPN of a configuration that it is given.
    match backend {
        #[cfg(feature = "rustls")]
        Some(TlsBackend::Rustls) => {
            let mut config = tls.rustls_client_config()?;
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            Ok(builder.tls_backend_preconfigured(config))
        }
        #[cfg(feature = "native-tls")]
        Some(TlsBackend::NativeTls) => {
            let connector = tls
                .native_tls_connector()?
                .request_alpns(&["h2", "http/1.1"])
                .build()
                .map_err(|error| SettingsError::client(&error))?;
            Ok(builder.tls_backend_preconfigured(connector))
        }
        _ => Ok(builder),
    }
}
