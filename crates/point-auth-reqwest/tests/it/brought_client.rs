//! A client that the user brings: redirecting, retrying, impatient, with headers of its own.

use std::time::Duration;

use point_auth_reqwest::ReqwestTransport;
use point_auth_testkit::{Fault, Operation};
use point_auth_transport::TransportErrorKind;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder};

use crate::support::{assert_shows_no_more, assert_tokens, emulator, sign_in};

/// A client with the defaults: it redirects and retries.
#[cfg(not(feature = "rustls"))]
fn builder() -> ClientBuilder {
    Client::builder().no_proxy()
}

/// With TLS, `reqwest` needs to be told a crypto provider here, as none is installed for the
/// process.
#[cfg(feature = "rustls")]
fn builder() -> ClientBuilder {
    let config = point_auth_transport::TlsSettings::new().rustls_client_config().unwrap();
    Client::builder().no_proxy().tls_backend_preconfigured(config)
}

/// With ring there is none, and `Client::new` panics without a process default.
#[cfg(feature = "aws-lc-rs")]
#[test]
fn every_other_client_of_reqwest_has_the_crypto_provider_too() {
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    drop(Client::new());
}

fn brought(builder: ClientBuilder) -> ReqwestTransport {
    ReqwestTransport::from_client(builder.build().unwrap())
}

#[tokio::test]
async fn a_redirecting_client_hands_a_307_and_a_308_back() {
    let elsewhere = emulator().start().unwrap();
    let emulator = emulator().start().unwrap();
    let transport = brought(builder());
    for status in [307, 308] {
        for target in [elsewhere.url(Operation::SignIn), emulator.url(Operation::Refresh)] {
            emulator.push_fault(Fault::redirect(status, &target));
            let response = sign_in(&transport, &emulator.base_url()).await.unwrap();
            assert_eq!(response.status(), status);
        }
    }
    assert_eq!(elsewhere.connections(), 0);
    assert_eq!(emulator.requests().len(), 4);
}

#[tokio::test]
async fn a_redirecting_client_takes_no_body_elsewhere_and_no_answer_from_there() {
    let emulator = emulator().start().unwrap();
    for status in [301, 302, 303] {
        let elsewhere = crate::support::emulator().start().unwrap();
        emulator.push_fault(Fault::redirect(status, &elsewhere.url(Operation::SignIn)));
        let error = sign_in(&brought(builder()), &emulator.base_url()).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Protocol);
        assert!(error.may_have_been_sent());
        assert_shows_no_more(&error);
        let requests = elsewhere.requests();
        assert_eq!(
            requests.iter().map(|request| request.method().as_str()).collect::<Vec<_>>(),
            ["GET"]
        );
        assert!(requests.iter().all(|request| request.body().is_empty()));
    }
}

#[tokio::test]
async fn a_redirect_to_nowhere_may_have_been_sent_all_the_same() {
    let emulator = emulator().start().unwrap();
    let gone = crate::support::emulator().start().unwrap();
    let target = gone.url(Operation::SignIn);
    gone.stop();
    emulator.push_fault(Fault::redirect(302, &target));
    let error = sign_in(&brought(builder()), &emulator.base_url()).await.unwrap_err();
    assert!(error.may_have_been_sent());
    assert_shows_no_more(&error);
}

#[tokio::test]
async fn a_redirect_loop_is_the_servers_fault() {
    let emulator = emulator().start().unwrap();
    emulator.always(Fault::redirect(302, &emulator.url(Operation::SignIn)));
    let error = sign_in(&brought(builder()), &emulator.base_url()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Protocol);
    assert_shows_no_more(&error);
}

