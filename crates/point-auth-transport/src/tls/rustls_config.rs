//! Builds a rustls configuration with an explicit crypto provider, independent of the process
//! default.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::Verifier;

use super::{Roots, TlsSettings};
use crate::{ScrubbedError, SettingsError};

impl TlsSettings {
    /// Returns a rustls configuration for these settings, without ALPN protocols.
    ///
    /// The adapter adds its ALPN protocols. The platform's trust store is read here, so build one
    /// configuration and keep it.
    ///
    /// # Errors
    /// - [`SettingsError::Certificate`] for an extra root that is not a certificate.
    /// - [`SettingsError::Identity`] for a key that cannot be used or does not belong to its
    ///   certificate.
    /// - [`SettingsError::Roots`] when the platform has no trust store.
    /// - [`SettingsError::Unsupported`] for [`Roots::Bundled`] without the feature, for extra roots
    ///   with Android's trust store, and for roots or an identity with a configuration of the
    ///   caller's own.
    /// - [`SettingsError::NoCryptoProvider`] without such a configuration where neither the feature
    ///   `aws-lc-rs` nor `ring` is on.
    pub fn rustls_client_config(&self) -> Result<ClientConfig, SettingsError> {
        if let Some(config) = &self.rustls_config {
            // Otherwise a private root or a client certificate would be ignored without an error.
            if self.roots != Roots::default()
                || !self.extra_roots.is_empty()
                || self.identity.is_some()
            {
                return Err(SettingsError::Unsupported {
                    what: "roots or an identity with a complete rustls configuration",
                });
            }
            let mut config = ClientConfig::clone(config);
            config.alpn_protocols.clear();
            return Ok(config);
        }
        let provider = Arc::new(compiled_in()?);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| SettingsError::client(&error))?;
        let builder = self.verifying(builder, provider)?;
        match &self.identity {
            None => Ok(builder.with_no_client_auth()),
            Some(identity) => builder
                .with_client_auth_cert(identity.chain().to_vec(), identity.key().clone_key())
                .map_err(|error| SettingsError::Identity {
                    reason: "rustls refuses it",
                    source: ScrubbedError::of(&error),
                }),
        }
    }

    fn verifying(
        &self,
        builder: ConfigBuilder<ClientConfig, WantsVerifier>,
        provider: Arc<CryptoProvider>,
    ) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, SettingsError> {
        // First, so that a bad extra root is distinguished from a missing trust store.
        let mut store = RootCertStore::empty();
        for root in &self.extra_roots {
            store.add(root.clone()).map_err(|error| SettingsError::Certificate {
                reason: "an extra root is not a certificate",
                source: ScrubbedError::of(&error),
            })?;
        }
        match self.roots {
            Roots::Platform => {
                let verifier = self.platform_verifier(provider)?;
                // rustls calls any verifier that is not its own "dangerous"; this one does verify.
                return Ok(builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier)));
            }
            #[cfg(feature = "bundled-roots")]
            Roots::Bundled => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            #[cfg(not(feature = "bundled-roots"))]
            Roots::Bundled => {
                return Err(SettingsError::Unsupported {
                    what: "a bundled trust store, which is not compiled in,",
                });
            }
            Roots::ExtraOnly => {}
        }
        if store.is_empty() {
            return Err(SettingsError::Certificate {
                reason: "no root is trusted: there are no extra roots",
                source: None,
            });
        }
        Ok(builder.with_root_certificates(store))
    }

    #[cfg(not(target_os = "android"))]
    fn platform_verifier(&self, provider: Arc<CryptoProvider>) -> Result<Verifier, SettingsError> {
        Verifier::new_with_extra_roots(self.extra_roots.iter().cloned(), provider).map_err(
            |error| SettingsError::Roots {
                variable: roots_variable(),
                source: ScrubbedError::of(&error),
            },
        )
    }

    /// The interface of Android's trust store accepts no extra roots.
    #[cfg(target_os = "android")]
    fn platform_verifier(&self, provider: Arc<CryptoProvider>) -> Result<Verifier, SettingsError> {
        if !self.extra_roots.is_empty() {
            return Err(SettingsError::Unsupported {
                what: "extra roots with Android's trust store",
            });
        }
        Verifier::new(provider).map_err(|error| SettingsError::Roots {
            variable: None,
            source: ScrubbedError::of(&error),
        })
    }
}

/// Returns the environment variable that replaces the trust store, for rustls-native-certs.
#[cfg(not(target_os = "android"))]
fn roots_variable() -> Option<&'static str> {
    // Elsewhere the system's own verifier ignores these variables.
    let counts = cfg!(all(unix, not(target_vendor = "apple")));
    let set = |variable: &&str| counts && std::env::var_os(variable).is_some();
    ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find(set)
}

/// Returns the crypto provider that the features select: aws-lc-rs before ring.
fn compiled_in() -> Result<CryptoProvider, SettingsError> {
    #[cfg(feature = "aws-lc-rs")]
    let provider = Ok(rustls::crypto::aws_lc_rs::default_provider());
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    let provider = Ok(rustls::crypto::ring::default_provider());
    #[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
    let provider = Err(SettingsError::NoCryptoProvider);
    provider
}
