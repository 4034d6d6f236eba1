//! What goes wrong: its kind, and whether the request may have been sent.

use http::Request;
use point_auth_core::SecretBody;
use point_auth_testkit::{Certificate, Fault, Operation, RawBehavior, RawServer};
use point_auth_transport::{
    BlockingTransport, Roots, SendLimits, SettingsError, TlsBackend, TlsSettings, TransportErrorKind,
    TransportSettings,
};
use point_auth_ureq::UreqTransport;

use crate::support::{emulator, fails, plain, send, sign_in_request, tls, transport};

#[test]
fn a_name_that_nobody_has_is_a_failure_to_connect() {
    let transport = UreqTransport::new().unwrap();
    // Too long for a name, so that no look-up ever leaves the machine.
    let url = format!("https://{}.test/", "nobody".repeat(11));
    let request = Request::post(url).body(SecretBody::new(b"{}".to_vec())).unwrap();
    let text = fails(transport.send(request, &SendLimits::new()), TransportErrorKind::Connect, false);
    assert!(text.contains("cannot be looked up") && !text.contains("nobody"), "{text}");
}

#[test]
fn a_port_where_nobody_listens_is_a_failure_to_connect() {
    let emulator = plain();
    let (base, transport) = (emulator.base_url(), transport(&emulator));
    emulator.stop();
    fails(send(&transport, &base, SendLimits::new()), TransportErrorKind::Connect, false);
}

#[test]
fn a_certificate_that_does_not_fit_is_a_failure_of_tls_and_nothing_was_said() {
    for certificate in
        [Certificate::Expired, Certificate::WrongHost, Certificate::SelfSigned, Certificate::UnknownCa]
    {
        let emulator = emulator(|builder| builder.tls(certificate));
        let outcome = send(&transport(&emulator), &emulator.base_url(), SendLimits::new());
        fails(outcome, TransportErrorKind::Tls, false);
        assert_eq!(emulator.bytes_received(), 0);
    }
}

#[test]
fn the_platform_does_not_trust_the_emulator() {
    let emulator = tls();
    let Ok(transport) = UreqTransport::new() else {
        // A machine without any trust store says so early.
        return;
    };
    fails(send(&transport, &emulator.base_url(), SendLimits::new()), TransportErrorKind::Tls, false);
}

#[test]
fn something_else_than_tls_is_a_failure_of_tls() {
    let server = RawServer::start(RawBehavior::Answer("HTTP/1.1 400 Bad Request\r\n\r\n".into())).unwrap();
    let base = format!("https://{}", server.addr());
    fails(send(&transport(&tls()), &base, SendLimits::new()), TransportErrorKind::Tls, false);
}

#[test]
fn a_connection_that_breaks_before_tls_stands_is_a_failure_to_connect() {
    for behavior in [RawBehavior::Close, RawBehavior::Reset] {
        let server = RawServer::start(behavior).unwrap();
        let base = format!("https://{}", server.addr());
        fails(send(&transport(&tls()), &base, SendLimits::new()), TransportErrorKind::Connect, false);
    }
}

#[test]
fn an_answer_that_is_not_http_is_a_failure_of_the_protocol() {
    for emulator in [plain(), tls()] {
        for bytes in [
            "garbage\r\n\r\n",
            "HTTP/1.1 099 Low\r\n\r\n",
            "HTTP/9.9 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "",
        ] {
            emulator.push_fault(Fault::raw(bytes));
            let outcome = send(&transport(&emulator), &emulator.base_url(), SendLimits::new());
            fails(outcome, TransportErrorKind::Protocol, true);
        }
    }
}

#[test]
fn a_status_that_nobody_knows_is_a_response() {
    let emulator = plain();
    emulator.push_fault(Fault::respond(999));
    assert_eq!(send(&transport(&emulator), &emulator.base_url(), SendLimits::new()).unwrap().status(), 999);
}

#[test]
fn a_head_without_end_is_given_up() {
    for emulator in [plain(), tls()] {
        emulator.push_fault(Fault::raw("HTTP/1.1 200 OK\r\nx: ").endless_body());
        let outcome = send(&transport(&emulator), &emulator.base_url(), SendLimits::new());
        fails(outcome, TransportErrorKind::Protocol, true);
    }
}

#[test]
fn early_hints_are_passed_over_and_the_answer_is_the_one_that_follows() {
    let emulator = plain();
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(5);
    emulator.push_fault(Fault::raw(format!("{hints}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{{}}")));
    let response = send(&transport(&emulator), &emulator.base_url(), SendLimits::new()).unwrap();
    assert_eq!((response.status().as_u16(), response.body().as_ref()), (200, b"{}".as_slice()));
}