#[tokio::test]
async fn a_retrying_client_sends_a_sign_in_once() {
    let emulator = emulator().start().unwrap();
    emulator.always(Fault::respond(503));
    let retries =
        reqwest::retry::for_host("127.0.0.1").no_budget().classify_fn(|answer| answer.retryable());
    let response = sign_in(&brought(builder().retry(retries)), &emulator.base_url()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(emulator.count(Operation::SignIn), 1);
}

#[tokio::test]
async fn a_pooled_connection_that_is_closed_gets_a_sign_in_once() {
    let emulator = emulator().start().unwrap();
    let transport = brought(builder());
    assert_tokens(&sign_in(&transport, &emulator.base_url()).await.unwrap());
    emulator.push_fault(Fault::close_pooled_connection());
    let error = sign_in(&transport, &emulator.base_url()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Protocol);
    assert!(error.may_have_been_sent());
    assert_eq!(emulator.count(Operation::SignIn), 2);
}

#[tokio::test]
async fn an_impatient_client_times_out_like_our_own_limits() {
    let emulator = emulator().start().unwrap();
    emulator.push_fault(Fault::silent());
    let transport = brought(builder().timeout(Duration::from_millis(100)));
    let error = sign_in(&transport, &emulator.base_url()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Timeout);
    assert!(error.may_have_been_sent());

    emulator.push_fault(Fault::pass().drip_body(1, Duration::from_millis(50)));
    let transport = brought(builder().read_timeout(Duration::from_millis(10)));
    let error = sign_in(&transport, &emulator.base_url()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Timeout);
}

#[tokio::test]
async fn a_client_that_refuses_the_url_has_sent_nothing() {
    let emulator = emulator().start().unwrap();
    let error =
        sign_in(&brought(builder().https_only(true)), &emulator.base_url()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Other);
    assert!(!error.may_have_been_sent());
    assert_shows_no_more(&error);
}

#[tokio::test]
async fn our_headers_win_over_those_of_the_client() {
    let emulator = emulator().start().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/html"));
    headers.insert("x-request-source", HeaderValue::from_static("nightly"));
    let transport = brought(builder().default_headers(headers).user_agent("brought/1"));
    sign_in(&transport, &emulator.base_url()).await.unwrap();
    let requests = emulator.requests();
    let request = requests.first().unwrap();
    assert_eq!(
        request.headers().get_all("accept").iter().collect::<Vec<_>>(),
        ["application/json"]
    );
    assert!(request.header("user-agent").unwrap().starts_with("point-auth"));
    assert_eq!(request.header("x-request-source"), Some("nightly"));
}

#[cfg(feature = "rustls")]
mod over_http2 {
    use point_auth_testkit::Emulator;

    use super::*;
    use crate::support::tls;

    fn brought(emulator: &Emulator) -> ReqwestTransport {
        let mut config = tls(emulator).rustls_client_config().unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let client =
            Client::builder().no_proxy().tls_backend_preconfigured(config).build().unwrap();
        ReqwestTransport::from(client)
    }

    async fn is_sent_once(transport: ReqwestTransport, emulator: Emulator, fault: Fault) {
        // The second request meets the fault on a connection that has worked, where a retry would
        // be most tempting.
        assert_tokens(&sign_in(&transport, &emulator.base_url()).await.unwrap());
        emulator.push_fault(fault);
        let error = sign_in(&transport, &emulator.base_url()).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Protocol);
        assert!(error.may_have_been_sent());
        assert_shows_no_more(&error);
        assert_eq!(emulator.count(Operation::SignIn), 2);
        assert_eq!(emulator.pending_faults(), 0);
    }

    #[tokio::test]
    async fn a_goaway_is_not_answered_by_sending_again() {
        let emulator = emulator().with_tls().start().unwrap();
        is_sent_once(brought(&emulator), emulator, Fault::goaway(0)).await;
    }

    #[tokio::test]
    async fn a_refused_stream_is_not_answered_by_sending_again() {
        let emulator = emulator().with_tls().start().unwrap();
        is_sent_once(brought(&emulator), emulator, Fault::reset_stream(Fault::REFUSED_STREAM))
            .await;
    }

    #[tokio::test]
    async fn nor_does_the_client_we_build_send_again() {
        for fault in [Fault::goaway(0), Fault::reset_stream(Fault::REFUSED_STREAM)] {
            let emulator = emulator().with_tls().start().unwrap();
            is_sent_once(crate::support::transport(&emulator), emulator, fault).await;
        }
    }
}
