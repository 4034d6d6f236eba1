//! Faults that change what an answer says.

use std::io::Read;

use flate2::read::GzDecoder;
use point_auth_testkit::{Fault, Operation};

use crate::client::{Client, emulator, tls_emulator};

#[test]
fn a_scripted_answer_has_its_status_headers_and_body_and_none_of_its_own() {
    let emulator = emulator();
    emulator.push_fault(
        Fault::respond(429)
            .header("retry-after", "7")
            .header("x-two", "a")
            .header("x-two", "b")
            .body("later"),
    );
    let answer = Client::of(&emulator).sign_in();
    assert_eq!((answer.status, answer.body.as_slice()), (429, &b"later"[..]));
    let mut names: Vec<_> =
        answer.head.lines().skip(1).map(|line| line.split(':').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "date", "retry-after", "x-two", "x-two"]);
    assert_eq!(answer.header("retry-after"), Some("7"));
}

#[test]
fn json_is_labelled_as_json() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(200).json("{}"));
    assert_eq!(Client::of(&emulator).sign_in().header("content-type"), Some("application/json"));
}

#[test]
fn html_looks_like_a_page_of_a_gateway() {
    let emulator = emulator();
    emulator.push_fault(Fault::html(502));
    let answer = Client::of(&emulator).sign_in();
    assert_eq!(answer.status, 502);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(answer.body.starts_with(b"<!doctype html>"));
}

#[test]
fn a_redirect_says_where_to() {
    let emulator = emulator();
    for status in [301, 302, 303, 307, 308] {
        emulator.push_fault(Fault::redirect(status, "http://127.0.0.1:9/elsewhere"));
        let answer = Client::of(&emulator).sign_in();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("location"), Some("http://127.0.0.1:9/elsewhere"));
    }
}

#[test]
fn the_apis_own_answer_takes_more_headers() {
    let emulator = emulator();
    emulator.push_fault(Fault::pass().header("x-more", "yes").header("content-type", "text/plain"));
    let answer = Client::of(&emulator).sign_in();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-more"), Some("yes"));
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert!(answer.text("access_token").len() > 800);
}

#[test]
fn gzip_is_real_gzip_and_says_so() {
    let emulator = emulator();
    emulator.push_fault(Fault::pass().gzip());
    let answer = Client::of(&emulator).sign_in();
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut plain = String::new();
    GzDecoder::new(answer.body.as_slice()).read_to_string(&mut plain).unwrap();
    assert!(plain.contains("access_token"));
}

#[test]
fn a_generated_body_can_be_compressed_into_a_bomb() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(200).body_of(1 << 20).gzip());
    let answer = Client::of(&emulator).sign_in();
    assert!(answer.body.len() < 1 << 16, "{} bytes", answer.body.len());
    let mut plain = Vec::new();
    GzDecoder::new(answer.body.as_slice()).read_to_end(&mut plain).unwrap();
    assert_eq!(plain.len(), 1 << 20);
}

#[test]
fn an_answer_can_say_that_the_connection_ends_and_then_end_it() {
    let emulator = emulator();
    emulator.push_fault(Fault::pass().connection_close());
    let mut client = Client::of(&emulator);
    let answer = client.sign_in();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(client.read_to_end().unwrap(), b"");
}

#[test]
fn an_answer_without_a_length_comes_in_chunks() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(200).body("{}").chunked());
    let answer = Client::of(&emulator).sign_in();
    assert_eq!(answer.header("content-length"), None);
    assert_eq!(answer.body, b"{}");
}

#[test]
fn a_length_can_promise_too_much() {
    for emulator in [emulator(), tls_emulator()] {
        emulator.push_fault(Fault::respond(200).header("x-a", "b").body("{}").content_length(100));
        let mut client = Client::of(&emulator);
        client.send_sign_in();
        let head = client.head().unwrap();
        assert_eq!(head, "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 100");
        assert_eq!(client.read_to_end().unwrap(), b"{}");
    }
}

#[test]
fn a_length_can_promise_too_little() {
    for emulator in [emulator(), tls_emulator()] {
        emulator.push_fault(Fault::pass().content_length(10));
        let mut client = Client::of(&emulator);
        client.send_sign_in();
        assert!(client.head().unwrap().contains("content-length: 10"));
        let body: serde_json::Value =
            serde_json::from_slice(&client.read_to_end().unwrap()).unwrap();
        assert!(body["access_token"].is_string());
    }
}

#[test]
fn framing_that_a_script_writes_down_is_sent_as_it_is() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(200).header("transfer-encoding", "chunked").body("7\r\nno"));
    emulator.push_fault(Fault::respond(200).header("content-length", "-1").body("no"));
    for (header, body) in [("transfer-encoding: chunked", "7\r\nno"), ("content-length: -1", "no")]
    {
        let mut client = Client::of(&emulator);
        client.send_sign_in();
        assert_eq!(client.head().unwrap(), format!("HTTP/1.1 200 OK\r\n{header}"));
        assert_eq!(client.read_to_end().unwrap(), body.as_bytes());
    }
}

#[test]
fn bytes_that_are_no_http_come_as_they_are() {
    for emulator in [emulator(), tls_emulator()] {
        emulator.push_fault(Fault::raw("SSH-2.0-OpenSSH_9.9\r\n"));
        let mut client = Client::of(&emulator);
        client.send_sign_in();
        assert_eq!(client.read_to_end().unwrap(), b"SSH-2.0-OpenSSH_9.9\r\n");
    }
}

#[test]
fn a_header_can_be_endless() {
    let emulator = emulator();
    emulator.push_fault(Fault::raw("HTTP/1.1 200 OK\r\nx: ").endless_body());
    let mut client = Client::of(&emulator);
    client.send_sign_in();
    assert!(client.take(1 << 20).unwrap().ends_with(b"xxxx"));
}

#[test]
#[should_panic(expected = "a status is a number between 200 and 999")]
fn a_status_that_cannot_be_sent_is_reported_where_it_is_written() {
    let _ = Fault::respond(99);
}

#[test]
#[should_panic(expected = "not the value of a header")]
fn a_header_that_cannot_be_sent_is_reported_where_it_is_written() {
    let _ = Fault::respond(200).header("x", "a\nb");
}

#[test]
fn debug_of_a_fault_shows_no_body() {
    let shown = format!("{:?}", Fault::respond(200).header("x", "canary").body("canary"));
    assert!(shown.contains("respond 200"));
    assert!(!shown.contains("canary"), "{shown}");
    assert!(!format!("{:?}", Fault::raw("canary")).contains("canary"));
}

#[test]
fn an_answer_of_the_script_signs_no_user_in() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(200).json(r#"{"access_token":"made-up"}"#));
    let mut client = Client::of(&emulator);
    let token = client.sign_in().text("access_token");
    assert_eq!(client.who_am_i(&token).status, 401);
    assert_eq!(emulator.count(Operation::SignIn), 1);
}
