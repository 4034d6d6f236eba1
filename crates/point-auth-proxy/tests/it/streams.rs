//! Bodies of any size in both directions, HTTP/2 on both sides, and clients that go.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use point_auth::transport::ProxySettings;
use point_auth::{Credentials, Session};
use point_auth_proxy::Proxy;
use point_auth_testkit::{ConnectProxy, Fault, Operation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{
    Api, KEY, LONG, PASSWORD, Served, USERNAME, World, client, emulator, impatient, settings,
};

const PROTOCOLS: [&str; 2] = ["h2", "http/1.1"];

pub(crate) type Sender = http2::SendRequest<Full<Bytes>>;

async fn http2(served: &Served) -> Sender {
    http2_with_end(served).await.0
}

/// Returns what sends requests, and what ends with the connection.
pub(crate) async fn http2_with_end(served: &Served) -> (Sender, JoinHandle<()>) {
    let stream = TcpStream::connect(served.address).await.unwrap();
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let end = tokio::spawn(async { drop(connection.await) });
    (sender, end)
}

pub(crate) fn request(served: &Served, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(format!("http://{}{path}", served.address))
        .header("point-auth-client-key", KEY)
        .body(Full::new(body.into()))
        .unwrap()
}

#[tokio::test]
async fn a_large_body_streams_there_and_back() {
    const SIZE: usize = 8 * 1024 * 1024;
    let api = Api::start(&PROTOCOLS).await;
    let served = Served::on_tcp(api.proxy().await);
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head =
        served.head("POST", "/echo", &format!("Content-Length: {SIZE}\r\nConnection: close\r\n"));
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let writing = tokio::spawn(async move {
        let chunk = vec![b'x'; 64 * 1024];
        for _ in 0..SIZE / chunk.len() {
            write.write_all(&chunk).await.unwrap();
        }
        write
    });
    let mut answer = Vec::new();
    timeout(LONG, read.read_to_end(&mut answer)).await.unwrap().unwrap();
    writing.await.unwrap();
    let count = answer.iter().filter(|byte| **byte == b'x').count();
    // Some letters of the head.
    assert!((SIZE..SIZE + 32).contains(&count), "{count}");
}

#[tokio::test]
async fn http_2_works_on_both_sides() {
    for protocol in PROTOCOLS {
        let api = Api::start(&[protocol]).await;
        let served = Served::on_tcp(api.proxy().await);
        let mut sender = http2(&served).await;
        let body = vec![b'x'; 3 * 1024 * 1024];
        let response = sender.send_request(request(&served, "/echo", body.clone())).await.unwrap();
        assert_eq!((response.status(), response.version()), (StatusCode::OK, Version::HTTP_2));
        let spoken = response.headers()["x-was-spoken"].to_str().unwrap().to_owned();
        assert_eq!(spoken, if protocol == "h2" { "HTTP/2.0" } else { "HTTP/1.1" });
        let echoed = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(echoed, body);
    }
}

#[tokio::test]
async fn the_rules_hold_over_http_2_too() {
    let api = Api::start(&PROTOCOLS).await;
    let served = Served::on_tcp(api.proxy().await);
    let mut sender = http2(&served).await;
    let mut status = async |request: Request<Full<Bytes>>| {
        let response = sender.send_request(request).await.unwrap();
        let code = response.headers().get("point-auth-proxy-error");
        let code = code.map_or("", |code| code.to_str().unwrap()).to_owned();
        (response.status().as_u16(), code)
    };
    let good = || request(&served, "/loans", "");
    let mut no_key = good();
    no_key.headers_mut().clear();
    assert_eq!(status(no_key).await, (403, "client_key".to_owned()));
    let mut other_host = good();
    *other_host.uri_mut() = "http://evil.example/loans".parse().unwrap();
    assert_eq!(status(other_host).await, (403, "host".to_owned()));
    let mut two_hosts = good();
    two_hosts.headers_mut().insert("host", "evil.example".parse().unwrap());
    assert_eq!(status(two_hosts).await, (400, "host".to_owned()));
    assert_eq!(status(request(&served, "/loans/%2e%2e/x", "")).await, (400, "path".to_owned()));
    let mut page = good();
    page.headers_mut().insert("origin", "http://localhost".parse().unwrap());
    assert_eq!(status(page).await, (403, "origin".to_owned()));
    assert_eq!(api.requests(), 0, "something was sent");
    assert_eq!(status(good()).await, (200, String::new()));
}

#[tokio::test]
async fn a_client_that_goes_takes_its_request_with_it() {
    let mut api = Api::start(&PROTOCOLS).await;
    let served = Served::on_tcp(api.proxy().await);
    let mut raw = served.connect().await;
    raw.write(served.head("GET", "/hang", "")).await;
    assert_eq!(timeout(LONG, api.hanging.recv()).await.unwrap(), Some(true));
    drop(raw);
    assert_eq!(timeout(LONG, api.hanging.recv()).await.unwrap(), Some(false));
    assert_eq!(served.get("/loans").await.status, 200);
}

#[tokio::test]
async fn a_client_that_goes_in_the_middle_of_its_body_ends_the_request() {
    let api = Api::start(&PROTOCOLS).await;
    let served = Served::on_tcp(api.proxy().await);
    let mut raw = served.connect().await;
    raw.write(served.head("POST", "/echo", "Content-Length: 100\r\n") + "half").await;
    api.wait_for_requests(1).await;
    drop(raw);
    assert_eq!(served.get("/loans").await.status, 200);
}

#[tokio::test]
async fn a_client_that_waits_for_leave_to_send_gets_it_from_the_proxy() {
    let api = Api::start(&["http/1.1"]).await;
    let served = Served::on_tcp(api.proxy().await);
    let mut raw = served.connect().await;
    raw.write(served.head("POST", "/echo", "Content-Length: 4\r\nExpect: 100-continue\r\n")).await;
    assert_eq!(raw.answer().await.status, 100);
    raw.write("data").await;
    assert_eq!(raw.answer().await.body, "data");
}

#[tokio::test]
async fn a_slow_reader_holds_up_the_sender_and_not_the_proxy() {
    let api = Api::start(&["http/1.1"]).await;
    let served = Served::on_tcp(api.proxy().await);
    let mut slow = TcpStream::connect(served.address).await.unwrap();
    let head = served.head("POST", "/echo", "Transfer-Encoding: chunked\r\n");
    slow.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    // Nothing is read back, so after a while nothing more is taken.
    let mut sent = 0;
    while timeout(Duration::from_secs(1), slow.write_all(chunk.as_bytes())).await.is_ok() {
        sent += 0x10000;
        assert!(sent < 256 * 1024 * 1024, "the proxy holds all of it");
    }
    assert_eq!(served.get("/loans").await.status, 200);
}

#[tokio::test]
async fn trailers_stay_behind() {
    let api = Api::start(&PROTOCOLS).await;
    let served = Served::on_tcp(api.proxy().await);
    let mut raw = served.connect().await;
    raw.write(served.head("GET", "/trailers", "TE: trailers\r\nConnection: close\r\n")).await;
    let text = raw.rest().await;
    assert!(text.contains("data") && !text.contains("cookie"), "{text}");
}

#[tokio::test]
async fn a_client_of_http_2_that_gives_up_takes_its_request_with_it() {
    let mut api = Api::start(&PROTOCOLS).await;
    let served = Served::on_tcp(api.proxy().await);
    let mut sender = http2(&served).await;
    let hanging = tokio::spawn(sender.send_request(request(&served, "/hang", "")));
    assert_eq!(timeout(LONG, api.hanging.recv()).await.unwrap(), Some(true));
    hanging.abort();
    assert_eq!(timeout(LONG, api.hanging.recv()).await.unwrap(), Some(false));
    // The connection goes on.
    let response = sender.send_request(request(&served, "/loans", "")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_401_over_http_2_is_answered_by_another_token_and_the_same_body() {
    for (size, status) in [(1024 * 1024, 200), (1024 * 1024 + 1, 401)] {
        let api = Api::start(&PROTOCOLS).await;
        let served = Served::on_tcp(api.proxy().await);
        let mut sender = http2(&served).await;
        api.refuse_after_the_body();
        let body = vec![b'x'; size];
        let response = sender.send_request(request(&served, "/length", body)).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        let text = response.into_body().collect().await.unwrap().to_bytes();
        assert!(status == 401 || text == size.to_string(), "{text:?}");
    }
}

#[tokio::test]
async fn failures_of_http_2_are_502_and_504() {
    let world = World::with(|proxy| proxy.with_limits(impatient()));
    let mut sender = http2(&world.served).await;
    for (fault, status) in [
        (None, 200),
        (Some(Fault::silent()), 504),
        (Some(Fault::goaway(0)), 502),
        (Some(Fault::reset_stream(Fault::REFUSED_STREAM)), 502),
        (Some(Fault::reset_stream(Fault::ENHANCE_YOUR_CALM)), 502),
        (Some(Fault::close_after_request()), 502),
        (None, 200),
    ] {
        let what = format!("{fault:?}");
        if let Some(fault) = fault {
            world.emulator.push_fault_for(Operation::Other, fault);
        }
        let asked = request(&world.served, "/loans", "");
        let response = sender.send_request(asked).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{what}");
    }
}

#[tokio::test]
async fn many_clients_that_are_slow_or_go_hold_up_no_other() {
    let api = Api::start(&PROTOCOLS).await;
    let served = Served::on_tcp(api.proxy().await);
    let mut slow = Vec::new();
    for _ in 0..150 {
        let mut raw = served.connect().await;
        raw.write(served.head("POST", "/echo", "Content-Length: 8\r\n") + "half").await;
        slow.push(raw);
    }
    api.wait_for_requests(150).await;
    let mut other = served.connect().await;
    other.write(served.head("POST", "/echo", "Content-Length: 8\r\n") + "half").await;
    drop(slow);
    other.write("half").await;
    assert_eq!(other.answer().await.body, "halfhalf");
}

#[tokio::test]
async fn the_proxy_on_the_way_to_the_api_sees_no_token() {
    const HOST: &str = "api.example.test";
    let emulator = emulator().host_name(HOST).start().unwrap();
    let way = ConnectProxy::builder()
        .map(format!("{HOST}:443"), emulator.addr())
        .credentials("user", "secret")
        .start()
        .unwrap();
    let through = ProxySettings::url(&way.url_with_userinfo("user:secret")).unwrap();
    let settings = settings(&emulator).with_proxy(through);
    let client = client(&format!("https://{HOST}"), &settings);
    let session = Session::new(client, Credentials::new(USERNAME, PASSWORD).unwrap());
    let proxy = Proxy::builder(session.clone()).with_transport_settings(settings);
    let served = Served::on_tcp(proxy.build().unwrap());
    assert_eq!(served.get("/point-auth-emulator/whoami").await.status, 200);
    assert_eq!(way.count(&format!("{HOST}:443")), 2, "one of the session, and one of the proxy");
    assert!(!way.saw(session.current_token().unwrap().expose()));
}
