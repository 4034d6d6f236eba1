//! [`Settings`]: the proxy, whom to trust, and who we are.

use std::fmt;
use std::sync::Arc;

use curl::easy::{Easy2, Handler};
use point_auth::transport::{ProxySettings, Roots, SettingsError, TlsSettings};
use zeroize::Zeroizing;

/// What an [`Enterprise`](super::Enterprise) is made from. Cheap to clone; `Debug` shows nothing
/// secret.
///
/// The default is the proxy that the environment names, whom OpenSSL trusts on this machine, and no
/// client certificate.
#[derive(Clone, Default)]
#[must_use]
pub struct Settings {
    proxy: ProxySettings,
    private_ca: Option<Arc<[u8]>>,
    identity: Option<Arc<Identity>>,
}

/// In PEM. The key is wiped when the last clone drops; libcurl makes a copy for each handle, and
/// does not.
struct Identity {
    certificates: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Settings {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the proxy.
    pub fn with_proxy(mut self, proxy: ProxySettings) -> Self {
        self.proxy = proxy;
        self
    }

    /// Trusts these root certificates, in PEM, and no others.
    pub fn with_private_ca_pem(mut self, pem: &[u8]) -> Self {
        self.private_ca = Some(pem.into());
        self
    }

    /// Shows this certificate to servers that ask for one: in PEM, our own first, then those
    /// between it and the root. The key is PKCS#8, PKCS#1 or SEC1, in PEM and without a password.
    pub fn with_identity_pem(mut self, certificates: &[u8], key: &[u8]) -> Self {
        let key = Zeroizing::new(key.to_vec());
        self.identity = Some(Arc::new(Identity { certificates: certificates.to_vec(), key }));
        self
    }

    pub(super) const fn proxy(&self) -> &ProxySettings {
        &self.proxy
    }

    /// libcurl looks at none of this before it connects, and says little then. So rustls, which is
    /// here anyway, is asked to make something of it, and what it says is what every adapter says.
    ///
    /// It knows RSA, Ed25519, P-256 and P-384. Leave this out for a key of another kind.
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
            // It takes the place of the file that libcurl has for this machine. The folder is taken
            // beside it, so it gets one in which there is nothing.
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
