//! TLS settings: which faults are found at once, which when a transport is built, and that the key
//! is never shown.

use std::sync::Arc;

use point_auth_transport::{Roots, SettingsError, TlsBackend, TlsSettings, TransportSettings};
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair};

use crate::printed;

/// A self-signed certificate and its key, both in PEM.
fn identity() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(["client.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn only(pem: &str) -> TlsSettings {
    TlsSettings::new().with_roots(Roots::ExtraOnly).with_extra_roots_pem(pem.as_bytes()).unwrap()
}

#[test]
fn one_root_or_several_are_read_from_pem_with_other_sections() {
    let (first, key) = identity();
    let (second, _) = identity();
    for pem in
        [first.clone(), format!("a comment\n{first}\n{key}{second}"), first.replace('\n', "\r\n")]
    {
        only(&pem).rustls_client_config().unwrap();
    }
}

#[test]
fn pem_without_a_certificate_is_refused() {
    let (certificate, key) = identity();
    let cut = certificate.get(..certificate.len() / 2).unwrap();
    for pem in [
        "",
        "nothing",
        key.as_str(),
        cut,
        "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n",
    ] {
        let error = TlsSettings::new().with_extra_roots_pem(pem.as_bytes()).unwrap_err();
        assert!(matches!(error, SettingsError::Certificate { .. }), "{pem}");
    }
}

#[test]
fn an_invalid_root_is_refused_when_the_transport_is_built() {
    for roots in [Roots::Platform, Roots::Bundled, Roots::ExtraOnly] {
        let settings = TlsSettings::new().with_roots(roots).with_extra_root_der(vec![1, 2, 3]);
        let error = settings.rustls_client_config().unwrap_err();
        assert!(matches!(error, SettingsError::Certificate { .. }), "{error:?}");
    }
}

#[test]
fn settings_without_any_root_are_refused() {
    let settings = TlsSettings::new().with_roots(Roots::ExtraOnly);
    assert!(matches!(settings.rustls_client_config(), Err(SettingsError::Certificate { .. })));
}

#[test]
fn the_bundled_roots_and_extra_roots_beside_the_platforms_are_trusted() {
    TlsSettings::new().with_roots(Roots::Bundled).rustls_client_config().unwrap();
    // With an extra root this holds even on a machine without a trust store.
    let (root, _) = identity();
    TlsSettings::new()
        .with_extra_roots_pem(root.as_bytes())
        .unwrap()
        .rustls_client_config()
        .unwrap();
}

#[test]
fn an_identity_is_accepted_when_certificate_and_key_belong_together() {
    let (certificate, key) = identity();
    let settings =
        only(&certificate).with_identity_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    assert!(settings.rustls_client_config().unwrap().client_auth_cert_resolver.has_certs());
    assert!(
        !only(&certificate).rustls_client_config().unwrap().client_auth_cert_resolver.has_certs()
    );
}

#[test]
fn an_identity_with_the_wrong_key_is_refused() {
    let (certificate, _) = identity();
    let (_, other) = identity();
    let settings =
        only(&certificate).with_identity_pem(certificate.as_bytes(), other.as_bytes()).unwrap();
    let error = settings.rustls_client_config().unwrap_err();
    assert!(matches!(error, SettingsError::Identity { .. }), "{error:?}");
}

#[test]
fn an_identity_without_certificate_or_key_is_refused() {
    let (certificate, key) = identity();
    for (chain, key) in [(&key, &key), (&certificate, &certificate), (&String::new(), &key)] {
        let error =
            TlsSettings::new().with_identity_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
        assert!(matches!(error, SettingsError::Identity { .. }), "{error:?}");
    }
}

#[test]
fn a_configuration_never_has_alpn() {
    let (root, _) = identity();
    let mut own = only(&root).rustls_client_config().unwrap();
    assert!(own.alpn_protocols.is_empty());
    own.alpn_protocols = vec![b"h2".to_vec()];
    own.enable_sni = false;
    let settings = TlsSettings::new().with_rustls_config(Arc::new(own));
    let config = settings.rustls_client_config().unwrap();
    assert!(config.alpn_protocols.is_empty());
    assert!(!config.enable_sni, "the rest is unchanged");
}

#[test]
fn roots_or_an_identity_with_a_custom_configuration_are_refused() {
    let (root, key) = identity();
    let own = Arc::new(only(&root).rustls_client_config().unwrap());
    let own = TlsSettings::new().with_rustls_config(own);
    for both in [
        own.clone().with_roots(Roots::Bundled),
        own.clone().with_extra_roots_pem(root.as_bytes()).unwrap(),
        own.clone().with_identity_pem(root.as_bytes(), key.as_bytes()).unwrap(),
    ] {
        assert!(matches!(both.rustls_client_config(), Err(SettingsError::Unsupported { .. })));
    }
    own.rustls_client_config().unwrap();
}

#[test]
fn it_does_not_need_a_process_default_for_the_crypto_provider() {
    let (root, _) = identity();
    only(&root).rustls_client_config().unwrap();
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

/// The environment of a process cannot be changed safely, so the test runs itself again with other
/// variables.
#[cfg(all(unix, not(target_vendor = "apple")))]
#[test]
fn a_trust_store_that_cannot_be_loaded_names_the_variable_that_says_where_it_is() {
    const NAME: &str =
        "tls::a_trust_store_that_cannot_be_loaded_names_the_variable_that_says_where_it_is";
    const EXPECT: &str = "POINT_AUTH_TLS_EXPECT";
    if let Ok(expected) = std::env::var(EXPECT) {
        let error = TlsSettings::new().rustls_client_config().unwrap_err();
        assert!(matches!(error, SettingsError::Roots { variable: Some(_), .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!("the platform's root certificates in `{expected}` cannot be loaded")
        );
        assert!(!printed(&error).contains("/nowhere"), "{error:?}");
        return;
    }
    for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR")
            .env(variable, "/nowhere")
            .env(EXPECT, variable)
            .output()
            .unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
}

/// Both are compiled in here. `cargo xtask ci crypto-providers` builds programs with one, and with
/// none.
#[test]
fn with_both_crypto_providers_compiled_in_it_is_aws_lc_rs() {
    let (root, _) = identity();
    let config = only(&root).rustls_client_config().unwrap();
    let used = |provider: &rustls::crypto::CryptoProvider| format!("{:?}", provider.key_provider);
    let aws_lc_rs = used(&rustls::crypto::aws_lc_rs::default_provider());
    assert_ne!(aws_lc_rs, used(&rustls::crypto::ring::default_provider()));
    assert_eq!(used(config.crypto_provider()), aws_lc_rs);
}

#[test]
fn rustls_is_the_default_where_it_is_compiled_in() {
    let settings = TlsSettings::new();
    assert_eq!(settings.resolved_backend().unwrap(), Some(TlsBackend::Rustls));
    let chosen = settings.with_backend(TlsBackend::Rustls);
    assert_eq!(chosen.resolved_backend().unwrap(), Some(TlsBackend::Rustls));
}

#[test]
fn an_adapter_gets_a_library_that_it_supports_whatever_else_is_in_the_build() {
    let (root, _) = identity();
    let own = Arc::new(only(&root).rustls_client_config().unwrap());
    assert_eq!(TlsSettings::new().resolved_backend_of(&[]).unwrap(), None);
    for refused in [
        TlsSettings::new().with_backend(TlsBackend::Rustls).resolved_backend_of(&[]),
        TlsSettings::new()
            .with_backend(TlsBackend::Rustls)
            .resolved_backend_of(&[TlsBackend::NativeTls]),
        TlsSettings::new()
            .with_rustls_config(Arc::clone(&own))
            .resolved_backend_of(&[TlsBackend::NativeTls]),
        TlsSettings::new()
            .with_rustls_config(own)
            .with_backend(TlsBackend::NativeTls)
            .resolved_backend(),
    ] {
        assert!(matches!(refused, Err(SettingsError::Unsupported { .. })), "{refused:?}");
    }
}

#[cfg(not(feature = "native-tls"))]
#[test]
fn native_tls_is_refused_where_it_is_not_compiled_in() {
    let refused = TlsSettings::new().with_backend(TlsBackend::NativeTls).resolved_backend();
    assert!(matches!(refused, Err(SettingsError::Unsupported { .. })), "{refused:?}");
}

#[cfg(feature = "native-tls")]
#[test]
fn native_tls_is_built_from_the_settings() {
    let (certificate, key) = identity();
    let settings = only(&certificate)
        .with_backend(TlsBackend::NativeTls)
        .with_identity_pem(certificate.as_bytes(), key.as_bytes())
        .unwrap();
    assert_eq!(settings.resolved_backend().unwrap(), Some(TlsBackend::NativeTls));
    settings.native_tls_connector().unwrap().build().unwrap();

    let bundled = settings.clone().with_roots(Roots::Bundled).native_tls_connector().err();
    assert!(matches!(bundled, Some(SettingsError::Unsupported { .. })), "{bundled:?}");
    let bad_root = settings.with_extra_root_der(vec![1, 2, 3]).native_tls_connector().err();
    assert!(matches!(bad_root, Some(SettingsError::Certificate { .. })), "{bad_root:?}");
    let no_roots = TlsSettings::new().with_roots(Roots::ExtraOnly).native_tls_connector().err();
    assert!(matches!(no_roots, Some(SettingsError::Certificate { .. })), "{no_roots:?}");
}

#[test]
fn debug_shows_neither_key_nor_certificates() {
    let (certificate, key) = identity();
    let tls = only(&certificate).with_identity_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let debug = format!("{:?}", TransportSettings::new().with_tls(tls));
    assert!(debug.contains("identity: true") && debug.contains("extra_roots: 1"), "{debug}");
    let line = key.lines().nth(1).unwrap();
    assert!(!debug.contains(line) && debug.len() < 400, "{debug}");
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic_and_no_error_repeats_them(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = TlsSettings::new().with_extra_roots_pem(&bytes);
        let _ = TlsSettings::new().with_identity_pem(&bytes, &bytes);
        let _ = TlsSettings::new().with_extra_root_der(bytes).rustls_client_config();
    }

    #[test]
    fn no_error_repeats_invalid_pem(
        label in "(CERTIFICATE|PRIVATE KEY|EC PRIVATE KEY)", body in "[A-Za-z0-9+/=\n -]{0,200}", end in any::<bool>(),
    ) {
        let end = if end { format!("-----END {label}-----\n") } else { String::new() };
        let pem = format!("-----BEGIN {label}-----\nY0FuQXJZ{body}\n{end}");
        let (certificate, _) = identity_once();
        let outcomes = [
            TlsSettings::new().with_extra_roots_pem(pem.as_bytes()),
            TlsSettings::new().with_identity_pem(pem.as_bytes(), pem.as_bytes()),
            TlsSettings::new().with_identity_pem(certificate.as_bytes(), pem.as_bytes()),
        ];
        for outcome in outcomes {
            match outcome {
                Ok(settings) => {
                    let debug = format!("{settings:?}");
                    prop_assert!(!debug.contains("Y0FuQXJZ"));
                    if let Err(error) = settings.rustls_client_config() {
                        prop_assert!(!printed(&error).contains("Y0FuQXJZ"));
                    }
                }
                Err(error) => prop_assert!(!printed(&error).contains("Y0FuQXJZ")),
            }
        }
    }
}

/// Keys are expensive to create: one for all cases.
fn identity_once() -> &'static (String, String) {
    static IDENTITY: std::sync::OnceLock<(String, String)> = std::sync::OnceLock::new();
    IDENTITY.get_or_init(identity)
}
