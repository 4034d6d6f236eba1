//! TLS with certificates good and bad, and mutual TLS.

use std::io::{self, Write};

use point_auth_testkit::{Certificate, CertificateAuthority, Emulator, HttpVersions, Operation};
use rustls::{CertificateError, ClientConfig, Error};

use crate::client::{
    Client, PASSWORD, PATIENCE, USER, tls, tls_emulator, trusting, trusting_with_identity,
};

fn refusal(error: &io::Error) -> &Error {
    error.get_ref().and_then(|error| error.downcast_ref()).unwrap()
}

/// What a client that trusts the emulator's authority says to this certificate.
fn refused(certificate: Certificate) -> Error {
    let emulator = Emulator::builder().tls(certificate).start().unwrap();
    let mut stream = tls(emulator.addr(), trusting(emulator.ca_der()), "localhost");
    let error = stream.write_all(b"secret").unwrap_err();
    drop(stream);
    assert!(emulator.wait_for_closed_connections(1, PATIENCE));
    assert_eq!((emulator.tls_handshakes(), emulator.failed_tls_handshakes()), (0, 1));
    assert_eq!(emulator.bytes_received(), 0);
    refusal(&error).clone()
}

#[test]
fn a_valid_certificate_is_good_for_loopback_and_the_names_that_were_added() {
    let emulator = Emulator::builder()
        .user(USER, PASSWORD)
        .with_tls()
        .host_name("api.example.test")
        .start()
        .unwrap();
    for name in ["localhost", "127.0.0.1", "::1", "api.example.test"] {
        let answer = Client::tls(emulator.addr(), trusting(emulator.ca_der()), name).sign_in();
        assert_eq!(answer.status, 200, "{name}");
    }
    assert_eq!(emulator.tls_handshakes(), 4);
    assert_eq!(emulator.requests()[3].server_name(), Some("api.example.test"));
    assert!(emulator.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
}

#[test]
fn bytes_are_counted_inside_tls() {
    let emulator = tls_emulator();
    let mut client = Client::of(&emulator);
    client.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    client.response();
    assert_eq!(emulator.bytes_received(), 27);
}

#[test]
fn an_expired_certificate_is_expired() {
    let error = refused(Certificate::Expired);
    let is_expired = matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
        )
    );
    assert!(is_expired, "{error}");
}

#[test]
fn a_certificate_of_tomorrow_is_not_yet_valid() {
    let error = refused(Certificate::NotYetValid);
    let is_early = matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }
        )
    );
    assert!(is_early, "{error}");
}

#[test]
fn a_certificate_for_another_host_is_just_that() {
    let error = refused(Certificate::WrongHost);
    let is_for_another = matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        )
    );
    assert!(is_for_another, "{error}");
}

#[test]
fn a_self_signed_certificate_and_an_unknown_authority_are_not_trusted() {
    for certificate in [Certificate::SelfSigned, Certificate::UnknownCa] {
        let error = refused(certificate);
        let is_unknown = matches!(
            error,
            Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature
            )
        );
        assert!(is_unknown, "{error}");
    }
}

#[test]
fn every_emulator_has_an_authority_of_its_own() {
    let (one, other) = (tls_emulator(), tls_emulator());
    let mut stream = tls(one.addr(), trusting(other.ca_der()), "localhost");
    assert!(stream.write_all(b"secret").is_err());
}

#[test]
fn mutual_tls_lets_in_who_has_a_certificate_of_the_emulators_authority() {
    let emulator = Emulator::builder()
        .user(USER, PASSWORD)
        .with_tls()
        .require_client_certificate()
        .start()
        .unwrap();
    let identity = emulator.authority().issue_client("a client").unwrap();
    let config = trusting_with_identity(emulator.ca_der(), &identity);
    assert_eq!(Client::tls(emulator.addr(), config, "localhost").sign_in().status, 200);
    assert_eq!(emulator.requests()[0].client_certificate(), Some(identity.certificate_der()));
    assert!(identity.certificate_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(identity.private_key_pem().starts_with("-----BEGIN PRIVATE KEY-----"));
    assert!(!format!("{identity:?}").contains("PRIVATE"));
}

#[test]
fn mutual_tls_keeps_everybody_else_out_and_says_why() {
    let emulator = Emulator::builder()
        .user(USER, PASSWORD)
        .with_tls()
        .require_client_certificate()
        .start()
        .unwrap();
    let stranger = CertificateAuthority::new().unwrap().issue_client("a stranger").unwrap();
    let without = trusting(emulator.ca_der());
    let with_wrong = trusting_with_identity(emulator.ca_der(), &stranger);
    for config in [without, with_wrong] {
        let mut client = Client::tls(emulator.addr(), config, "localhost");
        client.send_sign_in();
        let error = client.try_response().unwrap_err();
        assert!(matches!(refusal(&error), Error::AlertReceived(_)), "{error}");
    }
    assert_eq!((emulator.tls_handshakes(), emulator.count(Operation::SignIn)), (0, 0));
    assert_eq!(emulator.bytes_received(), 0);
}

#[test]
fn alpn_offers_the_versions_that_were_chosen() {
    let chosen = |versions, offered: &[&[u8]]| {
        let emulator = Emulator::builder().with_tls().http(versions).start().unwrap();
        let mut config: ClientConfig = trusting(emulator.ca_der());
        config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        let mut stream = tls(emulator.addr(), config, "localhost");
        stream
            .conn
            .complete_io(&mut stream.sock)
            .map(|_| stream.conn.alpn_protocol().map(<[u8]>::to_vec))
    };
    let both: &[&[u8]] = &[b"http/1.1", b"h2"];
    assert_eq!(chosen(HttpVersions::Both, both).unwrap(), Some(b"h2".to_vec()));
    assert_eq!(chosen(HttpVersions::Both, &[b"http/1.1"]).unwrap(), Some(b"http/1.1".to_vec()));
    assert_eq!(chosen(HttpVersions::Http1Only, both).unwrap(), Some(b"http/1.1".to_vec()));
    assert_eq!(chosen(HttpVersions::Http2Only, both).unwrap(), Some(b"h2".to_vec()));
    assert!(chosen(HttpVersions::Http1Only, &[b"h2"]).is_err());
}

#[test]
fn plaintext_to_a_tls_port_is_a_failed_handshake_and_no_request() {
    let emulator = tls_emulator();
    let mut client = Client::tcp(emulator.addr());
    client.send_sign_in();
    let _ = client.read_to_end();
    drop(client);
    assert!(emulator.wait_for_closed_connections(1, PATIENCE));
    assert_eq!((emulator.failed_tls_handshakes(), emulator.bytes_received()), (1, 0));
}

#[test]
fn the_process_default_of_rustls_is_neither_used_nor_set() {
    let emulator = tls_emulator();
    assert_eq!(Client::of(&emulator).sign_in().status, 200);
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}
