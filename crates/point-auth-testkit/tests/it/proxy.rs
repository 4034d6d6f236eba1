//! The CONNECT proxy.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use point_auth_testkit::{ClosedPort, ConnectProxy, Emulator, ProxyBehavior, ProxyCredentials};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::client::{Client, PASSWORD, PATIENCE, USER, emulator, sign_in_body, tcp, trusting};

fn connect(authority: &str, credentials: Option<&str>) -> String {
    let credentials = credentials
        .map(|text| format!("proxy-authorization: Basic {}\r\n", STANDARD.encode(text)))
        .unwrap_or_default();
    format!("CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n{credentials}\r\n")
}

#[test]
fn a_name_is_tunnelled_to_where_it_was_mapped_and_the_proxy_sees_no_plaintext() {
    let emulator = Emulator::builder()
        .user(USER, PASSWORD)
        .with_tls()
        .host_name("api.example.test")
        .start()
        .unwrap();
    let proxy =
        ConnectProxy::builder().map("api.example.test:443", emulator.addr()).start().unwrap();

    let mut socket = tcp(proxy.addr());
    socket.write_all(connect("API.example.test:443", None).as_bytes()).unwrap();
    let mut head = [0; 39];
    std::io::Read::read_exact(&mut socket, &mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 Connection established\r\n\r\n");

    let name = ServerName::try_from("api.example.test").unwrap();
    let session = ClientConnection::new(trusting(emulator.ca_der()).into(), name).unwrap();
    let mut client = Client::over(StreamOwned::new(session, socket));
    let answer = client.sign_in();
    assert_eq!(answer.status, 200);

    assert_eq!((proxy.connections(), proxy.count("api.example.test:443")), (1, 1));
    let connects = proxy.connects();
    assert_eq!(connects[0].authority(), "API.example.test:443");
    assert_eq!(
        (connects[0].status(), connects[0].credentials()),
        (Some(200), ProxyCredentials::Missing)
    );
    assert!(connects[0].sent().len() > 200 && connects[0].received().len() > 900);
    assert!(!proxy.saw(PASSWORD) && !proxy.saw(answer.text("access_token")));
    assert!(proxy.saw("api.example.test"));
}

#[test]
fn plaintext_in_a_tunnel_is_seen() {
    let emulator = emulator();
    let proxy = ConnectProxy::builder().start().unwrap();
    let mut client = Client::tcp(proxy.addr());
    client.write(connect(&emulator.addr().to_string(), None));
    assert!(client.head().unwrap().starts_with("HTTP/1.1 200"));
    let answer = client.sign_in();
    assert!(proxy.saw(PASSWORD) && proxy.saw(answer.text("access_token")));
    assert!(!format!("{:?} {:?}", proxy, proxy.connects()).contains(PASSWORD));
}

#[test]
fn without_the_right_credentials_the_answer_is_407_and_the_connection_stays() {
    let emulator = emulator();
    let authority = emulator.addr().to_string();
    let proxy = ConnectProxy::builder().credentials("proxy-user", "p:w").start().unwrap();
    let mut client = Client::tcp(proxy.addr());
    for credentials in [None, Some("proxy-user:wrong"), Some("other:p:w")] {
        client.write(connect(&authority, credentials));
        let answer = client.response();
        assert_eq!(answer.status, 407);
        assert!(answer.header("proxy-authenticate").unwrap().starts_with("Basic "));
    }
    assert_eq!(emulator.connections(), 0);
    client.write(connect(&authority, Some("proxy-user:p:w")));
    assert!(client.head().unwrap().starts_with("HTTP/1.1 200"));
    client.post(point_auth_testkit::Operation::SignIn, &sign_in_body(USER, PASSWORD));
    assert_eq!(client.response().status, 200);

    let seen: Vec<_> = proxy.connects().iter().map(|connect| connect.credentials()).collect();
    use ProxyCredentials::{Missing, Right, Wrong};
    assert_eq!(seen, [Missing, Wrong, Wrong, Right]);
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn credentials_that_were_not_asked_for_are_noted() {
    let emulator = emulator();
    let proxy = ConnectProxy::builder().start().unwrap();
    let mut client = Client::tcp(proxy.addr());
    client.write(connect(&emulator.addr().to_string(), Some("a:b")));
    assert!(client.head().unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(proxy.connects()[0].credentials(), ProxyCredentials::Unasked);
}

#[test]
fn nothing_beyond_loopback_is_reached() {
    let proxy = ConnectProxy::builder().start().unwrap();
    for authority in
        ["example.test:443", "192.0.2.1:443", "[2001:db8::1]:443", "localhost", "[::1]:x"]
    {
        let mut client = Client::tcp(proxy.addr());
        client.write(connect(authority, None));
        assert_eq!(client.response().status, 403, "{authority}");
    }
    let error = ConnectProxy::builder()
        .map("a.test:443", ([192, 0, 2, 1], 443).into())
        .start()
        .unwrap_err();
    assert_eq!(error.to_string(), "192.0.2.1 is not a loopback address");
}

#[test]
fn a_target_that_refuses_is_a_502() {
    let gone = ClosedPort::reserve().unwrap();
    let proxy = ConnectProxy::builder().start().unwrap();
    let mut client = Client::tcp(proxy.addr());
    client.write(connect(&gone.addr().to_string(), None));
    assert_eq!(client.response().status, 502);
    assert_eq!(proxy.connects()[0].status(), Some(502));
}

#[test]
fn a_request_that_is_no_connect_is_refused_and_counted() {
    let proxy = ConnectProxy::builder().start().unwrap();
    let mut client = Client::tcp(proxy.addr());
    client.write("POST http://127.0.0.1/ HTTP/1.1\r\nhost: 127.0.0.1\r\nx: canary\r\n\r\n");
    assert_eq!(client.response().status, 405);
    assert_eq!((proxy.other_requests(), proxy.connects().len()), (1, 0));
    assert!(proxy.saw("canary"));
}

#[test]
fn a_proxy_may_be_silent_refuse_talk_garbage_or_hang_up() {
    let start = |behavior| ConnectProxy::builder().behavior(behavior).start().unwrap();
    let request = connect("127.0.0.1:9", None);

    let proxy = start(ProxyBehavior::Refuse(502));
    let mut client = Client::tcp(proxy.addr());
    client.write(&request);
    assert_eq!(client.response().status, 502);

    let proxy = start(ProxyBehavior::Garbage("garbage".into()));
    let mut client = Client::tcp(proxy.addr());
    client.write(&request);
    assert_eq!(client.read_to_end().unwrap(), b"garbage");

    let proxy = start(ProxyBehavior::Close);
    let mut client = Client::tcp(proxy.addr());
    client.write(&request);
    assert_eq!(client.read_to_end().unwrap(), b"");

    let proxy = start(ProxyBehavior::Silent);
    let mut client = Client::tcp(proxy.addr());
    client.write(&request);
    assert!(proxy.wait_for_connects(1, PATIENCE));
    assert_eq!(proxy.connects()[0].status(), None);
}

#[test]
fn its_url_takes_credentials() {
    let proxy = ConnectProxy::builder().start().unwrap();
    assert_eq!(proxy.url(), format!("http://{}", proxy.addr()));
    assert_eq!(proxy.url_with_userinfo("a:b"), format!("http://a:b@{}", proxy.addr()));
}
