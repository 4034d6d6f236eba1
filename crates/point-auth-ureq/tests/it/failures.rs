//! Failures: their kind, and whether the request may have been sent.

use http::Request;
use point_auth_core::SecretBody;
use point_auth_testkit::{Fault, RawBehavior, RawServer};
use point_auth_transport::{
    BlockingTransport, Roots, SendLimits, SettingsError, TlsBackend, TlsSettings,
    TransportErrorKind, TransportSettings,
};
use point_auth_ureq::UreqTransport;

use crate::support::{fails, plain, send, sign_in_request, tls, transport};

#[test]
fn an_unknown_name_is_a_failure_to_connect() {
    let transport = UreqTransport::new().unwrap();
    // Too long for a name, so that no lookup ever leaves the machine.
    let url = format!("https://{}.test/", "unknown".repeat(11));
    let request = Request::post(url).body(SecretBody::new(b"{}".to_vec())).unwrap();
    let text =
        fails(transport.send(request, &SendLimits::new()), TransportErrorKind::Connect, false);
    assert!(text.contains("name look-up of unknown") && text.contains(".test:443"), "{text}");
}

#[test]
fn the_platform_does_not_trust_the_emulator() {
    let emulator = tls();
    let Ok(transport) = UreqTransport::new() else {
        // A machine without a trust store fails earlier.
        return;
    };
    fails(
        send(&transport, &emulator.base_url(), SendLimits::new()),
        TransportErrorKind::Tls,
        false,
    );
}

#[test]
fn a_connection_that_breaks_during_the_handshake_is_a_failure_to_connect() {
    for behavior in [RawBehavior::Close, RawBehavior::Reset] {
        let server = RawServer::start(behavior).unwrap();
        let base = format!("https://{}", server.addr());
        fails(
            send(&transport(&tls()), &base, SendLimits::new()),
            TransportErrorKind::Connect,
            false,
        );
    }
}

#[test]
fn an_invalid_status_or_version_is_a_failure_of_the_protocol() {
    for emulator in [plain(), tls()] {
        for bytes in ["HTTP/1.1 099 Low\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n"] {
            emulator.push_fault(Fault::raw(bytes));
            let outcome = send(&transport(&emulator), &emulator.base_url(), SendLimits::new());
            fails(outcome, TransportErrorKind::Protocol, true);
        }
    }
}

#[test]
fn an_endless_head_is_refused() {
    for emulator in [plain(), tls()] {
        emulator.push_fault(Fault::raw("HTTP/1.1 200 OK\r\nx: ").endless_body());
        let outcome = send(&transport(&emulator), &emulator.base_url(), SendLimits::new());
        fails(outcome, TransportErrorKind::Protocol, true);
    }
}

#[test]
fn a_body_that_ends_with_the_connection_is_complete_if_the_connection_ends_properly() {
    let whole = "HTTP/1.1 200 OK\r\n\r\n{\"a\": 1}";
    for emulator in [plain(), tls()] {
        emulator.push_fault(Fault::raw(whole));
        let response =
            send(&transport(&emulator), &emulator.base_url(), SendLimits::new()).unwrap();
        assert_eq!(response.body().as_ref(), b"{\"a\": 1}");
    }
    // TLS has a closing alert, and a connection that was cut has none.
    let emulator = tls();
    emulator.push_fault(Fault::raw(whole).cut_after(whole.len() as u64 - 1));
    let outcome = send(&transport(&emulator), &emulator.base_url(), SendLimits::new());
    fails(outcome, TransportErrorKind::Protocol, true);
}

/// The suite would accept an error too.
#[test]
fn a_compressed_body_stays_compressed() {
    let emulator = plain();
    emulator.push_fault(Fault::respond(200).json("{}").gzip());
    let response = send(&transport(&emulator), &emulator.base_url(), SendLimits::new()).unwrap();
    assert_eq!(response.headers().get("content-encoding").unwrap(), "gzip");
    assert!(response.body().as_ref().starts_with(&[0x1f, 0x8b]));
}

#[test]
fn an_invalid_target_is_refused_and_nothing_is_sent() {
    let transport = UreqTransport::new().unwrap();
    for url in ["/path", "ftp://127.0.0.1/", "socks5://127.0.0.1:1080/"] {
        let request = Request::post(url).body(SecretBody::new(b"{}".to_vec())).unwrap();
        fails(transport.send(request, &SendLimits::new()), TransportErrorKind::Other, false);
    }
}

#[test]
fn host_and_length_headers_of_the_request_are_not_sent() {
    let emulator = plain();
    let mut request = sign_in_request(&emulator.base_url());
    let length = request.body().len().to_string();
    request.headers_mut().append("host", "one".parse().unwrap());
    request.headers_mut().append("host", "two".parse().unwrap());
    request.headers_mut().append("content-length", "5".parse().unwrap());
    request.headers_mut().append("transfer-encoding", "chunked".parse().unwrap());
    let response = transport(&emulator).send(request, &SendLimits::new()).unwrap();
    assert_eq!(response.status(), 200);
    let requests = emulator.requests();
    assert_eq!(requests[0].headers().get_all("host").iter().count(), 1);
    assert_eq!(requests[0].header("host"), Some(emulator.addr().to_string().as_str()));
    assert_eq!(requests[0].header("content-length"), Some(length.as_str()));
    assert_eq!(requests[0].header("transfer-encoding"), None);
}

#[test]
fn settings_that_cannot_be_kept_are_refused_when_the_transport_is_built() {
    let no_roots =
        TransportSettings::new().with_tls(TlsSettings::new().with_roots(Roots::ExtraOnly));
    assert!(matches!(
        UreqTransport::with_settings(&no_roots),
        Err(SettingsError::Certificate { .. })
    ));
    if cfg!(not(feature = "native-tls")) {
        let native = TransportSettings::new()
            .with_tls(TlsSettings::new().with_backend(TlsBackend::NativeTls));
        assert!(matches!(
            UreqTransport::with_settings(&native),
            Err(SettingsError::Unsupported { .. })
        ));
    }
}
