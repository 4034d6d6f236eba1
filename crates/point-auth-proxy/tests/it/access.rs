//! Who may use a listener on TCP.

use point_auth_proxy::{ClientKey, ClientKeyError, Listener, Proxy};

use crate::support::{KEY, Raw, Served, World, emulator, sessions, settings};

async fn raw(world: &World, head: &str) -> (u16, String) {
    let mut raw = Raw::connect(world.served.address).await;
    raw.write(head.replace("ADDRESS", &world.served.address.to_string())).await;
    let answer = raw.answer().await;
    (answer.status, answer.code().to_owned())
}

#[tokio::test]
async fn only_one_right_client_key_gets_a_token() {
    let world = World::new();
    let wrong = [
        String::new(),
        "Point-Auth-Client-Key: \r\n".to_owned(),
        format!("Point-Auth-Client-Key: {}\r\n", &KEY[1..]),
        format!("Point-Auth-Client-Key: {KEY}0\r\n"),
        format!("Point-Auth-Client-Key: {}\r\n", KEY.to_uppercase()),
        format!("Point-Auth-Client-Key: {KEY}\r\nPoint-Auth-Client-Key: {KEY}\r\n"),
        format!("Point-Auth-Client-Key: {KEY}, {KEY}\r\n"),
        format!("Authorization: Bearer {KEY}\r\n"),
    ];
    for more in wrong {
        let head = format!("GET /loans HTTP/1.1\r\nHost: ADDRESS\r\n{more}\r\n");
        assert_eq!(raw(&world, &head).await, (403, "client_key".to_owned()), "{more}");
    }
    assert_eq!(world.emulator.connections(), 0, "something was sent");
    assert_eq!(world.served.get("/loans").await.status, 200);
    let requests = world.emulator.requests();
    let is_shown = requests.iter().any(|one| format!("{one:?}{:?}", one.headers()).contains(KEY));
    assert!(!is_shown, "the API has got the client key");
}

#[tokio::test]
async fn a_host_that_is_not_the_proxys_own_is_refused() {
    let world = World::new();
    let port = world.served.address.port();
    let key = format!("Point-Auth-Client-Key: {KEY}\r\n");
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        format!("127.0.0.1:+{port}"),
        format!("127.0.0.2:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("user@127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        String::new(),
        "a b".to_owned(),
    ] {
        let (status, code) =
            raw(&world, &format!("GET /loans HTTP/1.1\r\nHost: {host}\r\n{key}\r\n")).await;
        assert!(matches!(status, 400 | 403) && code == "host", "{host}: {status} {code}");
    }
    for head in [
        format!("GET /loans HTTP/1.1\r\n{key}\r\n"),
        format!("GET /loans HTTP/1.0\r\n{key}\r\n"),
        format!("GET /loans HTTP/1.1\r\nHost: ADDRESS\r\nHost: ADDRESS\r\n{key}\r\n"),
        format!("GET /loans HTTP/1.1\r\nHost: ADDRESS\r\nHost: evil.example\r\n{key}\r\n"),
    ] {
        let (status, code) = raw(&world, &head).await;
        assert!(matches!(status, 400 | 403) && code == "host", "{head}: {status} {code}");
    }
    assert_eq!(world.emulator.connections(), 0, "something was sent");
    for host in [format!("127.0.0.1:{port}"), format!("LOCALHOST:{port}")] {
        let head = format!("GET /loans HTTP/1.1\r\nHost: {host}\r\n{key}\r\n");
        assert_eq!(raw(&world, &head).await.0, 200, "{host}");
    }
}

#[tokio::test]
async fn a_page_in_a_browser_is_refused_even_without_a_client_key() {
    let mut world = World::new();
    let listener = Listener::tcp_without_client_key("127.0.0.1:0".parse().unwrap()).unwrap();
    world.served = Served::on(world.served.proxy.clone(), listener);
    for more in [
        "Origin: https://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Dest: image",
        "Sec-Fetch-User: ?1",
    ] {
        let head = format!("GET /loans HTTP/1.1\r\nHost: ADDRESS\r\n{more}\r\n\r\n");
        assert_eq!(raw(&world, &head).await, (403, "origin".to_owned()), "{more}");
    }
    let preflight = "OPTIONS /loans HTTP/1.1\r\nHost: ADDRESS\r\nOrigin: http://localhost\r\n\
                     Access-Control-Request-Method: POST\r\n\r\n";
    assert_eq!(raw(&world, preflight).await.0, 403);
    assert_eq!(world.emulator.connections(), 0, "something was sent");
    let plain = "GET /loans HTTP/1.1\r\nHost: ADDRESS\r\n\r\n";
    assert_eq!(raw(&world, plain).await.0, 200);
}

