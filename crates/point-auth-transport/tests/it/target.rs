//! The requests and headers that no adapter sends.

use http::request::Parts;
use http::{HeaderValue, Request};
use point_auth_transport::{TransportErrorKind, check_head};

use crate::{CANARY, printed};

fn head(url: &str) -> Parts {
    Request::post(url).body(()).unwrap().into_parts().0
}

#[test]
fn https_anywhere_and_http_to_this_machine_are_targets() {
    for url in [
        "http://127.0.0.1:80/",
        "http://127.1.2.3/",
        "http://[::1]:8080/",
        "http://LocalHost/",
        "https://api.pointservices.com/a?b",
        "https://[::1]:8443",
    ] {
        check_head(&mut head(url), true).unwrap();
    }
}

#[test]
fn everything_else_is_refused_before_anything_is_sent_and_not_repeated() {
    let canary = CANARY.to_ascii_lowercase();
    for url in [
        "/path",
        "example.com",
        "ftp://example.com/",
        "http://example.com/",
        "http://localhost.example.com/",
        "http://sub.localhost/",
        "http://localhost./",
        "http://127.0.0.1.example.com/",
        "http://128.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        &format!("https://u:{canary}@example.com/"),
    ] {
        let error = check_head(&mut head(url), true).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Other, "{url}");
        assert!(!error.may_have_been_sent(), "{url}");
        assert!(!printed(&error).contains(&canary), "{url}");
    }
}

#[test]
fn https_without_tls_is_a_failure_of_tls() {
    let error = check_head(&mut head("https://example.com/"), false).unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_sent()), (TransportErrorKind::Tls, false));
    check_head(&mut head("http://127.0.0.1/"), false).unwrap();
}

#[test]
fn the_method_connect_is_refused() {
    let (mut head, ()) = Request::connect("https://example.com/").body(()).unwrap().into_parts();
    assert_eq!(check_head(&mut head, true).unwrap_err().kind(), TransportErrorKind::Other);
}

#[test]
fn only_the_headers_of_the_connection_are_removed() {
    let mut head = head("https://example.com/");
    for name in [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "trailer",
        "upgrade",
        "expect",
    ] {
        head.headers.append(name, HeaderValue::from_static("1"));
        head.headers.append(name, HeaderValue::from_static("2"));
    }
    head.headers.append("authorization", HeaderValue::from_static("Bearer a"));
    head.headers.append("content-type", HeaderValue::from_static("application/json"));
    check_head(&mut head, true).unwrap();
    let mut left: Vec<&str> = head.headers.keys().map(|name| name.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, ["authorization", "content-type"]);
}
