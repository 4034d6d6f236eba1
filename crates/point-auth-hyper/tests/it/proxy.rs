//! Through a proxy: what the settings say reaches hyper.

use std::time::Duration;

use point_auth_core::SecretBody;
use point_auth_hyper::HyperTransport;
use point_auth_testkit::{ConnectProxy, ConnectProxyBuilder, Emulator, Operation, ProxyBehavior};
use point_auth_transport::{AsyncTransport, ProxySettings, SendLimits, TransportError, TransportErrorKind};

use crate::support::{
    PASSWORD, assert_tells_nothing, assert_tokens, emulator, settings, sign_in, sign_in_request,
};

const HOST: &str = "api.example.test";

fn emulator_with_a_name() -> Emulator {
    emulator().with_tls().host_name(HOST).start().unwrap()
}

fn authority(emulator: &Emulator) -> String {
    format!("{HOST}:{}", emulator.addr().port())
}

fn proxy_to(emulator: &Emulator) -> ConnectProxyBuilder {
    ConnectProxy::builder().map(authority(emulator), emulator.addr())
}

fn through(proxy: ProxySettings, emulator: &Emulator) -> HyperTransport {
    HyperTransport::with_settings(&settings(emulator).with_proxy(proxy)).unwrap()
}

#[tokio::test]
async fn a_sign_in_goes_through_the_proxy_which_sees_no_plaintext() {
    let emulator = emulator_with_a_name();
    let proxy = proxy_to(&emulator).start().unwrap();
    let transport = through(ProxySettings::url(&proxy.url()).unwrap(), &emulator);
    assert_tokens(&sign_in(&transport, &emulator.base_url_for(HOST)).await.unwrap());
    assert_eq!(proxy.count(&authority(&emulator)), 1);
    assert!(!proxy.saw(PASSWORD));
    assert_eq!(emulator.requests().first().unwrap().version(), http::Version::HTTP_2);
    assert!(emulator.requests().first().unwrap().header("proxy-authorization").is_none());
}

#[tokio::test]
async fn the_proxy_gets_its_credentials_and_nobody_else_does() {
    let emulator = emulator_with_a_name();
    let proxy = proxy_to(&emulator).credentials("proxy%user", "p@ss:w%rd").start().unwrap();
    let url = proxy.url_with_userinfo("proxy%25user:p%40ss%3Aw%25rd");
    let transport = through(ProxySettings::url(&url).unwrap(), &emulator);
    assert_tokens(&sign_in(&transport, &emulator.base_url_for(HOST)).await.unwrap());
    assert!(emulator.requests().first().unwrap().header("proxy-authorization").is_none());
    assert!(!format!("{transport:?}").contains("p@ss"));
}

#[tokio::test]
async fn no_proxy_and_loopback_go_straight_to_the_server() {
    let emulator = emulator_with_a_name();
    let proxy = proxy_to(&emulator).start().unwrap();
    let settings = ProxySettings::url(&proxy.url()).unwrap();
    assert_tokens(&sign_in(&through(settings.clone(), &emulator), &emulator.base_url()).await.unwrap());
    // Too long for a name, so no look-up ever leaves the machine.
    let uri = format!("https://{}.example.test/", "a".repeat(64));
    let request = http::Request::post(uri).body(SecretBody::new(b"{}".to_vec())).unwrap();
    let without = through(settings.with_no_proxy("example.test"), &emulator);
    let error = without.send(request, &SendLimits::new()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_a_failed_connection() {
    let behaviors = [
        ProxyBehavior::Refuse(407),
        ProxyBehavior::Refuse(502),
        ProxyBehavior::Close,
        ProxyBehavior::Garbage(vec![b'x'; 100_000].into()),
        ProxyBehavior::Garbage([&b"HTTP/1.1 200 OK\r\nx: "[..], &[b'x'; 100_000]].concat().into()),
    ];
    for behavior in behaviors {
        let emulator = emulator_with_a_name();
        let proxy = proxy_to(&emulator).behavior(behavior.clone()).start().unwrap();
        let error = refused(&proxy, &emulator, SendLimits::new()).await;
        assert_eq!(error.kind(), TransportErrorKind::Connect, "{behavior:?}");
        assert_eq!(emulator.connections(), 0);
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_is_given_up_by_the_connect_limit() {
    let emulator = emulator_with_a_name();
    let proxy = proxy_to(&emulator).behavior(ProxyBehavior::Silent).start().unwrap();
    let limits = SendLimits::new().with_connect_timeout(Duration::from_millis(200));
    let error = refused(&proxy, &emulator, limits).await;
    assert_eq!(error.kind(), TransportErrorKind::Timeout);
    assert_eq!(emulator.count(Operation::SignIn), 0);
}

async fn refused(proxy: &ConnectProxy, emulator: &Emulator, limits: SendLimits) -> TransportError {
    let url = proxy.url_with_userinfo("proxy-user:proxy-canary");
    let transport = through(ProxySettings::url(&url).unwrap(), emulator);
    let request = sign_in_request(&emulator.base_url_for(HOST));
    let error = transport.send(request, &limits).await.unwrap_err();
    assert!(!error.may_have_been_sent());
    assert_tells_nothing(&error);
    assert!(!format!("{error:?}").contains("proxy-canary"));
    error
}
