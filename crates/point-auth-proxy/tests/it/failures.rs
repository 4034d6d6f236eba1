//! What clients get when there is no token, or no response.

use point_auth_proxy::Proxy;
use point_auth_testkit::{Fault, Operation};

use crate::support::{PASSWORD, Served, World, emulator, hasty, impatient, session, settings};

#[tokio::test]
async fn a_denial_is_502_and_the_password_is_sent_once() {
    let emulator = emulator().start().unwrap();
    let session = session(&emulator, "a wrong secret");
    let proxy = Proxy::builder(session).with_transport_settings(settings(&emulator));
    let served = Served::on_tcp(proxy.build().unwrap());
    for _ in 0..5 {
        let answer = served.get("/loans").await;
        assert_eq!((answer.status, answer.code()), (502, "denied"));
        assert_eq!(answer.header("retry-after"), None);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.body.starts_with(r#"{"error":"denied","error_description":""#));
        assert!(!answer.body.contains("a wrong secret"), "{}", answer.body);
    }
    assert_eq!(emulator.requests().len(), 1);
}

#[tokio::test]
async fn no_token_for_the_moment_is_503_with_retry_after() {
    let world = World::new();
    world.emulator.always_for(Operation::SignIn, Fault::respond(503).header("retry-after", "7"));
    let answer = world.served.get("/loans").await;
    assert_eq!((answer.status, answer.code()), (503, "no_token"));
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(!answer.body.contains(PASSWORD));
    assert_eq!(world.forwarded(), 0);
}

#[tokio::test]
async fn an_api_that_is_down_is_502_and_one_that_is_silent_is_504() {
    let world = World::with(|proxy| proxy.with_limits(impatient()));
    // With a good token.
    assert_eq!(world.served.get("/loans").await.status, 200);
    for (fault, status) in [
        (Fault::silent(), 504),
        (Fault::close_after_request(), 502),
        (Fault::reset(), 502),
        (Fault::raw("this is not HTTP\r\n\r\n"), 502),
        (Fault::raw("HTTP/1.1 200 OK\r\nX: ").endless_body(), 502),
    ] {
        let what = format!("{fault:?}");
        world.emulator.push_fault_for(Operation::Other, fault);
        let answer = world.served.get("/loans").await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert!(answer.code().starts_with("upstream_"), "{what}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    assert_eq!(world.served.get("/loans").await.status, 200);
}

#[tokio::test]
async fn a_request_is_not_sent_again_after_a_failure() {
    let world = World::new();
    assert_eq!(world.served.get("/loans").await.status, 200);
    world.emulator.push_fault_for(Operation::Other, Fault::close_pooled_connection());
    let mut raw = world.served.connect().await;
    raw.write(world.served.head("POST", "/loans", "Content-Length: 0\r\n")).await;
    assert_eq!(raw.answer().await.status, 502);
    assert_eq!(world.emulator.count(Operation::Other), 2);
}

#[tokio::test]
async fn a_refused_connection_names_the_server_and_no_path() {
    let mut world = World::new();
    assert_eq!(world.served.get("/loans").await.status, 200);
    let address = world.emulator.addr();
    let token = world.session.current_token().unwrap();
    world.emulator = emulator().start().unwrap();
    let answer = world.served.get("/loans/secret?a=b").await;
    assert_eq!((answer.status, answer.code()), (502, "upstream_connect"));
    assert!(answer.body.contains(&address.to_string()), "{}", answer.body);
    assert!(!answer.body.contains("secret"), "{}", answer.body);
    assert!(!answer.body.contains(token.expose()));
}

#[tokio::test]
async fn an_untrusted_certificate_is_502_and_no_token_is_sent() {
    let emulator = emulator().start().unwrap();
    let other = crate::support::emulator().start().unwrap();
    let session = session(&emulator, PASSWORD);
    session.access_token().await.unwrap();
    let proxy = Proxy::builder(session).with_transport_settings(settings(&other));
    let served = Served::on_tcp(proxy.build().unwrap());
    let answer = served.get("/loans").await;
    assert_eq!((answer.status, answer.code()), (502, "upstream_tls"));
    assert_eq!(emulator.count(Operation::Other), 0);
}

#[tokio::test]
async fn a_response_that_breaks_off_ends_the_connection() {
    let world = World::with(|proxy| proxy.with_limits(hasty()));
    for fault in [
        Fault::respond(200).body("half").content_length(8),
        Fault::respond(200).body_of(1 << 30).cut_after(100_000),
        // Of which nothing more comes.
        Fault::respond(200).body("half").drip_body(2, crate::support::LONG),
    ] {
        let what = format!("{fault:?}");
        world.emulator.push_fault_for(Operation::Other, fault);
        let mut raw = world.served.connect().await;
        raw.write(world.served.head("GET", "/loans", "")).await;
        let text = raw.rest().await;
        // Of one that breaks off at once, nothing comes.
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 200 "), "{what}: {text:.100}");
        assert!(!text.ends_with("0\r\n\r\n"), "{what}: the client takes it for whole");
    }
}