#[tokio::test]
async fn it_listens_on_loopback_alone() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let key = ClientKey::new(KEY).unwrap();
        let error = Listener::tcp(address.parse().unwrap(), key).unwrap_err();
        assert!(error.to_string().contains("loopback"), "{error}");
    }
    let any = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    assert!(Listener::from_tcp(any, None).is_err());
}

#[tokio::test]
async fn an_alias_is_one_of_the_list_and_nothing_that_a_client_makes_up() {
    let emulator = emulator().start().unwrap();
    emulator
        .always_for(point_auth_testkit::Operation::Other, point_auth_testkit::Fault::respond(200));
    let proxy = Proxy::builder_by_alias(sessions(&emulator), ["jane", "joe smith"])
        .with_transport_settings(settings(&emulator));
    let served = Served::on_tcp(proxy.build().unwrap());
    let ask = |more: String| {
        let served = &served;
        async move { served.request("GET", "/loans", &more).await }
    };
    for (more, status) in [
        (String::new(), 400),
        ("Point-Auth-User-Alias: \r\n".to_owned(), 403),
        ("Point-Auth-User-Alias: Jane\r\n".to_owned(), 403),
        ("Point-Auth-User-Alias: jane@evil.example\r\n".to_owned(), 403),
        ("Point-Auth-User-Alias: jane, joe smith\r\n".to_owned(), 403),
        ("Point-Auth-User-Alias: jane\r\nPoint-Auth-User-Alias: jane\r\n".to_owned(), 400),
        ("Point-Auth-User-Alias: jane\u{e9}\r\n".to_owned(), 403),
        ("Point-Auth-User-Alias: jane\"}\r\n".to_owned(), 403),
        // A header injected by a bare line feed or a carriage return.
        ("Point-Auth-User-Alias: eve\nAuthorization: x\r\n".to_owned(), 403),
        ("Point-Auth-User-Alias: jane\rX: y\r\n".to_owned(), 400),
    ] {
        let answer = ask(more.clone()).await;
        assert_eq!(answer.status, status, "{more:?}");
        assert!(!answer.body.contains("jane"), "{more:?}: {}", answer.body);
    }
    assert_eq!(emulator.connections(), 0, "something was sent");
    for alias in ["jane", "joe smith"] {
        assert_eq!(ask(format!("Point-Auth-User-Alias: {alias}\r\n")).await.status, 200);
        let requests = emulator.requests();
        assert_eq!(requests.iter().rev().nth(1).unwrap().user_alias(), Some(alias));
        assert_eq!(requests.last().unwrap().header("point-auth-user-alias"), None);
    }
}

#[tokio::test]
async fn a_default_alias_serves_requests_that_name_none() {
    let emulator = emulator().start().unwrap();
    let build = |default: &str| {
        Proxy::builder_by_alias(sessions(&emulator), ["jane"])
            .with_transport_settings(settings(&emulator))
            .with_default_alias(default)
            .build()
    };
    assert!(build("joe").is_err());
    let served = Served::on_tcp(build("jane").unwrap());
    let answer = served.get("/point-auth-emulator/whoami").await;
    assert!(answer.body.contains("jane"), "{answer:?}");
}

#[tokio::test]
async fn a_proxy_of_one_session_takes_no_alias() {
    let world = World::new();
    let answer = world.served.request("GET", "/loans", "Point-Auth-User-Alias: jane\r\n").await;
    assert_eq!((answer.status, answer.code()), (403, "alias"));
}

#[test]
fn a_client_key_is_long_and_visible() {
    assert!(matches!(ClientKey::new("short"), Err(ClientKeyError::Length)));
    assert!(matches!(ClientKey::new([b'a'; 257]), Err(ClientKeyError::Length)));
    assert!(matches!(ClientKey::new([b' '; 40]), Err(ClientKeyError::Character)));
    let key = ClientKey::new(KEY).unwrap();
    assert!(!format!("{key:?}").contains(KEY));
}
