//! The operating system's own TLS, from the shared settings.

use std::time::{Duration, Instant};

use point_auth_testkit::{Certificate, Fault, Operation, RawBehavior, RawServer};
use point_auth_transport::{
    Roots, SendLimits, SettingsError, TlsBackend, TlsSettings, TransportErrorKind,
    TransportSettings,
};
use point_auth_ureq::UreqTransport;

use crate::support::{BRIEF, PATIENCE, emulator, fails, send, sign_in, tls, trusting};

fn native(tls: TlsSettings) -> UreqTransport {
    let settings = TransportSettings::new().with_tls(tls.with_backend(TlsBackend::NativeTls));
    UreqTransport::with_settings(&settings).unwrap()
}

#[test]
fn it_signs_in_and_reuses_the_connection() {
    let emulator = tls();
    let transport = native(trusting(&emulator));
    for _ in 0..3 {
        sign_in(&transport, &emulator.base_url());
    }
    assert_eq!((emulator.count(Operation::SignIn), emulator.tls_handshakes()), (3, 1));
}

#[test]
fn a_client_certificate_is_shown_to_a_server_that_asks() {
    let emulator = emulator(|builder| builder.with_tls().require_client_certificate());
    let client = emulator.authority().issue_client("client").unwrap();
    let tls = trusting(&emulator)
        .with_identity_pem(client.certificate_pem().as_bytes(), client.private_key_pem().as_bytes())
        .unwrap();
    sign_in(&native(tls), &emulator.base_url());
    assert_eq!(emulator.requests().remove(0).client_certificate(), Some(client.certificate_der()));
}

#[test]
fn a_bad_certificate_is_a_failure_of_tls_and_nothing_is_sent() {
    for certificate in [
        Certificate::Expired,
        Certificate::WrongHost,
        Certificate::SelfSigned,
        Certificate::UnknownCa,
    ] {
        let emulator = emulator(|builder| builder.tls(certificate));
        let outcome = send(&native(trusting(&emulator)), &emulator.base_url(), SendLimits::new());
        fails(outcome, TransportErrorKind::Tls, false);
        assert_eq!(emulator.bytes_received(), 0);
    }
}

#[test]
fn a_timeout_differs_from_a_bad_certificate() {
    let start = Instant::now();
    let emulator = tls();
    let transport = native(trusting(&emulator));
    let server = RawServer::start(RawBehavior::Silent).unwrap();
    let limits =
        SendLimits::new().with_connect_timeout(BRIEF).with_total_timeout(Duration::from_secs(3600));
    let outcome = send(&transport, &format!("https://{}", server.addr()), limits);
    fails(outcome, TransportErrorKind::Timeout, false);

    emulator.push_fault(Fault::silent());
    let outcome =
        send(&transport, &emulator.base_url(), SendLimits::new().with_total_timeout(BRIEF));
    fails(outcome, TransportErrorKind::Timeout, true);
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn a_pooled_connection_that_breaks_gets_one_post() {
    let emulator = tls();
    let transport = native(trusting(&emulator));
    sign_in(&transport, &emulator.base_url());
    emulator.push_fault(Fault::close_pooled_connection());
    fails(
        send(&transport, &emulator.base_url(), SendLimits::new()),
        TransportErrorKind::Protocol,
        true,
    );
    assert_eq!(emulator.count(Operation::SignIn), 2);
}

#[test]
fn the_bundled_roots_are_refused() {
    let tls = TlsSettings::new().with_backend(TlsBackend::NativeTls).with_roots(Roots::Bundled);
    let refused = UreqTransport::with_settings(&TransportSettings::new().with_tls(tls));
    assert!(matches!(refused, Err(SettingsError::Unsupported { .. })), "{refused:?}");
}
