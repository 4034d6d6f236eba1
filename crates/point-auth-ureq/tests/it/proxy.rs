//! The tunnel through a proxy.

use std::time::{Duration, Instant};

use point_auth_testkit::{
    ConnectProxy, ConnectProxyBuilder, Emulator, ProxyBehavior, RawBehavior, RawServer,
};
use point_auth_transport::{ProxySettings, SendLimits, TransportErrorKind, TransportSettings};
use point_auth_ureq::UreqTransport;

use crate::support::{BRIEF, PASSWORD, PATIENCE, emulator, fails, send, sign_in, trusting};

/// Nobody's name but the proxy's.
const HOST: &str = "api.example.test";
const BASE: &str = "https://api.example.test";

fn behind_proxy(setup: impl FnOnce(ConnectProxyBuilder) -> ConnectProxyBuilder) -> (Emulator, ConnectProxy) {
    let emulator = emulator(|builder| builder.with_tls().host_name(HOST));
    let proxy = setup(ConnectProxy::builder().map(format!("{HOST}:443"), emulator.addr())).start().unwrap();
    (emulator, proxy)
}

fn through(emulator: &Emulator, proxy: ProxySettings) -> UreqTransport {
    let settings = TransportSettings::new().with_tls(trusting(emulator)).with_proxy(proxy);
    UreqTransport::with_settings(&settings).unwrap()
}

#[test]
fn a_sign_in_goes_through_the_tunnel_and_the_proxy_sees_nothing_of_it() {
    let (emulator, proxy) = behind_proxy(|builder| builder);
    let transport = through(&emulator, ProxySettings::url(&proxy.url()).unwrap());
    let tokens = sign_in(&transport, BASE);
    sign_in(&transport, BASE);
    assert_eq!((proxy.connections(), proxy.count(&format!("{HOST}:443")), proxy.other_requests()), (1, 1, 0));
    assert!(!proxy.saw(PASSWORD) && !proxy.saw(tokens.access_token().expose()));
    assert!(!proxy.saw("ureq") && !proxy.saw("User-Agent"), "the proxy is told what it needs and no more");
    let request = emulator.requests().remove(0);
    assert_eq!((request.server_name(), request.header("host")), (Some(HOST), Some(HOST)));
}

#[test]
fn credentials_are_shown_to_the_proxy_percent_decoded() {
    let (emulator, proxy) = behind_proxy(|builder| builder.credentials("us er", "p@ss:w/rd"));
    let url = proxy.url_with_userinfo("us%20er:p%40ss%3Aw%2Frd");
    sign_in(&through(&emulator, ProxySettings::url(&url).unwrap()), BASE);
    assert!(!emulator.requests().remove(0).headers().contains_key("proxy-authorization"));
}

#[test]
fn wrong_credentials_are_a_failure_to_connect_that_says_why() {
    let (emulator, proxy) = behind_proxy(|builder| builder.credentials("user", "right"));
    for userinfo in ["user:cAnArY-proxy", "user"] {
        let url = proxy.url_with_userinfo(userinfo);
        let outcome = send(&through(&emulator, ProxySettings::url(&url).unwrap()), BASE, SendLimits::new());
        let text = fails(outcome, TransportErrorKind::Connect, false);
        assert!(text.contains("the proxy wants other credentials") && !text.contains("cAnArY"), "{text}");
    }
    assert_eq!(emulator.connections(), 0);
}

#[test]
fn a_proxy_that_opens_no_tunnel_is_a_failure_to_connect() {
    for behavior in [
        ProxyBehavior::Refuse(403),
        ProxyBehavior::Refuse(502),
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
fn a_proxy_whose_answer_does_not_end_is_given_up() {
    let (emulator, _) = behind_proxy(|builder| builder);
    let long = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(20_000));
    let server = RawServer::start(RawBehavior::Send(long.into())).unwrap();
    let transport = through(&emulator, ProxySettings::url(&server.addr().to_string()).unwrap());
    fails(send(&transport, BASE, SendLimits::new()), TransportErrorKind::Connect, false);
}

#[test]
fn a_proxy_that_does_not_answer_meets_the_connect_limit() {
    let start = Instant::now();
    let (emulator, proxy) = behind_proxy(|builder| builder.behavior(ProxyBehavior::Silent));
    let limits = SendLimits::new().with_connect_timeout(BRIEF).with_total_timeout(Duration::from_secs(3600));
    let transport = through(&emulator, ProxySettings::url(&proxy.url()).unwrap());
    fails(send(&transport, BASE, limits), TransportErrorKind::Timeout, false);
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn a_proxy_that_is_not_there_is_a_failure_to_connect() {
    let (emulator, proxy) = behind_proxy(|builder| builder);
    let transport = through(&emulator, ProxySettings::url(&proxy.url()).unwrap());
    drop(proxy);
    fails(send(&transport, BASE, SendLimits::new()), TransportErrorKind::Connect, false);
}

#[test]
fn loopback_and_what_no_proxy_lists_are_reached_directly() {
    let (emulator, proxy) = behind_proxy(|builder| builder);
    let settings = ProxySettings::url(&proxy.url()).unwrap();
    sign_in(&through(&emulator, settings.clone()), &emulator.base_url());
    sign_in(&through(&emulator, settings.clone()), &emulator.base_url_for("localhost"));
    // Nobody has this name, so that the direct way ends at the name look-up.
    let direct = through(&emulator, settings.with_no_proxy("invalid"));
    fails(send(&direct, "https://api.invalid", SendLimits::new()), TransportErrorKind::Connect, false);
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn tls_is_with_the_host_behind_the_proxy_and_not_with_another() {
    let other = emulator(|builder| builder.with_tls());
    let proxy = ConnectProxy::builder().map(format!("{HOST}:443"), other.addr()).start().unwrap();
    let transport = through(&other, ProxySettings::url(&proxy.url()).unwrap());
    fails(send(&transport, BASE, SendLimits::new()), TransportErrorKind::Tls, false);
    assert_eq!(other.bytes_received(), 0);
}
