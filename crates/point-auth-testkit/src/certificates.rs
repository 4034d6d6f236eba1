//! A certificate authority for one test run: made when asked for, kept in memory, worth nothing
//! anywhere else.

use std::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

use crate::Error;

/// When an issued certificate may be used, seen from the moment it is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Validity {
    /// From a day ago until thirty days from now.
    #[default]
    Current,
    /// It ended yesterday.
    Expired,
    /// It begins tomorrow.
    NotYetValid,
}

impl Validity {
    fn bounds(self) -> (OffsetDateTime, OffsetDateTime) {
        let now = OffsetDateTime::now_utc();
        let days = |days| now.saturating_add(Duration::days(days));
        match self {
            Self::Current => (days(-1), days(30)),
            Self::Expired => (days(-30), days(-1)),
            Self::NotYetValid => (days(1), days(30)),
        }
    }
}

/// A throw-away certificate authority (ECDSA P-256).
///
/// Its root certificate is what a client under test is told to trust; nothing else on the machine
/// does.
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

impl CertificateAuthority {
    /// Makes a new authority with a new key.
    ///
    /// # Errors
    /// [`Error::Certificate`] if the system's random number generator fails.
    pub fn new() -> Result<Self, Error> {
        let key = KeyPair::generate().map_err(Error::certificate)?;
        let mut params =
            params("point-auth-testkit throw-away root", Vec::new(), Validity::Current)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(Error::certificate)?;
        Ok(Self {
            pem: certificate.pem(),
            der: certificate.into(),
            issuer: Issuer::new(params, key),
        })
    }

    /// The root certificate in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The root certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Issues a server certificate for `names` (host names and IP addresses), valid now.
    ///
    /// # Errors
    /// [`Error::Certificate`] if a name is not ASCII.
    pub fn issue<I>(&self, names: I) -> Result<IssuedCertificate, Error>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.issue_with_validity(names, Validity::Current)
    }

    /// Issues a server certificate for `names` whose time is chosen.
    ///
    /// # Errors
    /// As [`issue`](Self::issue).
    pub fn issue_with_validity<I>(
        &self,
        names: I,
        validity: Validity,
    ) -> Result<IssuedCertificate, Error>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let names = names.into_iter().map(Into::into).collect();
        self.sign(leaf(names, validity, ExtendedKeyUsagePurpose::ServerAuth)?)
    }

    /// Issues a client certificate for mutual TLS, valid now.
    ///
    /// # Errors
    /// [`Error::Certificate`] if a key cannot be made.
    pub fn issue_client(&self, name: &str) -> Result<IssuedCertificate, Error> {
        let mut params = params(name, Vec::new(), Validity::Current)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Result<IssuedCertificate, Error> {
        let key = KeyPair::generate().map_err(Error::certificate)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(Error::certificate)?;
        Ok(IssuedCertificate::new(&certificate, &key))
    }

    /// A server certificate that signed itself, so that no authority vouches for it.
    pub(crate) fn self_signed(names: Vec<String>) -> Result<IssuedCertificate, Error> {
        let key = KeyPair::generate().map_err(Error::certificate)?;
        let mut params = leaf(names, Validity::Current, ExtendedKeyUsagePurpose::ServerAuth)?;
        params.use_authority_key_identifier_extension = false;
        let certificate = params.self_signed(&key).map_err(Error::certificate)?;
        Ok(IssuedCertificate::new(&certificate, &key))
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAuthority").finish_non_exhaustive()
    }
}

/// A certificate and its private key, as an authority issued them.
pub struct IssuedCertificate {
    certificate_pem: String,
    certificate_der: CertificateDer<'static>,
    key_pem: String,
    key_der: Vec<u8>,
}

impl IssuedCertificate {
    fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            certificate_pem: certificate.pem(),
            certificate_der: certificate.der().clone(),
            key_pem: key.serialize_pem(),
            key_der: key.serialize_der(),
        }
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The certificate in DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate_der
    }

    /// The private key in PEM (PKCS #8).
    #[must_use]
    pub fn private_key_pem(&self) -> &str {
        &self.key_pem
    }

    /// The private key in DER (PKCS #8).
    #[must_use]
    pub fn private_key_der(&self) -> &[u8] {
        &self.key_der
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate_der.clone()]
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key_der.clone()).into()
    }
}

impl fmt::Debug for IssuedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedCertificate").finish_non_exhaustive()
    }
}

fn leaf(
    names: Vec<String>,
    validity: Validity,
    usage: ExtendedKeyUsagePurpose,
) -> Result<CertificateParams, Error> {
    let mut params = params("point-auth-testkit server", names, validity)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    Ok(params)
}

fn params(
    common_name: &str,
    names: Vec<String>,
    validity: Validity,
) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(names).map_err(Error::certificate)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    (params.not_before, params.not_after) = validity.bounds();
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
