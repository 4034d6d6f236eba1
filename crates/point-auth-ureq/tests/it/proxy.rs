//! The tunnel through a proxy.

use point_auth_testkit::{
    ConnectProxy, ConnectProxyBuilder, Emulator, ProxyBehavior, RawBehavior, RawServer,
};
use point_auth_transport::{ProxySettings, SendLimits, TransportErrorKind, TransportSettings};
use point_auth_ureq::UreqTransport;

use crate::support::{PASSWORD, emulator, fails, send, sign_in, trusting};

/// A name that only the proxy resolves.
const HOST: &str = "api.example.test";
const BASE: &str = "https://api.example.test";

fn behind_proxy(
    setup: impl FnOnce(ConnectProxyBuilder) -> ConnectProxyBuilder,
) -> (Emulator, ConnectProxy) {
    let emulator = emulator(|builder| builder.with_tls().host_name(HOST));
    let proxy =
        setup(ConnectProxy::builder().map(format!("{HOST}:443"), emulator.addr())).start().unwrap();
    (emulator, proxy)
}

fn through(emulator: &Emulator, proxy: ProxySettings) -> UreqTransport {
    let settings = TransportSettings::new().with_tls(trusting(emulator)).with_proxy(proxy);
    UreqTransport::with_settings(&settings).unwrap()
}

#[test]
fn a_sign_in_goes_through_the_tunnel_unseen_by_the_proxy() {
    let (emulator, proxy) = behind_proxy(|builder| builder);
    let transport = through(&emulator, ProxySettings::url(&proxy.url()).unwrap());
    let tokens = sign_in(&transport, BASE);
    sign_in(&transport, BASE);
    assert_eq!(
        (proxy.connections(), proxy.count(&format!("{HOST}:443")), proxy.other_requests()),
        (1, 1, 0)
    );
    assert!(!proxy.saw(PASSWORD) && !proxy.saw(tokens.access_token().expose()));
    assert!(!proxy.saw("ureq") && !proxy.saw("User-Agent"), "the proxy gets only what it needs");
    let request = emulator.requests().remove(0);
    assert_eq!((request.server_name(), request.header("host")), (Some(HOST), Some(HOST)));
}

#[test]
fn wrong_credentials_are_a_failure_to_connect_with_a_reason() {
    let (emulator, proxy) = behind_proxy(|builder| builder.credentials("user", "right"));
    for userinfo in ["user:cAnArY-proxy", "user"] {
        let url = proxy.url_with_userinfo(userinfo);
        let outcome =
            send(&through(&emulator, ProxySettings::url(&url).unwrap()), BASE, SendLimits::new());
        let text = fails(outcome, TransportErrorKind::Connect, false);
        assert!(
            text.contains(&format!("proxy {} requires other credentials", proxy.addr()))
                && !text.contains("cAnArY"),
            "{text}"
        );
    }
    assert_eq!(emulator.connections(), 0);
}

#[test]
fn a_proxy_that_opens_no_tunnel_is_a_failure_to_connect() {
    for behavior in [
        ProxyBehavior::Garbage("SSH-2.0-OpenSSH\r\n\r\n".into()),
        ProxyBehavior::Garbage("HTTP/1.1 2OO fine\r\n\r\n".into()),
        ProxyBehavior::Garbage("HTTP/1.1".into()),
        ProxyBehavior::Close,
    ] {
        let (emulator, proxy) = behind_proxy(|builder| builder.behavior(behavior.clone()));
        let transport = through(&emulator, ProxySettings::url(&proxy.url()).unwrap());
        fails(send(&transport, BASE, SendLimits::new()), TransportErrorKind::Connect, false);
    }
}

#[test]
fn an_endless_answer_of_a_proxy_is_refused() {
    let (emulator, _) = behind_proxy(|builder| builder);
    let long = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(20_000));
    let server = RawServer::start(RawBehavior::Send(long.into())).unwrap();
    let transport = through(&emulator, ProxySettings::url(&server.addr().to_string()).unwrap());
    fails(send(&transport, BASE, SendLimits::new()), TransportErrorKind::Connect, false);
}
