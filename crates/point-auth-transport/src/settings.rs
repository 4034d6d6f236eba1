//! [`TransportSettings`]: the configuration of every adapter of this project.

use crate::{ProxySettings, TlsSettings};

/// The configuration of every adapter of this project.
///
/// The default suits most programs: rustls with the platform's trust store, and the proxy from the
/// environment.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct TransportSettings {
    tls: TlsSettings,
    proxy: ProxySettings,
}

impl TransportSettings {
    /// Creates the defaults of [`TlsSettings`] and of [`ProxySettings`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the TLS settings.
    pub fn with_tls(mut self, tls: TlsSettings) -> Self {
        self.tls = tls;
        self
    }

    /// Sets the proxy settings.
    pub fn with_proxy(mut self, proxy: ProxySettings) -> Self {
        self.proxy = proxy;
        self
    }

    /// Returns the TLS settings.
    pub const fn tls(&self) -> &TlsSettings {
        &self.tls
    }

    /// Returns the proxy settings.
    pub const fn proxy(&self) -> &ProxySettings {
        &self.proxy
    }
}
