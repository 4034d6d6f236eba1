//! Which headers pass.

use point_auth_testkit::{Fault, HttpVersions, Operation};

use crate::support::{World, emulator};

#[tokio::test]
async fn headers_of_the_client_and_of_its_connection_stay_behind() {
    let world = World::new();
    let more = "Connection: close, X-Named, te\r\nX-Named: 1\r\nKeep-Alive: 1\r\nTE: trailers\r\n\
                Trailer: x\r\nProxy-Connection: close\r\nProxy-Authorization: Basic eDp5\r\n\
                Proxy-Whatever: 1\r\nCookie: a=b\r\nCookie2: a=b\r\nForwarded: for=1.2.3.4\r\n\
                X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Anything: 1\r\nX-Real-IP: 1.2.3.4\r\n\
                Via: 1.1 x\r\nSec-Fetch-Mode: cors\r\nAuthorization: Bearer of-the-client\r\n\
                Authorization: Basic eDp5\r\nX-Kept: kept\r\nAccept: text/html\r\n\
                User-Agent: mine/1\r\n";
    let answer = world.served.request("GET", "/loans", more).await;
    assert_eq!(answer.status, 200);
    let requests = world.emulator.requests();
    let sent = requests.last().unwrap();
    let mut names: Vec<&str> = sent.headers().keys().map(|name| name.as_str()).collect();
    names.retain(|name| *name != "host");
    names.sort_unstable();
    assert_eq!(names, ["accept", "authorization", "user-agent", "x-kept"]);
    assert_eq!(sent.headers().get_all("authorization").iter().count(), 1);
    let token = world.session.current_token().unwrap();
    assert_eq!(sent.header("authorization").unwrap(), format!("Bearer {}", token.expose()));
    assert_eq!(sent.header("user-agent"), Some("mine/1"));
}

#[tokio::test]
async fn headers_that_connection_names_cannot_free_a_client_from_the_rules() {
    let world = World::new();
    let more = "Connection: Point-Auth-Client-Key, Host, Authorization, Content-Length\r\n\
                Content-Length: 4\r\n";
    let mut raw = world.served.connect().await;
    raw.write(world.served.head("POST", "/loans", more) + "data").await;
    assert_eq!(raw.answer().await.status, 200);
    let requests = world.emulator.requests();
    assert_eq!(requests.last().unwrap().body().as_ref(), b"data");
    assert!(requests.last().unwrap().header("authorization").is_some());
}

#[tokio::test]
async fn cookies_and_headers_of_the_connection_do_not_come_back() {
    let world = World::of(emulator().http(HttpVersions::Http1Only), |proxy| proxy);
    let fault = Fault::respond(200)
        .header("set-cookie", "a=b")
        .header("set-cookie", "c=d")
        .header("set-cookie2", "a=b")
        .header("alt-svc", "h3=\":443\"")
        .header("connection", "keep-alive, x-named")
        .header("x-named", "1")
        .header("keep-alive", "timeout=5")
        .header("proxy-authenticate", "Basic")
        .header("point-auth-proxy-error", "made_up")
        .header("x-kept", "kept")
        .header("location", "https://elsewhere.example/")
        .body("text");
    world.emulator.push_fault_for(Operation::Other, fault);
    let answer = world.served.get("/loans").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "text"));
    for name in [
        "set-cookie",
        "set-cookie2",
        "alt-svc",
        "x-named",
        "keep-alive",
        "proxy-authenticate",
        "point-auth-proxy-error",
    ] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert_eq!(answer.header("x-kept"), Some("kept"));
    assert_eq!(answer.header("location"), Some("https://elsewhere.example/"));
}

#[tokio::test]
async fn a_redirect_of_the_api_is_the_clients_to_follow() {
    let world = World::new();
    world.emulator.push_fault_for(Operation::Other, Fault::redirect(307, "/elsewhere"));
    let answer = world.served.get("/loans").await;
    assert_eq!((answer.status, answer.header("location")), (307, Some("/elsewhere")));
    assert_eq!(world.forwarded(), 1);
}

#[tokio::test]
async fn an_upgrade_is_refused_and_the_offer_of_http_2_is_ignored() {
    let world = World::new();
    for more in [
        "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n",
        "Connection: upgrade\r\nUpgrade: h2c, websocket\r\n",
        "Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n",
        "Upgrade: websocket\r\n",
    ] {
        let answer = world.served.request("GET", "/loans", more).await;
        assert_eq!((answer.status, answer.code()), (400, "upgrade"), "{more}");
    }
    assert_eq!(world.emulator.connections(), 0, "something was sent");
    // As Java's client does on its first request.
    let offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEA\r\n";
    assert_eq!(world.served.request("GET", "/loans", offer).await.status, 200);
    assert_eq!(world.emulator.requests().last().unwrap().header("http2-settings"), None);
}

#[tokio::test]
async fn a_head_request_says_the_length_and_has_no_body() {
    let world = World::new();
    let mut raw = world.served.connect().await;
    raw.write(world.served.head("HEAD", "/loans", "Connection: close\r\n")).await;
    let text = raw.rest().await.to_ascii_lowercase();
    assert!(text.starts_with("http/1.1 200"), "{text}");
    assert!(text.ends_with("\r\n\r\n"), "{text}");
}
