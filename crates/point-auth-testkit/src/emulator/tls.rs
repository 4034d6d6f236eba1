//! The emulator's TLS: certificates good and bad, and the check of the client's.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::HttpVersions;
use crate::{CertificateAuthority, Error, IssuedCertificate, Validity, crypto};

/// Which certificate an emulator with TLS shows.
///
/// All but `Valid` are to be refused by a client that trusts
/// [`Emulator::ca_pem`](crate::Emulator::ca_pem).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Certificate {
    /// Issued by the emulator's authority for `127.0.0.1`, `::1`, `localhost` and the names that
    /// were added, valid now.
    #[default]
    Valid,
    /// As `Valid`, but its time ended yesterday.
    Expired,
    /// As `Valid`, but its time begins tomorrow.
    NotYetValid,
    /// As `Valid`, but for `wrong-host.test` only.
    WrongHost,
    /// Signed by its own key.
    SelfSigned,
    /// As `Valid`, but issued by another authority.
    UnknownCa,
    /// As `Valid`, but the server has another key than the certificate's, so that it cannot sign
    /// the handshake. Anyone can show such a certificate, since certificates are public.
    OtherKey,
}

/// Which version of TLS an emulator speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "conformance"), expect(dead_code, reason = "for the conformance suite"))]
pub(crate) enum TlsVersion {
    Tls12,
    Tls13,
}

pub(super) struct TlsSettings {
    pub(super) certificate: Certificate,
    pub(super) host_names: Vec<String>,
    pub(super) requires_client_certificate: bool,
    pub(super) versions: HttpVersions,
    /// Both without.
    pub(super) version: Option<TlsVersion>,
    pub(super) takes_early_data: bool,
}

/// What a client may send before the handshake is over (RFC 8446, section 4.2.10).
const MAX_EARLY_BYTES: u32 = 16 * 1024;

impl TlsSettings {
    pub(super) fn acceptor(&self, authority: &CertificateAuthority) -> Result<TlsAcceptor, Error> {
        let issued = self.issue(authority)?;
        let provider = Arc::new(crypto::provider());
        let key_provider = provider.key_provider;
        let versions: &[_] = match self.version {
            None => rustls::DEFAULT_VERSIONS,
            Some(TlsVersion::Tls12) => &[&rustls::version::TLS12],
            Some(TlsVersion::Tls13) => &[&rustls::version::TLS13],
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(Error::tls)?;
        let builder = if self.requires_client_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from(authority.der().to_vec())).map_err(Error::tls)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(Error::tls)?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let key = match self.certificate {
            Certificate::OtherKey => self.issue(authority)?.key(),
            _ => issued.key(),
        };
        let key = key_provider.load_private_key(key).map_err(Error::tls)?;
        // Not `with_single_cert`, which refuses the key of another certificate.
        let certified = CertifiedKey::new(issued.chain(), key);
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        if self.takes_early_data {
            config.max_early_data_size = MAX_EARLY_BYTES;
        }
        config.alpn_protocols = match self.versions {
            HttpVersions::Both => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            HttpVersions::Http1Only => vec![b"http/1.1".to_vec()],
            HttpVersions::Http2Only => vec![b"h2".to_vec()],
        };
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn issue(&self, authority: &CertificateAuthority) -> Result<IssuedCertificate, Error> {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        names.extend(self.host_names.iter().cloned());
        match self.certificate {
            Certificate::Valid | Certificate::OtherKey => authority.issue(names),
            Certificate::Expired => authority.issue_with_validity(names, Validity::Expired),
            Certificate::NotYetValid => authority.issue_with_validity(names, Validity::NotYetValid),
            Certificate::WrongHost => authority.issue(["wrong-host.test"]),
            Certificate::SelfSigned => CertificateAuthority::self_signed(names),
            Certificate::UnknownCa => CertificateAuthority::new()?.issue(names),
        }
    }
}
