//! Settings that no client accepts: nothing is sent, and the error is a TLS error, which is not
//! retryable.

use point_auth::ErrorKind;
use point_auth::transport::TlsBackend;
use point_auth_testkit::{CertificateAuthority, Validity};

use super::{Identity, SServer, openssl};
use crate::clients::{BACKENDS, PASSWORD};

/// Checks that nothing is sent, and that OpenSSL's own reason is one of these.
#[track_caller]
fn is_refused(backends: &[TlsBackend], identity: &Identity, arguments: &[&str], says: &[&str]) {
    let Some(openssl) = openssl() else { return };
    for &backend in backends {
        for number in 0..3 {
            let mut server = SServer::start(&openssl, identity, arguments);
            let client = server.site().clients_of(backend, |tls| tls).remove(number);
            let Err(error) = server.sign_in(&client) else {
                panic!("{} {arguments:?}", client.name)
            };
            let said = server.running.said();
            assert_eq!(
                error.kind(),
                ErrorKind::Tls,
                "{} {arguments:?}: {error:?}\n{}",
                client.name,
                said.text()
            );
            assert!(!error.is_retryable(), "{} {arguments:?}", client.name);
            assert!(!error.may_have_been_sent(), "{} {arguments:?}: {error:?}", client.name);
            assert!(!server.was_sent_the_password(), "{} {arguments:?}", client.name);
            assert!(!format!("{error:?}").contains(PASSWORD), "{}", client.name);
            let heard = said.wait_until(crate::program::LONG, |said| {
                says.iter().any(|word| said.contains(word))
            });
            assert!(heard, "{} {arguments:?}: {}", client.name, said.text());
        }
    }
}

#[test]
fn versions_before_tls_1_2() {
    for version in ["-tls1", "-tls1_1"] {
        let arguments = [version, "-cipher", "ALL@SECLEVEL=0"];
        is_refused(
            BACKENDS,
            &Identity::ecdsa(),
            &arguments,
            &["unsupported protocol", "protocol version"],
        );
    }
}

#[test]
fn ciphers_that_rustls_does_not_have() {
    let Some(openssl) = openssl() else { return };
    let rsa = Identity::rsa(&openssl, 2048);
    let ecdsa = Identity::ecdsa();
    for (identity, cipher) in [
        // Without forward secrecy, with old authentication, with a group that the server chooses.
        (&rsa, "AES128-GCM-SHA256"),
        (&rsa, "ECDHE-RSA-AES128-SHA"),
        (&rsa, "DHE-RSA-AES128-GCM-SHA256"),
        (&ecdsa, "ECDHE-ECDSA-AES128-SHA256"),
    ] {
        is_refused(
            &[TlsBackend::Rustls],
            identity,
            &["-tls1_2", "-cipher", cipher],
            &["no shared cipher"],
        );
    }
}

#[test]
fn a_group_that_rustls_does_not_have() {
    let arguments = ["-tls1_3", "-groups", "P-521"];
    is_refused(&[TlsBackend::Rustls], &Identity::ecdsa(), &arguments, &["no suitable key share"]);
}

#[test]
fn a_server_without_a_certificate() {
    let arguments = ["-nocert", "-tls1_2", "-cipher", "aNULL@SECLEVEL=0"];
    is_refused(BACKENDS, &Identity::ecdsa(), &arguments, &["no shared cipher"]);
}

#[test]
fn a_certificate_that_has_expired_or_is_not_valid_yet_or_is_for_another_host() {
    let authority = CertificateAuthority::new().unwrap();
    let issue = |names: &[&str], validity| {
        Identity::issued(
            &authority,
            &authority.issue_with_validity(names.to_vec(), validity).unwrap(),
        )
    };
    for (identity, alerts) in [
        (issue(&["127.0.0.1"], Validity::Expired), ["alert"]),
        (issue(&["127.0.0.1"], Validity::NotYetValid), ["alert"]),
        (issue(&["127.0.0.2", "localhost", "example.com"], Validity::Current), ["alert"]),
    ] {
        is_refused(BACKENDS, &identity, &[], &alerts);
        is_refused(BACKENDS, &identity, &["-tls1_2"], &alerts);
    }
}

#[test]
fn a_certificate_of_an_unknown_authority() {
    let identity = Identity {
        ca_pem: CertificateAuthority::new().unwrap().pem().to_owned(),
        ..Identity::ecdsa()
    };
    is_refused(BACKENDS, &identity, &[], &["alert"]);
}

#[test]
fn an_rsa_key_that_is_too_short() {
    let Some(openssl) = openssl() else { return };
    let identity = Identity::rsa(&openssl, 1024);
    is_refused(BACKENDS, &identity, &["-cipher", "ALL@SECLEVEL=0"], &["alert"]);
}
