//! [`SettingsError`]: why a transport cannot be built from its settings.

use std::error::Error;

use crate::ScrubbedError;

/// Why settings are refused, or no transport can be built from them.
///
/// Nothing secret is in it: no URL, no user name or password of a proxy, no key, and no value of an
/// environment variable. The name of the variable that a bad value came from is in it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The proxy has another scheme than `http`.
    ///
    /// Only proxies that are themselves spoken to in plain HTTP are supported (and through them,
    /// with `CONNECT`, TLS).
    #[error("the proxy{} has the scheme `{scheme}`, only `http` is supported", named_in(*variable))]
    ProxyScheme {
        /// The scheme, in lower case, and nothing else of the URL.
        scheme: String,
        /// The environment variable that the URL came from, if it came from one.
        variable: Option<&'static str>,
    },

    /// The URL of a proxy cannot be understood.
    #[error("the proxy URL{} is not valid: {reason}", named_in(*variable))]
    ProxyUrl {
        /// What is wrong with it.
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
        /// What is wrong with them.
        reason: &'static str,
        /// What the TLS library says.
        source: Option<ScrubbedError>,
    },

    /// The client's own certificate or its key cannot be used, or they do not belong together.
    #[error("the client identity cannot be used: {reason}")]
    Identity {
        /// What is wrong with it.
        reason: &'static str,
        /// What the TLS library says.
        source: Option<ScrubbedError>,
    },

    /// The platform's root certificates cannot be loaded.
    #[error("the platform's root certificates{} cannot be loaded", named_in(*variable))]
    Roots {
        /// The environment variable that says where they are, if one does.
        variable: Option<&'static str>,
        /// What the TLS library says.
        source: Option<ScrubbedError>,
    },

    /// rustls is compiled in without a crypto provider, and the settings bring none.
    ///
    /// The feature `aws-lc-rs` or `ring` compiles one in. A configuration given to
    /// [`TlsSettings::with_rustls_config`](crate::TlsSettings::with_rustls_config) has its own.
    #[error("rustls has no crypto provider: neither the feature `aws-lc-rs` nor `ring` is on")]
    NoCryptoProvider,

    /// What was asked for is not compiled in, or the chosen library cannot do it.
    #[error("{what} is not supported here")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },

    /// The HTTP client or the TLS library refuses to start.
    #[error("the HTTP client cannot be built")]
    Client {
        /// What it says, where that is known to be harmless.
        source: Option<ScrubbedError>,
    },
}

impl SettingsError {
    /// For adapters: the HTTP client could not be built. Of `error` only what is harmless is kept.
    pub fn client(error: &(dyn Error + 'static)) -> Self {
        Self::Client { source: ScrubbedError::of(error) }
    }
}

fn named_in(variable: Option<&'static str>) -> String {
    variable.map_or_else(String::new, |variable| format!(" in `{variable}`"))
}
