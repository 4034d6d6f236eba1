//! A sign-in over plain HTTP and TLS, and the request on the wire.

use http::{Method, Request, Version};
use point_auth_core::SecretBody;
use point_auth_testkit::{Operation, RawBehavior, RawServer};
use point_auth_transport::{BlockingTransport, SendLimits, TlsSettings, TransportSettings};
use point_auth_ureq::UreqTransport;

use crate::support::{
    PASSWORD, USER, emulator, plain, settings, sign_in, sign_in_request, tls, transport, trusting,
};

#[test]
fn it_works_over_plain_http() {
    let emulator = plain();
    let tokens = sign_in(&UreqTransport::new().unwrap(), &emulator.base_url());
    assert_eq!(tokens.expires_in().as_secs(), 3600);
    assert_eq!(emulator.count_for(USER, Operation::SignIn), 1);
}

#[test]
fn it_works_over_tls_with_a_name_and_with_an_ipv6_address() {
    let emulator = tls();
    sign_in(&transport(&emulator), &emulator.base_url_for("localhost"));
    assert_eq!(emulator.requests().remove(0).server_name(), Some("localhost"));

    let emulator =
        self::emulator(|builder| builder.with_tls().address(std::net::Ipv6Addr::LOCALHOST));
    sign_in(&transport(&emulator), &emulator.base_url());
}

#[test]
fn extra_roots_are_trusted_beside_the_platforms() {
    let emulator = tls();
    let tls = TlsSettings::new().with_extra_root_der(emulator.ca_der().to_vec());
    let transport = UreqTransport::with_settings(&TransportSettings::new().with_tls(tls)).unwrap();
    sign_in(&transport, &emulator.base_url());
}

#[test]
fn a_custom_rustls_configuration_is_used() {
    let emulator = tls();
    let mut config = trusting(&emulator).rustls_client_config().unwrap();
    config.enable_sni = false;
    let tls = TlsSettings::new().with_rustls_config(config.into());
    let transport = UreqTransport::with_settings(&TransportSettings::new().with_tls(tls)).unwrap();
    sign_in(&transport, &emulator.base_url_for("localhost"));
    assert_eq!(emulator.requests().remove(0).server_name(), None);
}

#[test]
fn only_our_headers_and_those_of_http_are_sent() {
    let emulator = plain();
    sign_in(&transport(&emulator), &emulator.base_url());
    let sent = emulator.requests().remove(0);
    let mut expected = sign_in_request(&emulator.base_url());
    let length = expected.body().len();
    expected.headers_mut().insert("content-length", length.into());
    expected.headers_mut().insert("host", emulator.addr().to_string().parse().unwrap());
    assert_eq!(sent.headers(), expected.headers());
    assert_eq!(sent.body().as_ref(), expected.body().as_ref());
}

#[test]
fn ureq_adds_no_header_to_a_request_that_has_none() {
    let server =
        RawServer::start(RawBehavior::Answer("HTTP/1.1 204 No Content\r\n\r\n".into())).unwrap();
    let request =
        Request::get(format!("http://{}/", server.addr())).body(SecretBody::default()).unwrap();
    let response = UreqTransport::new().unwrap().send(request, &SendLimits::new()).unwrap();
    assert_eq!(response.status(), 204);
    let expected = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", server.addr());
    assert_eq!(server.received(), [expected.into_bytes()]);
}

#[test]
fn an_empty_post_has_a_length_of_zero() {
    let server = RawServer::start(RawBehavior::Answer(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".into(),
    ))
    .unwrap();
    let mut request =
        Request::post(format!("http://{}/", server.addr())).body(SecretBody::default()).unwrap();
    request.headers_mut().insert("transfer-encoding", "chunked".parse().unwrap());
    let response = UreqTransport::new().unwrap().send(request, &SendLimits::new()).unwrap();
    assert_eq!(response.body().as_ref(), b"{}");
    let received = String::from_utf8(server.received().concat()).unwrap();
    assert!(
        received.contains("content-length: 0\r\n") && !received.contains("chunked"),
        "{received}"
    );
}

#[test]
fn a_request_that_was_made_for_another_version_of_http_goes_out_as_http_1_1() {
    let emulator = plain();
    let mut request = sign_in_request(&emulator.base_url());
    *request.version_mut() = Version::HTTP_2;
    let response = transport(&emulator).send(request, &SendLimits::new()).unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_11));
}

#[test]
fn a_get_with_a_body_sends_it() {
    let emulator = plain();
    let mut request = sign_in_request(&emulator.base_url());
    *request.method_mut() = Method::GET;
    let response = transport(&emulator).send(request, &SendLimits::new()).unwrap();
    assert_eq!(response.status(), 400);
    assert!(!emulator.requests().remove(0).body().is_empty());
}

#[test]
fn the_debug_of_a_transport_shows_nothing_of_its_settings() {
    let emulator = tls();
    let debug = format!("{:?} {:?}", transport(&emulator), settings(&emulator));
    assert!(
        debug.contains("brought: false") && !debug.contains("BEGIN") && !debug.contains(PASSWORD),
        "{debug}"
    );
}
