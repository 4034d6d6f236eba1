//! What the emulator takes and answers, held against `point-auth-core`, with which it shares no
//! code.

use std::time::Duration;

use point_auth_core::SignIn;
use point_auth_core::{BaseUrl, BaseUrlError, Credentials, Operation as _, TokenSet};
use point_auth_testkit::{Emulator, Error};

use crate::client::{Client, PASSWORD, USER};

/// What the emulator and `BaseUrl` make of the prefix below one server.
#[track_caller]
fn both(prefix: &str) -> (Result<String, Error>, Result<String, BaseUrlError>) {
    let started = Emulator::builder().path_prefix(prefix).start();
    let Ok(emulator) = started else {
        let parsed = BaseUrl::parse(&format!("http://127.0.0.1:49152{prefix}"));
        return (Err(started.unwrap_err()), parsed.map(|url| url.to_string()));
    };
    let server = format!("http://{}", emulator.addr());
    let parsed = BaseUrl::parse(&format!("{server}{prefix}"));
    (Ok(emulator.base_url()), parsed.map(|url| url.to_string()))
}

#[track_caller]
fn are_alike(prefix: &str) {
    match both(prefix) {
        (Ok(served), Ok(parsed)) => assert_eq!(served, parsed, "{prefix:?}"),
        (Err(Error::PathPrefix), Err(_)) => {}
        other => panic!("{prefix:?}: {other:?}"),
    }
}

#[test]
fn a_path_prefix_is_what_a_base_url_takes_as_a_path_in_its_form() {
    for prefix in [
        "",
        "/",
        "//",
        "/a",
        "/a/",
        "/a//",
        "//a",
        "/a/b",
        "/a/b/",
        "/a//b",
        "a",
        "a/b",
        "a/",
        " /a",
        "/a ",
        "/a b",
        "/\u{e9}",
        "/a\tb",
        "/a\n",
        "/.",
        "/..",
        "/./",
        "/../",
        "/a/.",
        "/a/..",
        "/a/./b",
        "/a/../b",
        "/...",
        "/.a",
        "/a.",
        "/%2e",
        "/%2E%2e",
        "/.%2e",
        "/%2e.",
        "/%2e%2e/",
        "/%2e%2e%2e",
        "/%2ea",
        "/a%2e",
        "/%",
        "/%2",
        "/%2/",
        "/%zz",
        "/%2g",
        "/%20",
        "/%2f",
        "/%5c",
        "/%00",
        "/%41",
        "/%c3%a9",
        "/?",
        "/a?",
        "/a?b",
        "?a",
        "/#",
        "/a#b",
        "#",
        "/a\\b",
        "\\",
        "@a",
        ":1",
        "/a@b",
        "/a:b",
        "/;a=b",
        "/~a",
        "/A/b",
        "/%2F",
        "/-._~!$&'()*+,;=:@",
    ] {
        are_alike(prefix);
    }
    for byte in 0..=255_u8 {
        are_alike(&format!("/{}", char::from(byte)));
        are_alike(&format!("/a{}b", char::from(byte)));
    }
}

#[test]
fn a_path_prefix_is_as_long_as_a_base_url_lets_it_be() {
    let server = "http://127.0.0.1:49152".len();
    for length in BaseUrl::MAX_BYTES - server - 2..=BaseUrl::MAX_BYTES - server + 2 {
        let prefix = format!("/{}", "a".repeat(length - 1));
        are_alike(&prefix);
        are_alike(&format!("{prefix}/"));
    }
}

#[test]
fn the_api_is_served_below_the_prefix_in_its_form() {
    let emulator = Emulator::builder().user(USER, PASSWORD).path_prefix("/%41/b/").start().unwrap();
    assert!(emulator.base_url().ends_with("/%41/b"));
    let path = format!("/%41/b{}", point_auth_testkit::Operation::SignIn.path());
    let mut client = Client::of(&emulator);
    let body = crate::client::sign_in_body(USER, PASSWORD);
    client.send("POST", &path, "content-type: application/json\r\n", &body);
    assert_eq!(client.response().status, 200);
}

#[test]
fn a_life_beyond_the_end_of_time_is_an_answer_that_core_reads_and_a_token_that_is_good() {
    for life in [Duration::from_secs(u64::MAX), Duration::MAX] {
        let emulator =
            Emulator::builder().user(USER, PASSWORD).access_token_life(life).start().unwrap();
        let mut client = Client::of(&emulator);
        let answer = client.sign_in();
        assert_eq!(answer.json()["expires_in"], u64::MAX);
        let credentials = Credentials::new(USER, PASSWORD).unwrap();
        let response = http::Response::builder()
            .header("content-type", "application/json")
            .body(&answer.body)
            .unwrap();
        let tokens = SignIn::new(&credentials).parse_response(&response).unwrap();
        assert_eq!(tokens.expires_in(), TokenSet::MAX_EXPIRES_IN);
        assert_eq!(client.who_am_i(tokens.access_token().expose()).status, 200);
        emulator.clock().advance(Duration::from_secs(1 << 40));
        assert_eq!(client.who_am_i(tokens.access_token().expose()).status, 200);
    }
}
