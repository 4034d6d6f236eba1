//! TLS over a connection of ureq's, by the library that the settings select.

#[cfg(feature = "native-tls")]
mod native;
#[cfg(feature = "rustls")]
mod rustls_stream;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod secured;

use std::fmt;
#[cfg(feature = "rustls")]
use std::sync::Arc;

use point_auth_transport::{SettingsError, TlsBackend, TlsSettings};
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Transport};

/// The TLS library in use, if any.
pub(crate) enum Tls {
    #[cfg(feature = "rustls")]
    Rustls(Arc<rustls::ClientConfig>),
    #[cfg(feature = "native-tls")]
    Native(native_tls::TlsConnector),
    None,
}

impl Tls {
    pub(crate) fn new(settings: &TlsSettings) -> Result<Self, SettingsError> {
        match settings.resolved_backend_of(AVAILABLE)? {
            #[cfg(feature = "rustls")]
            Some(TlsBackend::Rustls) => {
                let mut config = settings.rustls_client_config()?;
                config.alpn_protocols = vec![b"http/1.1".to_vec()];
                Ok(Self::Rustls(Arc::new(config)))
            }
            #[cfg(feature = "native-tls")]
            Some(TlsBackend::NativeTls) => {
                // Without ALPN, a server assumes HTTP/1.1, which is what this client speaks.
                let builder = settings.native_tls_connector()?;
                builder.build().map(Self::Native).map_err(|error| SettingsError::client(&error))
            }
            _ => Ok(Self::None),
        }
    }

    /// Performs the handshake over `connection`.
    pub(crate) fn secure(
        &self,
        connection: Box<dyn Transport>,
        details: &ConnectionDetails<'_>,
    ) -> Result<Box<dyn Transport>, Error> {
        match self {
            #[cfg(feature = "rustls")]
            Self::Rustls(config) => rustls_stream::secure(Arc::clone(config), connection, details),
            #[cfg(feature = "native-tls")]
            Self::Native(connector) => native::secure(connector, connection, details),
            Self::None => {
                let _ = (connection, details);
                Err(Error::TlsRequired)
            }
        }
    }
}

/// The TLS libraries compiled into this crate. The transport crate may have more, for another
/// adapter.
const AVAILABLE: &[TlsBackend] = &[
    #[cfg(feature = "rustls")]
    TlsBackend::Rustls,
    #[cfg(feature = "native-tls")]
    TlsBackend::NativeTls,
];

/// Returns the host in the form that TLS needs: an IPv6 address without brackets.
#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn server_name<'a>(details: &ConnectionDetails<'a>) -> &'a str {
    let host = details.uri.host().unwrap_or_default();
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(feature = "rustls")]
            Self::Rustls(_) => "Rustls",
            #[cfg(feature = "native-tls")]
            Self::Native(_) => "NativeTls",
            Self::None => "None",
        })
    }
}
