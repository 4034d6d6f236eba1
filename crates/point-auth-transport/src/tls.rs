//! [`TlsSettings`]: which TLS library, whom to trust, and who we are. The same for every adapter.

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

/// Which TLS library does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsBackend {
    /// rustls, with an [explicit crypto provider](crate#one-crypto-provider-in-a-build). The
    /// default where it is compiled in.
    Rustls,
    /// The operating system's own TLS: `SChannel`, Secure Transport or OpenSSL.
    NativeTls,
}

/// Whose certificates are trusted, beside the [extra roots](TlsSettings::with_extra_roots_pem).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Roots {
    /// Whom the operating system trusts.
    #[default]
    Platform,
    /// Whom Mozilla trusted when this was compiled. Needs the feature `bundled-roots`, and rustls.
    Bundled,
    /// Nobody but the extra roots.
    ExtraOnly,
}

/// How TLS is done: which library, whom to trust, and who we are.
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
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses the TLS library. Without this it is rustls where that is compiled in, and else
    /// native-tls.
    ///
    /// One that is not compiled in is refused when the transport is built.
    pub fn with_backend(mut self, backend: TlsBackend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Chooses whom to trust (default: [`Roots::Platform`]).
    pub fn with_roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Trusts these root certificates too: one or more, in PEM. What else the PEM holds is passed
    /// over.
    ///
    /// # Errors
    /// [`SettingsError::Certificate`] when there is none, or one that is no PEM. Whether each is a
    /// certificate at all shows when the transport is built.
    pub fn with_extra_roots_pem(mut self, pem: &[u8]) -> Result<Self, SettingsError> {
        let certificates = certificates(pem)
            .map_err(|reason| SettingsError::Certificate { reason, source: None })?;
        self.extra_roots.extend(certificates);
        Ok(self)
    }

    /// Trusts this root certificate too, in DER.
    ///
    /// Whether it is a certificate at all shows when the transport is built.
    pub fn with_extra_root_der(mut self, der: Vec<u8>) -> Self {
        self.extra_roots.push(CertificateDer::from(der));
        self
    }

    /// Shows this certificate to servers that ask for one (mutual TLS).
    ///
    /// `cert_chain_pem` holds our own certificate first and then those between it and the root.
    /// `key_pem` holds its private key: PKCS#8, or with rustls also PKCS#1 and SEC1. The key kept
    /// here is wiped when the last clone of the settings drops; the TLS library keeps a copy of its
    /// own for as long as the transport lives.
    ///
    /// # Errors
    /// [`SettingsError::Identity`] when either is not there or no PEM. Whether they can be used,
    /// and belong together, shows when the transport is built.
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

    /// Takes over a whole configuration: another crypto provider, FIPS, a verifier of one's own.
    ///
    /// It decides about roots and identity, so that setting those here too is refused when the
    /// transport is built. What it has for ALPN is replaced, on a clone, by what the adapter can
    /// speak.
    #[cfg(feature = "rustls")]
    pub fn with_rustls_config(mut self, config: Arc<rustls::ClientConfig>) -> Self {
        self.rustls_config = Some(config);
        self
    }

    /// The TLS library that will do the work, of those compiled into this crate; `None` if there is
    /// none.
    ///
    /// # Errors
    /// [`SettingsError::Unsupported`] when the one chosen is not compiled in.
    pub fn resolved_backend(&self) -> Result<Option<TlsBackend>, SettingsError> {
        self.resolved_backend_of(&[TlsBackend::Rustls, TlsBackend::NativeTls])
    }

    /// The TLS library that will do the work, of those in `available` that are compiled into this
    /// crate too; `None` if there is none.
    ///
    /// For adapters: another adapter in the same build may have turned on a library here that this
    /// one cannot use.
    ///
    /// # Errors
    /// [`SettingsError::Unsupported`] when the one chosen, or the one that a configuration was
    /// [given](Self::with_rustls_config) for, is not among them.
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

/// All certificates in `pem`, of which there must be at least one.
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
