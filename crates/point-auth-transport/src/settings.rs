//! [`TransportSettings`]: what every adapter of ours is built from.

use crate::{ProxySettings, TlsSettings};

/// What every adapter of ours is built from, the same for all.
///
/// The default is what most want: TLS by rustls with the platform's trust store, and the proxy that
/// the environment names.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct TransportSettings {
    tls: TlsSettings,
    proxy: ProxySettings,
}

impl TransportSettings {
    /// The defaults of [`TlsSettings`] and of [`ProxySettings`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how TLS is done.
    pub fn with_tls(mut self, tls: TlsSettings) -> Self {
        self.tls = tls;
        self
    }

    /// Sets which proxy is used.
    pub fn with_proxy(mut self, proxy: ProxySettings) -> Self {
        self.proxy = proxy;
        self
    }

    /// How TLS is done.
    pub const fn tls(&self) -> &TlsSettings {
        &self.tls
    }

    /// Which proxy is used.
    pub const fn proxy(&self) -> &ProxySettings {
        &self.proxy
    }
}
