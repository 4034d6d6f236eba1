//! [`SettingsError`]: why a transport cannot be built from its settings.

use std::error::Error;

use crate::ScrubbedError;

/// The error of settings that are invalid or that no transport can be built from.
///
/// It holds no secret: no URL, no user name or password of a proxy, no key, and no value of an
/// environment variable. It does hold the name of the variable with the bad value.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The scheme of the proxy is not `http`.
    ///
    /// Only proxies reached over plain HTTP are supported. TLS goes through them by `CONNECT`.
    #[error("the proxy{} has the scheme `{scheme}`, only `http` is supported", named_in(*variable))]
    ProxyScheme {
        /// The scheme, in lower case, and nothing else of the URL.
        scheme: String,
        /// The environment variable that the URL came from, if it came from one.
        variable: Option<&'static str>,
    },

    /// The URL of a proxy cannot be parsed.
    #[error("the proxy URL{} is not valid: {reason}", named_in(*variable))]
    ProxyUrl {
        /// What is wrong with the URL.
        reason: &'static str,
        /// The environment variable that the URL came from, if it came from one.
        variable: Option<&'static str>,
    },

    /// A variable that names a proxy, or the hosts to reach without one, is not Unicode.
    #[error("the environment variable `{variable}` is not Unicode")]
    Environment {
        /// The variable's name.
        variable: &'static str,
    },

    /// A root certificate cannot be read.
    #[error("the root certificates cannot be read: {reason}")]
    Certificate {
        /// What is wrong with the certificates.
        reason: &'static str,
        /// The error of the TLS library.
        source: Option<ScrubbedError>,
    },

    /// The client's own certificate or its key cannot be used, or they do not belong together.
    #[error("the client identity cannot be used: {reason}")]
    Identity {
        /// What is wrong with the identity.
        reason: &'static str,
        /// The error of the TLS library.
        source: Option<ScrubbedError>,
    },

    /// The platform's root certificates cannot be loaded.
    #[error("the platform's root certificates{} cannot be loaded", named_in(*variable))]
    Roots {
        /// The environment variable that locates the certificates, if one is set.
        variable: Option<&'static str>,
        /// The error of the TLS library.
        source: Option<ScrubbedError>,
    },

    /// rustls is compiled in without a crypto provider, and the settings provide none.
    ///
    /// The feature `aws-lc-rs` or `ring` compiles one in. A configuration for
    /// [`TlsSettings::with_rustls_config`](crate::TlsSettings::with_rustls_config) has its own.
    #[error("rustls has no crypto provider: neither the feature `aws-lc-rs` nor `ring` is on")]
    NoCryptoProvider,

    /// The requested setting is not compiled in, or the chosen library does not support it.
    #[error("{what} is not supported here")]
    Unsupported {
        /// The requested setting.
        what: &'static str,
    },

    /// The HTTP client or the TLS library cannot be initialized.
    #[error("the HTTP client cannot be built")]
    Client {
        /// The parts of its error that are known to be harmless.
        source: Option<ScrubbedError>,
    },
}

impl SettingsError {
    /// Creates the error of an adapter whose HTTP client could not be built.
    ///
    /// Only the harmless parts of `error` are kept.
    pub fn client(error: &(dyn Error + 'static)) -> Self {
        Self::Client { source: ScrubbedError::of(error) }
    }
}

fn named_in(variable: Option<&'static str>) -> String {
    variable.map_or_else(String::new, |variable| format!(" in `{variable}`"))
}
