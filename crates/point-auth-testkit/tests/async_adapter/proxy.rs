//! Through a proxy: what the settings say reaches the client.

use crate::Adapter;
use point_auth_testkit::{ConnectProxy, ConnectProxyBuilder, Emulator, ProxyBehavior};
use point_auth_transport::{ProxySettings, TransportError, TransportErrorKind};

use crate::support::{assert_shows_no_more, assert_tokens, emulator, settings, sign_in};

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

fn through(proxy: ProxySettings, emulator: &Emulator) -> Adapter {
    Adapter::with_settings(&settings(emulator).with_proxy(proxy)).unwrap()
}

#[tokio::test]
async fn through_the_proxy_it_is_http_2_too() {
    let emulator = emulator_with_a_name();
    let proxy = proxy_to(&emulator).start().unwrap();
    let transport = through(ProxySettings::url(&proxy.url()).unwrap(), &emulator);
    assert_tokens(&sign_in(&transport, &emulator.base_url_for(HOST)).await.unwrap());
    assert_eq!(proxy.count(&authority(&emulator)), 1);
    assert_eq!(emulator.requests().first().unwrap().version(), http::Version::HTTP_2);
}

#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_is_a_failed_connection_whatever_it_says() {
    let behaviors = [
        ProxyBehavior::Refuse(407),
        ProxyBehavior::Close,
        ProxyBehavior::Garbage(vec![b'x'; 100_000].into()),
        ProxyBehavior::Garbage([&b"HTTP/1.1 200 OK\r\nx: "[..], &[b'x'; 100_000]].concat().into()),
    ];
    for behavior in behaviors {
        let emulator = emulator_with_a_name();
        let proxy = proxy_to(&emulator).behavior(behavior.clone()).start().unwrap();
        let error = refused(&proxy, &emulator).await;
        assert_eq!(error.kind(), TransportErrorKind::Connect, "{behavior:?}");
        assert_eq!(emulator.connections(), 0);
    }
}

async fn refused(proxy: &ConnectProxy, emulator: &Emulator) -> TransportError {
    let url = proxy.url_with_userinfo("proxy-user:proxy-canary");
    let transport = through(ProxySettings::url(&url).unwrap(), emulator);
    let error = sign_in(&transport, &emulator.base_url_for(HOST)).await.unwrap_err();
    assert!(!error.may_have_been_sent());
    assert_shows_no_more(&error);
    assert!(!format!("{error:?}").contains("proxy-canary"));
    assert!(error.to_string().contains(&format!("proxy {}", proxy.addr())), "{error}");
    error
}
