//! What operators see.

use std::net::{SocketAddr, TcpListener};

use point_auth_proxy::Proxy;
use tokio::task::JoinHandle;

use crate::support::{Answer, Raw, Served, World, emulator, session, settings};

fn serve(proxy: &Proxy) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = proxy.clone();
    let serving = tokio::spawn(async move {
        proxy.serve_status(listener, std::future::pending()).await.unwrap();
    });
    (address, serving)
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    let mut raw = Raw::connect(address).await;
    raw.write(format!("GET {path} HTTP/1.1\r\nHost: probe\r\n\r\n")).await;
    raw.answer().await
}

#[tokio::test]
async fn it_is_ready_while_it_serves_and_no_longer_when_it_stops() {
    let mut world = World::new();
    let (address, serving) = serve(&world.served.proxy);
    world.served.get("/loans").await;
    assert_eq!(get(address, "/healthz").await.status, 200);
    assert_eq!(get(address, "/readyz").await.status, 200);
    world.served.begin_to_stop();
    world.served.stopped().await;
    assert_eq!(get(address, "/healthz").await.status, 200);
    assert_eq!(get(address, "/readyz").await.status, 503);
    serving.abort();
}

#[tokio::test]
async fn it_is_not_ready_once_its_password_was_denied() {
    let emulator = emulator().start().unwrap();
    let proxy = Proxy::builder(session(&emulator, "a wrong secret"))
        .with_transport_settings(settings(&emulator))
        .build()
        .unwrap();
    let served = Served::on_tcp(proxy.clone());
    let (address, serving) = serve(&proxy);
    assert_eq!(served.get("/loans").await.status, 502);
    assert_eq!(get(address, "/readyz").await.status, 503);
    assert_eq!(get(address, "/healthz").await.status, 200);
    serving.abort();
}

#[tokio::test]
async fn metrics_count_what_happened_and_name_neither_paths_nor_secrets() {
    let world = World::new();
    let (address, serving) = serve(&world.served.proxy);
    for path in ["/loans/secret", "/loans/secret", "/loans/.."] {
        world.served.get(path).await;
    }
    let answer = get(address, "/metrics").await;
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    for line in [
        "point_auth_proxy_responses_total{code=\"200\"} 2",
        "point_auth_proxy_errors_total{error=\"path\"} 1",
        "point_auth_proxy_retries_total 0",
        "point_auth_proxy_requests_in_flight 0",
        "point_auth_proxy_response_seconds_count 3",
        "# EOF",
    ] {
        assert!(answer.body.contains(line), "{line} is not in {}", answer.body);
    }
    assert!(!answer.body.contains("secret"));
    let token = world.session.current_token().unwrap();
    assert!(!answer.body.contains(token.expose()));
    serving.abort();
}

#[tokio::test]
async fn the_status_listener_forwards_nothing() {
    let world = World::new();
    let (address, serving) = serve(&world.served.proxy);
    assert_eq!(get(address, "/loans").await.status, 404);
    let mut raw = Raw::connect(address).await;
    raw.write("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(raw.answer().await.status, 405);
    assert_eq!(world.emulator.connections(), 0);
    serving.abort();
}
