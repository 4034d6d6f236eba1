//! What reqwest's errors become.

use http::Request;
use point_auth_core::SecretBody;
use point_auth_reqwest::ReqwestTransport;
use point_auth_testkit::{Fault, Operation, RawBehavior, RawServer};
use point_auth_transport::{
    AsyncTransport, ProxySettings, SendLimits, SettingsError, TransportErrorKind, TransportSettings,
};

use crate::support::{assert_tells_nothing, assert_tokens, emulator, sign_in, transport};

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_connected_to() {
    let gone = emulator().start().unwrap();
    let (transport, base) = (transport(&gone), gone.base_url());
    gone.stop();
    let error = sign_in(&transport, &base).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert!(!error.may_have_been_sent());
    assert_tells_nothing(&error);
}

#[tokio::test]
async fn garbage_instead_of_http_is_a_protocol_error() {
    let trusted = emulator().start().unwrap();
    for garbage in [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"\x00\x01\x02", b""] {
        let server = RawServer::start(RawBehavior::Answer(garbage.to_vec().into())).unwrap();
        let error = sign_in(&transport(&trusted), &format!("http://{}", server.addr())).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Protocol);
        assert!(error.may_have_been_sent());
        assert_tells_nothing(&error);
    }
}

#[tokio::test]
async fn a_response_that_is_cut_off_is_a_protocol_error() {
    let emulator = emulator().start().unwrap();
    emulator.push_fault(Fault::pass().cut_after(300));
    let error = sign_in(&transport(&emulator), &emulator.base_url()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Protocol);
    assert!(error.may_have_been_sent());
    assert_tells_nothing(&error);
}

#[tokio::test]
async fn a_pooled_connection_that_is_closed_gets_a_sign_in_once() {
    let emulator = emulator().start().unwrap();
    let transport = transport(&emulator);
    assert_tokens(&sign_in(&transport, &emulator.base_url()).await.unwrap());
    emulator.push_fault(Fault::close_pooled_connection());
    let error = sign_in(&transport, &emulator.base_url()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Protocol);
    assert!(error.may_have_been_sent());
    assert_eq!(emulator.count(Operation::SignIn), 2);
}

#[tokio::test]
async fn a_redirect_whose_location_is_no_url_is_handed_back_too() {
    let emulator = emulator().start().unwrap();
    let transport = transport(&emulator);
    for location in [
        "http://999.999.999.999/",
        "http://[::g]/",
        "http://a%20b/",
        "http://a:b/",
        "//",
        ":",
        "\\\\",
        "é",
        "",
    ] {
        emulator.push_fault(Fault::redirect(302, location));
        let response = sign_in(&transport, &emulator.base_url()).await.unwrap();
        assert_eq!(response.status(), 302, "{location}");
    }
}

#[tokio::test]
async fn a_uri_that_cannot_be_sent_to_is_refused_without_a_panic() {
    let trusted = emulator().start().unwrap();
    let uris = ["/relative", "ftp://127.0.0.1/", "http://jane:secret@127.0.0.1/", "http://999.999.999.999/"];
    for uri in uris {
        let request = Request::post(uri).body(SecretBody::new(b"{}".to_vec())).unwrap();
        let error = transport(&trusted).send(request, &SendLimits::new()).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Other, "{uri}");
        assert!(!error.may_have_been_sent());
        assert_tells_nothing(&error);
    }
}

#[tokio::test]
async fn a_name_that_nobody_knows_cannot_be_connected_to() {
    let trusted = emulator().start().unwrap();
    // Too long for a name, so no look-up ever leaves the machine.
    let uri = format!("https://{}.test/", "nobody".repeat(11));
    let request = Request::post(uri).body(SecretBody::new(b"{}".to_vec())).unwrap();
    let error = transport(&trusted).send(request, &SendLimits::new()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert!(!error.may_have_been_sent());
    assert!(!format!("{error:?}").contains("nobody"));
}

#[test]
fn a_runtime_that_goes_away_is_neither_the_servers_fault_nor_a_panic() {
    let emulator = emulator().start().unwrap();
    let (transport, base) = (transport(&emulator), emulator.base_url());
    let [first, second] = [(), ()].map(|()| tokio::runtime::Runtime::new().unwrap());
    // The first runtime drives the connection, and the second finds it in the pool.
    assert_tokens(&first.block_on(sign_in(&transport, &base)).unwrap());
    emulator.push_fault(Fault::silent());
    let sending = second.spawn(async move { sign_in(&transport, &base).await });
    assert!(emulator.wait_for_requests(2, std::time::Duration::from_secs(20)));
    drop(first);
    let error = second.block_on(sending).unwrap().unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Other);
    assert!(error.may_have_been_sent());
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_ends_it_before_anything_is_sent() {
    use point_auth_testkit::Certificate;

    for certificate in
        [Certificate::UnknownCa, Certificate::SelfSigned, Certificate::Expired, Certificate::WrongHost]
    {
        let emulator = emulator().tls(certificate).start().unwrap();
        let error = sign_in(&transport(&emulator), &emulator.base_url()).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls, "{certificate:?}");
        assert!(!error.may_have_been_sent());
        assert!(std::error::Error::source(&error).is_some(), "it does not say what is wrong");
        assert_eq!(emulator.requests().len(), 0);
    }
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
#[tokio::test]
async fn without_tls_compiled_in_https_is_refused() {
    let server = RawServer::start(RawBehavior::Silent).unwrap();
    let trusted = emulator().start().unwrap();
    let error = sign_in(&transport(&trusted), &format!("https://{}", server.addr())).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    assert!(!error.may_have_been_sent());
    assert_eq!(server.connections(), 0);
}

#[test]
fn what_cannot_be_built_is_a_settings_error() {
    let unsupported = ProxySettings::url("socks5://127.0.0.1:1080").unwrap_err();
    assert!(matches!(unsupported, SettingsError::ProxyScheme { .. }));
    let settings =
        TransportSettings::new().with_proxy(ProxySettings::url("http://999.999.999.999:1").unwrap());
    assert!(matches!(ReqwestTransport::with_settings(&settings), Err(SettingsError::ProxyUrl { .. })));
}

#[test]
fn debug_shows_no_more_than_whose_client_it_is() {
    let emulator = emulator().start().unwrap();
    assert_eq!(format!("{:?}", transport(&emulator)), "ReqwestTransport { brought: false, .. }");
}
