//! [`Settings`]: the proxy, the trusted roots and the client identity.

use std::fmt;
use std::sync::Arc;

use curl::easy::{Easy2, Handler};
use point_auth::transport::{ProxySettings, Roots, SettingsError, TlsSettings};
use zeroize::Zeroizing;

/// The configuration of an [`Enterprise`](super::Enterprise). Cheap to clone; `Debug` shows no
/// secret.
///
/// The default is the proxy from the environment, OpenSSL's roots on this machine, and no client
/// certificate.
#[derive(Clone, Default)]
#[must_use]
pub struct Settings {
    proxy: ProxySettings,
    private_ca: Option<Arc<[u8]>>,
    identity: Option<Arc<Identity>>,
}

/// In PEM. The key is wiped when the last clone drops; libcurl makes a copy for each handle, and
/// does not wipe it.
struct Identity {
    certificates: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Settings {
    /// Creates the default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the proxy.
    pub fn with_proxy(mut self, proxy: ProxySettings) -> Self {
        self.proxy = proxy;
        self
    }

    /// Sets the only trusted root certificates, in PEM.
    pub fn with_private_ca_pem(mut self, pem: &[u8]) -> Self {
        self.private_ca = Some(pem.into());
        self
    }

    /// Sets the client certificate, for servers that ask for one.
    ///
    /// `certificates` is in PEM: the own certificate first, then the intermediate ones. The key is
    /// PKCS#8, PKCS#1 or SEC1, in PEM and without a password.
    pub fn with_identity_pem(mut self, certificates: &[u8], key: &[u8]) -> Self {
        let key = Zeroizing::new(key.to_vec());
        self.identity = Some(Arc::new(Identity { certificates: certificates.to_vec(), key }));
        self
    }

    pub(super) const fn proxy(&self) -> &ProxySettings {
        &self.proxy
    }

    /// Checks the certificates with rustls.
    ///
    /// libcurl checks nothing before it connects, and reports little then. rustls is available
    /// anyway, and its errors are those of every adapter. It supports RSA, Ed25519, P-256 and
    /// P-384. Remove this check for a key of another kind.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let mut tls = TlsSettings::new();
        if let Some(pem) = &self.private_ca {
            tls = tls.with_roots(Roots::ExtraOnly).with_extra_roots_pem(pem)?;
        }
        if let Some(identity) = &self.identity {
            tls = tls.with_identity_pem(&identity.certificates, &identity.key)?;
        }
        if self.private_ca.is_some() || self.identity.is_some() {
            tls.rustls_client_config()?;
        }
        Ok(())
    }

    pub(super) fn apply<H: Handler>(&self, easy: &mut Easy2<H>) -> Result<(), curl::Error> {
        if let Some(pem) = &self.private_ca {
            // It replaces libcurl's default file for this machine. libcurl would also use the
            // default folder, so it gets an empty one.
            easy.ssl_cainfo_blob(pem)?;
            easy.capath("/dev/null")?;
        }
        if let Some(identity) = &self.identity {
            easy.ssl_cert_type("PEM")?;
            easy.ssl_cert_blob(&identity.certificates)?;
            easy.ssl_key_type("PEM")?;
            easy.ssl_key_blob(&identity.key)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("proxy", &self.proxy)
            .field("private_ca", &self.private_ca.is_some())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}
