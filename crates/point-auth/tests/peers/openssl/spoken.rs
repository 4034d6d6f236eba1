//! Settings that a client accepts.

use point_auth::transport::TlsBackend;

use super::{Identity, SServer, openssl};
use crate::clients::BACKENDS;

/// Signs in to a server with these settings by each adapter with each TLS library, and compares
/// OpenSSL's report of the connection with `says`.
#[track_caller]
fn works(identity: &Identity, arguments: &[&str], says: &str) {
    works_with(BACKENDS, identity, arguments, says);
}

#[track_caller]
fn works_with(backends: &[TlsBackend], identity: &Identity, arguments: &[&str], says: &str) {
    let Some(openssl) = openssl() else { return };
    for &backend in backends {
        for number in 0..3 {
            let mut server = SServer::start(&openssl, identity, arguments);
            let client = server.site().clients_of(backend, |tls| tls).remove(number);
            let outcome = server.sign_in(&client);
            let tokens = outcome.unwrap_or_else(|error| {
                panic!("{} {arguments:?}: {error:?}\n{}", client.name, server.running.said().text())
            });
            assert_eq!(tokens.access_token().expose(), "a-token-by-openssl", "{}", client.name);
            let said = server.running.said().text();
            assert!(said.contains(says), "{} {arguments:?}: {said}", client.name);
        }
    }
}

#[test]
fn tls_1_2_alone() {
    works(&Identity::ecdsa(), &["-tls1_2"], "CIPHER is ECDHE-ECDSA-");
}

#[test]
fn tls_1_3_alone() {
    works(&Identity::ecdsa(), &["-tls1_3"], "CIPHER is TLS_");
}

#[test]
fn no_application_protocol() {
    works(&Identity::ecdsa(), &[], "CIPHER is");
}

#[test]
fn http_1_by_the_application_protocol() {
    let arguments = ["-alpn", "http/1.1"];
    works(&Identity::ecdsa(), &arguments, "CIPHER is");
    // ureq offers none with native-tls.
    works_with(
        &[TlsBackend::Rustls],
        &Identity::ecdsa(),
        &arguments,
        "ALPN protocols selected: http/1.1",
    );
}

#[test]
fn one_cipher_of_tls_1_2_alone() {
    for cipher in [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
    ] {
        works(&Identity::ecdsa(), &["-tls1_2", "-cipher", cipher], &format!("CIPHER is {cipher}"));
    }
}

#[test]
fn one_cipher_of_tls_1_3_alone() {
    for cipher in
        ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
    {
        works(
            &Identity::ecdsa(),
            &["-tls1_3", "-ciphersuites", cipher],
            &format!("CIPHER is {cipher}"),
        );
    }
}

#[test]
fn a_group_without_a_key_in_the_first_hello() {
    works(&Identity::ecdsa(), &["-tls1_3", "-groups", "P-384"], "CIPHER is TLS_");
}

#[test]
fn an_rsa_certificate() {
    let Some(openssl) = openssl() else { return };
    for bits in [2048, 3072] {
        let identity = Identity::rsa(&openssl, bits);
        let cipher = "ECDHE-RSA-AES128-GCM-SHA256";
        works(&identity, &["-tls1_2", "-cipher", cipher], &format!("CIPHER is {cipher}"));
        works(&identity, &["-tls1_3"], "CIPHER is TLS_");
    }
}

#[test]
fn small_records_many_tickets_and_none() {
    works(&Identity::ecdsa(), &["-max_send_frag", "512"], "CIPHER is");
    works(&Identity::ecdsa(), &["-tls1_3", "-num_tickets", "10"], "CIPHER is");
    works(&Identity::ecdsa(), &["-tls1_2", "-no_ticket"], "CIPHER is");
}

#[test]
fn an_optional_client_certificate() {
    works(&Identity::ecdsa(), &["-verify", "1"], "CIPHER is");
    works(&Identity::ecdsa(), &["-verify", "1", "-tls1_2"], "CIPHER is");
}
