//! [`Identity`]: the client certificate, and its private key in memory that is wiped.

use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::SettingsError;

/// The client certificate with its chain, and its private key. Deliberately without `Debug`.
#[derive(Clone)]
#[cfg_attr(
    not(any(feature = "rustls", feature = "native-tls")),
    expect(dead_code, reason = "nothing can use it")
)]
pub(super) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<Zeroizing<PrivateKeyDer<'static>>>,
}

impl Identity {
    pub(super) fn new(
        chain: Vec<CertificateDer<'static>>,
        key_pem: &[u8],
    ) -> Result<Self, SettingsError> {
        let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| {
            // The parser's own error quotes its input.
            SettingsError::Identity { reason: "there is no private key in the PEM", source: None }
        })?;
        Ok(Self { chain, key: Arc::new(Zeroizing::new(key)) })
    }

    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub(super) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub(super) fn key(&self) -> &PrivateKeyDer<'static> {
        &self.key
    }
}
