//! [`TlsSettings`]: TLS library, trusted roots and client identity, for every adapter.

mod identity;
#[cfg(feature = "native-tls")]
mod native;
#[cfg(feature = "rustls")]
mod rustls_config;

use std::fmt;
#[cfg(feature = "rustls")]
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use self::identity::Identity;
use crate::SettingsError;

/// The TLS library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsBackend {
    /// rustls, with an [explicit crypto provider](crate#one-crypto-provider-in-a-build). The
    /// default where it is compiled in.
    Rustls,
    /// The operating system's own TLS: `SChannel`, Secure Transport or OpenSSL.
    NativeTls,
}

/// The trusted roots, in addition to the [extra roots](TlsSettings::with_extra_roots_pem).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Roots {
    /// The roots that the operating system trusts.
    #[default]
    Platform,
    /// The roots that Mozilla trusted at build time. Needs the feature `bundled-roots`, and rustls.
    Bundled,
    /// Only the extra roots.
    ExtraOnly,
}

/// TLS configuration: library, trusted roots and client identity.
///
/// The default is rustls (or native-tls where only that is compiled in), the platform's trust
/// store, TLS 1.2 or 1.3, and no client certificate. `Debug` shows neither certificates nor the
/// key.
#[derive(Clone, Default)]
#[must_use]
pub struct TlsSettings {
    backend: Option<TlsBackend>,
    roots: Roots,
    extra_roots: Vec<CertificateDer<'static>>,
    identity: Option<Identity>,
    #[cfg(feature = "rustls")]
    rustls_config: Option<Arc<rustls::ClientConfig>>,
}

impl TlsSettings {
    /// Creates the default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the TLS library (default: rustls where it is compiled in, otherwise native-tls).
    ///
    /// Building the transport fails if the library is not compiled in.
    pub fn with_backend(mut self, backend: TlsBackend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Sets the trusted roots (default: [`Roots::Platform`]).
    pub fn with_roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Adds one or more trusted root certificates, in PEM. Other PEM sections are ignored.
    ///
    /// # Errors
    /// [`SettingsError::Certificate`] when there is no certificate, or the text is not PEM. The
    /// certificates themselves are checked when the transport is built.
    pub fn with_extra_roots_pem(mut self, pem: &[u8]) -> Result<Self, SettingsError> {
        let certificates = certificates(pem)
            .map_err(|reason| SettingsError::Certificate { reason, source: None })?;
        self.extra_roots.extend(certificates);
        Ok(self)
    }

    /// Adds a trusted root certificate, in DER.
    ///
    /// The certificate is checked when the transport is built.
    pub fn with_extra_root_der(mut self, der: Vec<u8>) -> Self {
        self.extra_roots.push(CertificateDer::from(der));
        self
    }

    /// Sets the client certificate, for servers that ask for one (mutual TLS).
    ///
    /// `cert_chain_pem` holds the client's own certificate first, then the intermediate
    /// certificates. `key_pem` holds its private key: PKCS#8, or with rustls also PKCS#1 and SEC1.
    /// The key kept here is wiped when the last clone of the settings drops. The TLS library keeps
    /// a copy of its own for as long as the transport lives.
    ///
    /// # Errors
    /// [`SettingsError::Identity`] when either is missing or is not PEM. The transport checks when
    /// it is built whether they can be used and belong together.
    pub fn with_identity_pem(
        mut self,
        cert_chain_pem: &[u8],
        key_pem: &[u8],
    ) -> Result<Self, SettingsError> {
        let chain = certificates(cert_chain_pem)
            .map_err(|reason| SettingsError::Identity { reason, source: None })?;
        self.identity = Some(Identity::new(chain, key_pem)?);
        Ok(self)
    }

    /// Sets a complete rustls configuration: another crypto provider, FIPS, a custom verifier.
    ///
    /// It determines roots and identity, so building the transport fails if those are set here too.
    /// The adapter sets ALPN on a clone of it.
    #[cfg(feature = "rustls")]
    pub fn with_rustls_config(mut self, config: Arc<rustls::ClientConfig>) -> Self {
        self.rustls_config = Some(config);
        self
    }

    /// Returns the TLS library in use, of those compiled into this crate; `None` if there is none.
    ///
    /// # Errors
    /// [`SettingsError::Unsupported`] when the chosen library is not compiled in.
    pub fn resolved_backend(&self) -> Result<Option<TlsBackend>, SettingsError> {
        self.resolved_backend_of(&[TlsBackend::Rustls, TlsBackend::NativeTls])
    }

    /// Returns the TLS library in use, of those in `available` that are also compiled into this
    /// crate.
    ///
    /// Returns `None` if there is none. This is for adapters: another adapter in the build may have
    /// enabled a library that this one cannot use.
    ///
    /// # Errors
    /// [`SettingsError::Unsupported`] when the chosen library, or the one of a
    /// [configuration](Self::with_rustls_config), is not among them.
    pub fn resolved_backend_of(
        &self,
        available: &[TlsBackend],
    ) -> Result<Option<TlsBackend>, SettingsError> {
        let has = |backend| is_compiled_in(backend) && available.contains(&backend);
        let own_config = self.has_rustls_config();
        match self.backend {
            Some(TlsBackend::NativeTls) if own_config => {
                Err(SettingsError::Unsupported { what: "a rustls configuration with native-tls" })
            }
            Some(backend) if has(backend) => Ok(Some(backend)),
            Some(TlsBackend::NativeTls) => {
                Err(SettingsError::Unsupported { what: "native-tls, which is not compiled in," })
            }
            None if has(TlsBackend::Rustls) => Ok(Some(TlsBackend::Rustls)),
            None if !own_config => Ok(has(TlsBackend::NativeTls).then_some(TlsBackend::NativeTls)),
            Some(TlsBackend::Rustls) | None => {
                Err(SettingsError::Unsupported { what: "rustls, which is not compiled in," })
            }
        }
    }

    #[cfg(feature = "rustls")]
    fn has_rustls_config(&self) -> bool {
        self.rustls_config.is_some()
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_self, reason = "with the feature it is used")]
    fn has_rustls_config(&self) -> bool {
        false
    }
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings")
            .field("backend", &self.backend)
            .field("roots", &self.roots)
            .field("extra_roots", &self.extra_roots.len())
            .field("identity", &self.identity.is_some())
            .field("own_rustls_config", &self.has_rustls_config())
            .finish()
    }
}

const fn is_compiled_in(backend: TlsBackend) -> bool {
    match backend {
        TlsBackend::Rustls => cfg!(feature = "rustls"),
        TlsBackend::NativeTls => cfg!(feature = "native-tls"),
    }
}

/// Returns all certificates in `pem`, at least one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        // The parser's own error quotes its input.
        .map_err(|_| "this is not PEM")?;
    if certificates.is_empty() {
        Err("there is no certificate in the PEM")
    } else {
        Ok(certificates)
    }
}
