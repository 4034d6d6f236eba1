//! Which targets are forwarded, and which are refused before anything is sent.

use crate::support::{World, emulator};

#[tokio::test]
async fn a_target_that_servers_read_differently_is_refused_before_anything_is_sent() {
    let world = World::new();
    let table = [
        ("GET", "/loans/../admin"),
        ("GET", "/loans/./1"),
        ("GET", "/.."),
        ("GET", "/loans/.."),
        ("GET", "/loans/%2e%2e/admin"),
        ("GET", "/loans/%2E./admin"),
        ("GET", "/loans/a%2eb"),
        ("GET", "/loans%2fadmin"),
        ("GET", "/loans%5cadmin"),
        ("GET", "/loans\\admin"),
        ("GET", "//evil.example/loans"),
        ("GET", "/loans//1"),
        ("GET", "/loans;v=1/1"),
        ("GET", "/loans%3bv=1/1"),
        ("GET", "/loans/%252e%252e/admin"),
        ("GET", "/loans/%00"),
        ("GET", "/loans/%0d%0aHost:evil"),
        ("GET", "/loans/%7f"),
        ("GET", "/loans/%"),
        ("GET", "/loans/%4"),
        ("GET", "/loans/%zz"),
        ("GET", "/loans/%c0%ae%c0%ae/admin"),
        ("GET", "/loans/{id}"),
        ("GET", "/loans/|"),
        ("GET", "*"),
        ("OPTIONS", "*"),
        ("GET", "http://evil.example/loans"),
        ("GET", "https://127.0.0.1/loans"),
        ("GET", "loans"),
        ("CONNECT", "evil.example:443"),
        ("CONNECT", "/loans"),
        ("TRACE", "/loans"),
    ];
    for (method, target) in table {
        let answer = world.served.request(method, target, "").await;
        assert!(matches!(answer.status, 400 | 501), "{method} {target}: {answer:?}");
    }
    assert_eq!(world.emulator.connections(), 0, "something was sent");
}

#[tokio::test]
async fn sign_in_is_refused_however_its_path_is_written() {
    let world = World::new();
    let table = [
        "/user-management-services-ws/oauth2/002/signInWithPassword",
        "/user-management-services-ws/oauth2/002/refreshIdToken",
        "/user-management-services-ws/oauth2/001/signInWithPassword",
        "/user-management-services-ws/oauth2/002/signInWithPassword/",
        "/USER-management-services-ws/OAuth2/002/signInWithPassword",
        "/user-management-services-ws/%6fauth2/002/signInWithPassword?a=b",
        "/user-management-services-ws/oauth2",
        "/gateway/user-management-services-ws/oauth2/002/signInWithPassword",
    ];
    for target in table {
        let answer = world.served.request("POST", target, "Content-Length: 0\r\n").await;
        assert_eq!((answer.status, answer.code()), (403, "sign_in_path"), "{target}");
    }
    assert_eq!(world.emulator.connections(), 0, "something was sent");
}

#[tokio::test]
async fn a_part_of_the_sign_in_path_may_not_come_from_the_base_url() {
    let emulator = emulator().path_prefix("/user-management-services-ws");
    let world = World::of(emulator, |proxy| proxy);
    let answer = world.served.get("/oauth2/002/signInWithPassword").await;
    assert_eq!(answer.code(), "sign_in_path");
}

#[tokio::test]
async fn other_targets_reach_the_api_below_its_base_url_and_unchanged() {
    let world = World::of(emulator().path_prefix("/gateway"), |proxy| proxy);
    let table = [
        "/",
        "/loans",
        "/loans/",
        "/loans/1?a=b&c=%2F..%2f;d'[]{}",
        "/loans/a%20b/%C3%A9",
        "/loans/...",
        "/loans/a.b~c-d_e!$&'()*+,=:@f",
    ];
    for target in table {
        let answer = world.served.get(target).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "from the API"), "{target}");
        let sent = world.emulator.requests().last().unwrap().uri().to_string();
        assert!(sent.ends_with(&format!("/gateway{target}")), "{sent}");
    }
}

#[tokio::test]
async fn with_prefixes_only_what_is_below_them_is_forwarded() {
    let world = World::with(|proxy| proxy.with_path_prefix("/loans/").with_path_prefix("/rates"));
    for (target, status) in [
        ("/loans", 200),
        ("/loans/1", 200),
        ("/rates?a=/admin", 200),
        ("/loans-of-others", 403),
        ("/LOANS", 403),
        ("/", 403),
        ("/admin?/loans", 403),
    ] {
        assert_eq!(world.served.get(target).await.status, status, "{target}");
    }
    assert_eq!(world.forwarded(), 3);
}

#[tokio::test]
async fn the_server_is_that_of_the_session_whatever_a_request_says() {
    let world = World::new();
    let more = "X-Forwarded-Host: evil.example\r\nX-Original-URL: /admin\r\n";
    assert_eq!(world.served.request("GET", "/loans", more).await.status, 200);
    let requests = world.emulator.requests();
    let authority = world.emulator.addr().to_string();
    let sent = requests.last().unwrap();
    let host = sent.header("host").or(sent.uri().authority().map(|one| one.as_str()));
    assert_eq!(host, Some(authority.as_str()));
}
