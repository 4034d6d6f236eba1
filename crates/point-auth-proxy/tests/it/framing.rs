//! Requests that two servers would divide differently, and heads that no server should read.

use crate::support::{KEY, Raw, World, hasty};

/// Sends these bytes after a good request line and the headers that the proxy asks for.
async fn send(world: &World, more: &str) -> String {
    let mut raw = Raw::connect(world.served.address).await;
    raw.try_write(format!(
        "POST /loans HTTP/1.1\r\nHost: {}\r\nPoint-Auth-Client-Key: {KEY}\r\n{more}",
        world.served.address
    ))
    .await;
    raw.rest().await
}

const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn no_request_is_hidden_in_the_body_of_another() {
    let world = World::with(|proxy| proxy.with_limits(hasty()));
    let length = HIDDEN.len();
    let table = [
        // Both framings. The one in chunks counts, and the connection ends.
        format!("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{HIDDEN}"),
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"),
        // Two lengths.
        format!("Content-Length: 0\r\nContent-Length: {length}\r\n\r\n{HIDDEN}"),
        format!("Content-Length: {length}, 0\r\n\r\n{HIDDEN}"),
        format!("Content-Length: 0, {length}\r\n\r\n{HIDDEN}"),
        // Lengths that are none.
        format!("Content-Length: +{length}\r\n\r\n{HIDDEN}"),
        format!("Content-Length: -1\r\n\r\n{HIDDEN}"),
        format!("Content-Length: 0x0\r\n\r\n{HIDDEN}"),
        format!("Content-Length: 99999999999999999999999\r\n\r\n{HIDDEN}"),
        format!("Content-Length : {length}\r\n\r\n{HIDDEN}"),
        format!("Content-Length:\r\n {length}\r\n\r\n{HIDDEN}"),
        // Chunks that are none.
        format!("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{HIDDEN}"),
        format!("Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n{HIDDEN}"),
        format!("Transfer-Encoding: xchunked\r\nContent-Length: {length}\r\n\r\n{HIDDEN}"),
        format!("Transfer-Encoding : chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n{HIDDEN}"),
        format!("Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n{HIDDEN}"),
        format!("Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{HIDDEN}"),
        format!("Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n{HIDDEN}"),
        format!("Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n{HIDDEN}"),
        format!("Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n{HIDDEN}"),
        format!("Transfer-Encoding: chunked\r\n\r\n1\r\nab0\r\n\r\n{HIDDEN}"),
        // Lines that end in other ways, and lines that go on.
        format!("X: y\r\n Content-Length: {length}\r\n\r\n{HIDDEN}"),
        format!("X: y\r\n\tfolded\r\n\r\n{HIDDEN}"),
        format!("X: y\rContent-Length: {length}\r\n\r\n{HIDDEN}"),
        format!("X: y\0\r\nContent-Length: {length}\r\n\r\n{HIDDEN}"),
        format!("X y\r\nContent-Length: {length}\r\n\r\n{HIDDEN}"),
    ];
    for more in table {
        let before = world.forwarded();
        let text = send(&world, &more).await;
        let answers = text.matches("HTTP/1.1 ").count();
        assert!(answers <= 1 || text.contains(" 400 "), "{more:?}: {text}");
        assert!(world.forwarded() <= before + 1, "{more:?}: {text}");
    }
    let paths: Vec<String> =
        world.emulator.requests().iter().map(|one| one.path().to_owned()).collect();
    assert!(!paths.iter().any(|path| path.contains("smuggled")), "{paths:?}");
    assert!(paths.iter().any(|path| path == "/loans"), "the table tests nothing");
}

#[tokio::test]
async fn two_framings_at_once_are_forwarded_as_one_and_end_the_connection() {
    let world = World::new();
    let more = format!(
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n0\r\n\r\n{HIDDEN}"
    );
    let text = send(&world, &more).await;
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
    let requests = world.emulator.requests();
    let sent = requests.last().unwrap();
    assert_eq!(sent.body().as_ref(), b"data");
    assert_eq!(sent.header("content-length"), None);
    assert_eq!(sent.header("transfer-encoding"), Some("chunked"));
}

#[tokio::test]
async fn a_head_is_at_most_8_kib_and_has_at_most_100_headers() {
    let world = World::new();
    let large = format!("X: {}\r\n\r\n", "a".repeat(9 * 1024));
    let many = format!("{}\r\n", "X: y\r\n".repeat(101));
    let long = "a".repeat(9 * 1024);
    for more in [large, many] {
        let text = send(&world, &more).await;
        assert!(text.starts_with("HTTP/1.1 431 "), "{text}");
    }
    let mut raw = world.served.connect().await;
    raw.try_write(format!("GET /{long} HTTP/1.1\r\n\r\n")).await;
    let text = raw.rest().await;
    assert!(text.starts_with("HTTP/1.1 4"), "{text}");
    assert_eq!(world.emulator.connections(), 0, "something was sent");
}

#[tokio::test]
async fn what_is_not_http_gets_no_token() {
    let world = World::new();
    for bytes in [
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}",
        "GET /loans\r\n\r\n",
        "GET /loans HTTP/0.9\r\n\r\n",
        "GET /loans HTTP/1.2\r\n\r\n",
        "GET /loans HTTP/2.0\r\n\r\n",
        "GET  /loans HTTP/1.1\r\n\r\n",
        "GET\t/loans\tHTTP/1.1\r\n\r\n",
        " GET /loans HTTP/1.1\r\n\r\n",
        "GET /lo\0ans HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        let mut raw = world.served.connect().await;
        raw.try_write(bytes).await;
        let text = raw.rest().await;
        assert!(!text.contains(" 200 "), "{bytes:?}: {text}");
    }
    assert_eq!(world.emulator.connections(), 0, "something was sent");
}
