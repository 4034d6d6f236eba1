//! What the errors of the client become.

use http::Request;
use point_auth_core::SecretBody;
use point_auth_testkit::{ClosedPort, Fault};
use point_auth_transport::{AsyncTransport, SendLimits, TransportErrorKind};

use crate::support::{assert_shows_no_more, assert_tokens, emulator, sign_in, transport};

/// Which kinds these are is the suite's to say.
#[tokio::test]
async fn a_failure_names_host_and_port_and_nothing_else_of_the_request() {
    let emulator = emulator().start().unwrap();
    let transport = transport(&emulator);
    for fault in [
        Fault::raw("SSH-2.0-OpenSSH_9.6\r\n"),
        Fault::pass().cut_after(300),
        Fault::close_after_request(),
    ] {
        emulator.push_fault(fault);
        let error = sign_in(&transport, &emulator.base_url()).await.unwrap_err();
        assert_shows_no_more(&error);
        assert!(error.to_string().contains(&emulator.addr().to_string()), "{error}");
    }
    let closed = ClosedPort::reserve().unwrap();
    for scheme in ["http", "https"] {
        let base = format!("{scheme}://{}", closed.addr());
        let error = sign_in(&transport, &base).await.unwrap_err();
        assert_shows_no_more(&error);
        assert_eq!(error.to_string(), format!("connection to {} refused", closed.addr()));
    }
}

#[tokio::test]
async fn a_uri_that_cannot_be_sent_to_is_refused_without_a_panic() {
    let trusted = emulator().start().unwrap();
    let uris = ["/relative", "ftp://127.0.0.1/", "http://jane:secret@127.0.0.1/"];
    for uri in uris {
        let request = Request::post(uri).body(SecretBody::new(b"{}".to_vec())).unwrap();
        let error = transport(&trusted).send(request, &SendLimits::new()).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Other, "{uri}");
        assert!(!error.may_have_been_sent());
        assert_shows_no_more(&error);
    }
}

#[tokio::test]
async fn an_unknown_name_cannot_be_connected_to() {
    let trusted = emulator().start().unwrap();
    // Too long for a name, so no look-up ever leaves the machine.
    let uri = format!("https://{}.test/", "absent".repeat(11));
    let request = Request::post(uri).body(SecretBody::new(b"{}".to_vec())).unwrap();
    let error = transport(&trusted).send(request, &SendLimits::new()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert!(!error.may_have_been_sent());
    assert!(error.to_string().starts_with("name look-up of absent"), "{error}");
    assert!(error.to_string().ends_with(".test:443 failed"), "{error}");
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
async fn what_is_wrong_with_a_certificate_is_told() {
    use point_auth_testkit::Certificate;

    for certificate in [
        Certificate::UnknownCa,
        Certificate::SelfSigned,
        Certificate::Expired,
        Certificate::WrongHost,
    ] {
        let emulator = emulator().tls(certificate).start().unwrap();
        let error = sign_in(&transport(&emulator), &emulator.base_url()).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls, "{certificate:?}");
        assert!(std::error::Error::source(&error).is_some(), "it does not say what is wrong");
    }
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
#[tokio::test]
async fn without_tls_compiled_in_https_is_refused() {
    use point_auth_testkit::{RawBehavior, RawServer};

    let server = RawServer::start(RawBehavior::Silent).unwrap();
    let trusted = emulator().start().unwrap();
    let error =
        sign_in(&transport(&trusted), &format!("https://{}", server.addr())).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    assert!(!error.may_have_been_sent());
    assert_eq!(server.connections(), 0);
}
