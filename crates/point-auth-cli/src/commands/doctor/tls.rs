//! TLS: the handshake, and the names and ends of the certificates.

use std::io;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use point_auth::operation::printable;
use point_auth::transport::TlsSettings;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::report::Finding;
use super::route::Route;
use crate::failure::{Exit, Failure, Result, chain};
use crate::output;

/// A certificate that ends sooner deserves attention.
const SOON: Duration = Duration::from_secs(14 * DAY.as_secs());

/// More is not shown of what a server says of itself.
const MOST_CHARS: usize = 1000;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The server to speak TLS with.
pub(super) struct Target<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) route: &'a Route,
    pub(super) limit: Duration,
}

/// Performs the handshake over `stream`. If it fails, `again` connects once more to see what
/// certificates the server shows.
pub(super) fn examine(
    settings: &TlsSettings,
    target: &Target<'_>,
    stream: TcpStream,
    again: impl FnOnce() -> Result<TcpStream>,
) -> Result<Finding> {
    let config = settings.rustls_client_config();
    let config = Arc::new(config.map_err(|error| Failure::other("settings", &error))?);
    let error = match handshake(Arc::clone(&config), target, stream)? {
        Ok(connection) => return Ok(told(&connection)),
        Err(error) => error,
    };
    let shown = again().and_then(|stream| shown(&config, target, stream)).unwrap_or_default();
    let certificates = match shown.is_empty() {
        true => String::new(),
        false => format!("; the server shows {}", describe(&shown)),
    };
    let message = format!("{}{certificates}", chain(&error));
    Err(Failure::new(Exit::Other, "tls", message).with_hint(advice(&error)))
}

fn advice(error: &io::Error) -> &'static str {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(reason)) => match reason {
            rustls::CertificateError::Expired | rustls::CertificateError::ExpiredContext { .. } => {
                "the server needs a new certificate; check this machine's clock as well"
            }
            rustls::CertificateError::NotValidForName
            | rustls::CertificateError::NotValidForNameContext { .. } => {
                "check the host in base_url"
            }
            _ => "if the authority is to be trusted, set tls.ca_file to its certificate",
        },
        Some(Error::AlertReceived(_)) => {
            "the server refuses; it may want a client certificate: tls.certificate_file"
        }
        _ => "check that the port speaks TLS, and that no gateway is in between",
    }
}

/// The outer error is of the way to the server, the inner one of TLS.
fn handshake(
    config: Arc<ClientConfig>,
    target: &Target<'_>,
    mut stream: TcpStream,
) -> Result<io::Result<ClientConnection>> {
    target.route.tunnel(&mut stream, target.host, target.port)?;
    let host = target.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host)
        .map_err(|_| Failure::usage(format!("{} is no name for a certificate", target.host)))?;
    let mut connection = match ClientConnection::new(config, name) {
        Ok(connection) => connection,
        Err(error) => return Ok(Err(io::Error::other(error))),
    };
    let started = std::time::Instant::now();
    while connection.is_handshaking() {
        // Each read has a limit of its own, so that a slow server could take any time.
        if started.elapsed() > target.limit {
            return Ok(Err(io::ErrorKind::TimedOut.into()));
        }
        if let Err(error) = connection.complete_io(&mut stream) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(connection))
}

fn told(connection: &ClientConnection) -> Finding {
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS",
    };
    let chain = connection.peer_certificates().unwrap_or_default();
    let detail = format!("{version}, {}", describe(chain));
    let ends = chain.iter().filter_map(|der| X509Certificate::from_der(der).ok());
    let first = ends.filter_map(|(_, certificate)| left(&certificate)).min();
    match first {
        Some(left) if left < SOON => {
            Finding::warning(detail).with_fix("a certificate ends soon: the server needs a new one")
        }
        _ => Finding::ok(detail),
    }
}

/// How long a certificate is good. `None`: it has expired.
fn left(certificate: &X509Certificate<'_>) -> Option<Duration> {
    let left = certificate.validity().time_to_expiration()?;
    u64::try_from(left.whole_seconds()).ok().map(Duration::from_secs)
}

/// Names and ends, the server's own certificate first.
fn describe(chain: &[CertificateDer<'_>]) -> String {
    let each = chain.iter().map(|der| match X509Certificate::from_der(der) {
        Err(_) => "a certificate that cannot be read".to_owned(),
        Ok((_, certificate)) => {
            let end = match left(&certificate) {
                Some(left) if left < DAY => format!("for {}", output::duration(left)),
                Some(left) => format!("for {} days", left.as_secs() / DAY.as_secs()),
                None => "expired".to_owned(),
            };
            format!("{} by {} ({end})", names(&certificate), certificate.issuer())
        }
    });
    // The server chooses these names.
    printable(&each.collect::<Vec<_>>().join("; "), MOST_CHARS, &[])
}

fn names(certificate: &X509Certificate<'_>) -> String {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.iter().flat_map(|extension| &extension.value.general_names);
    let names: Vec<String> = names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect();
    match names.is_empty() {
        true => certificate.subject().to_string(),
        false => names.join(", "),
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(four).to_string());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string())
}

/// The certificates that the server shows. The connection is given up with them.
fn shown(
    config: &ClientConfig,
    target: &Target<'_>,
    stream: TcpStream,
) -> Result<Vec<CertificateDer<'static>>> {
    let provider = Arc::clone(config.crypto_provider());
    let onlooker = Arc::new(Onlooker { provider: Arc::clone(&provider), seen: Mutex::default() });
    let failed = |error: Error| Failure::other("tls", &error);
    let looking = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<Onlooker>::clone(&onlooker))
        .with_no_client_auth();
    // It always fails, once the certificates were seen.
    let _is_refused = handshake(Arc::new(looking), target, stream)?;
    let seen = onlooker.seen.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(seen.clone())
}

/// Sees the certificates and trusts none, so that nothing is ever sent to such a server.
#[derive(Debug)]
struct Onlooker {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Onlooker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(end_entity.clone().into_owned());
        seen.extend(intermediates.iter().map(|one| one.clone().into_owned()));
        Err(Error::General("only looked at".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only looked at".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only looked at".to_owned()))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