#[test]
fn a_body_that_is_cut_is_a_failure_of_the_protocol_with_a_length_in_chunks_and_without_either() {
    for emulator in [plain(), tls()] {
        for fault in [
            Fault::respond(200).json("{}").content_length(100),
            Fault::respond(200).body_of(10_000).cut_after(5_000),
            Fault::respond(200).body_of(10_000).chunked().cut_after(5_000),
        ] {
            emulator.push_fault(fault);
            let outcome = send(&transport(&emulator), &emulator.base_url(), SendLimits::new());
            fails(outcome, TransportErrorKind::Protocol, true);
        }
    }
}

#[test]
fn a_body_that_ends_with_the_connection_is_whole_if_the_connection_ends_properly() {
    let whole = "HTTP/1.1 200 OK\r\n\r\n{\"a\": 1}";
    for emulator in [plain(), tls()] {
        emulator.push_fault(Fault::raw(whole));
        let response = send(&transport(&emulator), &emulator.base_url(), SendLimits::new()).unwrap();
        assert_eq!(response.body().as_ref(), b"{\"a\": 1}");
    }
    // TLS says goodbye at the end, and a connection that was cut does not.
    let emulator = tls();
    emulator.push_fault(Fault::raw(whole).cut_after(whole.len() as u64 - 1));
    let outcome = send(&transport(&emulator), &emulator.base_url(), SendLimits::new());
    fails(outcome, TransportErrorKind::Protocol, true);
}

#[test]
fn a_large_body_is_too_large_with_a_length_in_chunks_and_without_end() {
    for emulator in [plain(), tls()] {
        for fault in [
            Fault::respond(200).body_of(65_537),
            Fault::respond(200).body_of(1 << 30),
            Fault::respond(200).body_of(1 << 30).chunked(),
            Fault::respond(200).endless_body(),
            Fault::raw("HTTP/1.1 200 OK\r\n\r\n").endless_body(),
        ] {
            emulator.push_fault(fault);
            let outcome = send(&transport(&emulator), &emulator.base_url(), SendLimits::new());
            fails(outcome, TransportErrorKind::TooLarge, true);
        }
        emulator.push_fault(Fault::respond(200).body_of(65_536));
        let response = send(&transport(&emulator), &emulator.base_url(), SendLimits::new()).unwrap();
        assert_eq!(response.body().len(), 65_536);
    }
}

#[test]
fn what_is_compressed_stays_compressed() {
    let emulator = plain();
    emulator.push_fault(Fault::respond(200).json("{}").gzip());
    let response = send(&transport(&emulator), &emulator.base_url(), SendLimits::new()).unwrap();
    assert_eq!(response.headers().get("content-encoding").unwrap(), "gzip");
    assert!(response.body().as_ref().starts_with(&[0x1f, 0x8b]));
}

#[test]
fn a_redirect_is_handed_back_with_its_body_and_nobody_goes_there() {
    let elsewhere = RawServer::start(RawBehavior::Silent).unwrap();
    let emulator = plain();
    for status in [300, 301, 302, 303, 304, 307, 308] {
        for location in [format!("http://{}/", elsewhere.addr()), "/".to_owned(), "http://[bad".to_owned()] {
            emulator.push_fault(Fault::redirect(status, &location));
            let response = send(&transport(&emulator), &emulator.base_url(), SendLimits::new()).unwrap();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers().get("location").unwrap(), location.as_str());
        }
    }
    emulator.push_fault(Fault::redirect(307, "/").body("moved"));
    let response = send(&transport(&emulator), &emulator.base_url(), SendLimits::new()).unwrap();
    assert_eq!(response.body().as_ref(), b"moved");
    assert_eq!(emulator.count(Operation::Other) + elsewhere.connections(), 0);
}

#[test]
fn what_is_no_target_is_refused_and_nothing_was_sent() {
    let transport = UreqTransport::new().unwrap();
    for url in ["/path", "ftp://127.0.0.1/", "socks5://127.0.0.1:1080/"] {
        let request = Request::post(url).body(SecretBody::new(b"{}".to_vec())).unwrap();
        fails(transport.send(request, &SendLimits::new()), TransportErrorKind::Other, false);
    }
}

#[test]
fn a_host_and_a_length_that_the_request_claims_are_not_sent_on() {
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
    let nobody = TransportSettings::new().with_tls(TlsSettings::new().with_roots(Roots::ExtraOnly));
    assert!(matches!(UreqTransport::with_settings(&nobody), Err(SettingsError::Certificate { .. })));
    if cfg!(not(feature = "native-tls")) {
        let native =
            TransportSettings::new().with_tls(TlsSettings::new().with_backend(TlsBackend::NativeTls));
        assert!(matches!(UreqTransport::with_settings(&native), Err(SettingsError::Unsupported { .. })));
    }
}
