//! Builds a native-tls connector from the TLS settings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use native_tls::{Certificate, Identity, Protocol, TlsConnector, TlsConnectorBuilder};
use rustls_pki_types::PrivateKeyDer;
use zeroize::Zeroizing;

use super::{Roots, TlsSettings};
use crate::{ScrubbedError, SettingsError};

impl TlsSettings {
    /// Returns a native-tls connector for these settings, with TLS 1.2 or later and without ALPN.
    ///
    /// The adapter adds its ALPN protocols and calls `build`.
    ///
    /// # Errors
    /// [`SettingsError::Certificate`] for an extra root that is not a certificate,
    /// [`SettingsError::Identity`] for a key that is not PKCS#8 or cannot be used, and
    /// [`SettingsError::Unsupported`] for [`Roots::Bundled`].
    pub fn native_tls_connector(&self) -> Result<TlsConnectorBuilder, SettingsError> {
        let mut builder = TlsConnector::builder();
        builder.min_protocol_version(Some(Protocol::Tlsv12));
        match self.roots {
            Roots::Platform => {}
            Roots::Bundled => {
                return Err(SettingsError::Unsupported {
                    what: "a bundled trust store with native-tls",
                });
            }
            Roots::ExtraOnly if self.extra_roots.is_empty() => {
                return Err(SettingsError::Certificate {
                    reason: "no root is trusted: there are no extra roots",
                    source: None,
                });
            }
            Roots::ExtraOnly => {
                builder.disable_built_in_roots(true);
            }
        }
        for root in &self.extra_roots {
            let root = Certificate::from_der(root).map_err(|error| SettingsError::Certificate {
                reason: "an extra root is not a certificate",
                source: ScrubbedError::of(&error),
            })?;
            builder.add_root_certificate(root);
        }
        if let Some(identity) = self.identity()? {
            builder.identity(identity);
        }
        Ok(builder)
    }

    fn identity(&self) -> Result<Option<Identity>, SettingsError> {
        let Some(identity) = &self.identity else { return Ok(None) };
        let PrivateKeyDer::Pkcs8(key) = identity.key() else {
            return Err(SettingsError::Identity {
                reason: "native-tls needs a PKCS#8 key",
                source: None,
            });
        };
        let chain: String = identity
            .chain()
            .iter()
            .map(|certificate| to_pem("CERTIFICATE", certificate).as_str().to_owned())
            .collect();
        let key = to_pem("PRIVATE KEY", key.secret_pkcs8_der());
        Identity::from_pkcs8(chain.as_bytes(), key.as_bytes()).map(Some).map_err(|error| {
            SettingsError::Identity {
                reason: "native-tls refuses it",
                source: ScrubbedError::of(&error),
            }
        })
    }
}

/// Encodes DER as PEM, the only form that native-tls accepts. The text is wiped, since it may hold
/// the key.
fn to_pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    // Base64 has four characters for three bytes, then line ends and the two marker lines.
    let mut pem =
        Zeroizing::new(String::with_capacity(der.len().saturating_mul(2).saturating_add(128)));
    pem.push_str("-----BEGIN ");
    pem.push_str(label);
    pem.push_str("-----\n");
    // 48 bytes become a line of 64 characters.
    for line in der.chunks(48) {
        STANDARD.encode_string(line, &mut pem);
        pem.push('\n');
    }
    pem.push_str("-----END ");
    pem.push_str(label);
    pem.push_str("-----\n");
    pem
}
