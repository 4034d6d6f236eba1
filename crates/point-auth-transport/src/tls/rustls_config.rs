//! A rustls configuration with a crypto provider of its own, whatever the process default is or
//! whether there is one.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::Verifier;

use super::{Roots, TlsSettings};
use crate::{ScrubbedError, SettingsError};

impl TlsSettings {
    /// The rustls configuration that these settings describe, without any ALPN protocol: the
    /// adapter adds what it speaks.
    ///
    /// The platform's trust store is read here, so build one configuration and keep it.
    ///
    /// # Errors
    /// [`SettingsError::Certificate`] for an extra root that is no certificate,
    /// [`SettingsError::Identity`] for a key that cannot be used or does not belong to its
    /// certificate, [`SettingsError::Roots`] when the platform has no trust store, and
    /// [`SettingsError::Unsupported`] for [`Roots::Bundled`] without the feature, for extra roots
    /// beside Android's trust store, and for roots or an identity beside a configuration of the
    /// caller's own. [`SettingsError::NoCryptoProvider`] without such a configuration where neither
    /// the feature `aws-lc-rs` nor `ring` is on.
    pub fn rustls_client_config(&self) -> Result<ClientConfig, SettingsError> {
        if let Some(config) = &self.rustls_config {
            // Silence would leave somebody's private root or client certificate out.
            if self.roots != Roots::default()
                || !self.extra_roots.is_empty()
                || self.identity.is_some()
            {
                return Err(SettingsError::Unsupported {
                    what: "roots or an identity beside a rustls configuration of one's own",
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
        // First, so that a bad extra root is told from a missing trust store.
        let mut store = RootCertStore::empty();
        for root in &self.extra_roots {
            store.add(root.clone()).map_err(|error| SettingsError::Certificate {
                reason: "an extra root is no certificate",
                source: ScrubbedError::of(&error),
            })?;
        }
        match self.roots {
            Roots::Platform => {
                let verifier = self.platform_verifier(provider)?;
                // "Dangerous" is what rustls calls any verifier that is not its own; this one
                // verifies.
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
                reason: "nobody is trusted: there are no extra roots",
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

    /// Android's trust store is behind an interface that takes no more roots.
    #[cfg(target_os = "android")]
    fn platform_verifier(&self, provider: Arc<CryptoProvider>) -> Result<Verifier, SettingsError> {
        if !self.extra_roots.is_empty() {
            return Err(SettingsError::Unsupported {
                what: "extra roots beside Android's trust store",
            });
        }
        Verifier::new(provider).map_err(|error| SettingsError::Roots {
            variable: None,
            source: ScrubbedError::of(&error),
        })
    }
}

/// The variable that takes the place of the trust store, for rustls-native-certs.
#[cfg(not(target_os = "android"))]
fn roots_variable() -> Option<&'static str> {
    // The verifier reads them where the system has no verifier of its own.
    let counts = cfg!(all(unix, not(target_vendor = "apple")));
    let set = |variable: &&str| counts && std::env::var_os(variable).is_some();
    ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find(set)
}

/// The crypto provider that the features choose: aws-lc-rs before ring.
fn compiled_in() -> Result<CryptoProvider, SettingsError> {
    #[cfg(feature = "aws-lc-rs")]
    let provider = Ok(rustls::crypto::aws_lc_rs::default_provider());
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    let provider = Ok(rustls::crypto::ring::default_provider());
    #[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
    let provider = Err(SettingsError::NoCryptoProvider);
    provider
}
