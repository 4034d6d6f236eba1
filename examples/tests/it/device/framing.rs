//! The end of a body: ambiguous framing is refused, and clear framing is read to its end.

use std::error::Error as _;

use point_auth::transport::{BlockingTransport, SendLimits, TransportError, TransportErrorKind};
use point_auth::{BaseUrl, Credentials, Operation as _, SecretBody, SignIn};
use point_auth_examples::connections::PlainSockets;
use point_auth_examples::device::{BUFFER_BYTES, Device};
use point_auth_testkit::{Emulator, Fault};

fn answered_with(raw: impl Into<Vec<u8>>) -> Result<http::Response<SecretBody>, TransportError> {
    let emulator = Emulator::builder().start().unwrap();
    emulator.push_fault(Fault::raw(raw.into()));
    let base = BaseUrl::parse(&emulator.base_url()).unwrap();
    let request =
        SignIn::new(&Credentials::new("user", "password").unwrap()).to_request(&base).unwrap();
    Device::new(PlainSockets).send(request, &SendLimits::new())
}

/// Checks for a refusal with this reason, after the password has been sent.
fn is_refused(raw: impl Into<Vec<u8>>, why: &str) {
    let raw = raw.into();
    let shown = raw.get(..raw.len().min(100)).unwrap().escape_ascii().to_string();
    let error = answered_with(raw).map(|_| ()).expect_err(&shown);
    assert_eq!(error.kind(), TransportErrorKind::Protocol, "{shown}");
    assert!(error.may_have_been_sent(), "{shown}");
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some(why), "{shown}");
}

fn is_read(raw: impl Into<Vec<u8>>, body: &[u8]) {
    let raw = raw.into();
    let shown = raw.escape_ascii().to_string();
    let response = answered_with(raw).unwrap_or_else(|error| panic!("{error:?}: {shown}"));
    assert_eq!(response.body().as_ref(), body, "{shown}");
}

#[test]
fn two_lengths_are_refused_even_when_they_agree() {
    for other in ["3", "2", "two", ""] {
        is_refused(
            format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nContent-Length: {other}\r\n\r\n{{}}"),
            "there are two lengths",
        );
    }
}

#[test]
fn a_length_that_is_no_number_is_refused() {
    for length in ["", "+2", "-2", "2, 2", "2 2", "0x2", "2.0", "99999999999999999999"] {
        is_refused(
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{{}}"),
            "the length is no number",
        );
    }
}

#[test]
fn a_length_beside_chunks_is_refused() {
    for (one, other) in [
        ("content-length: 2", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", "content-length: 2"),
    ] {
        is_refused(
            format!("HTTP/1.1 200 OK\r\n{one}\r\n{other}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
            "there are a length and chunks",
        );
    }
}

#[test]
fn any_encoding_but_chunks_is_refused() {
    for encoding in [
        "gzip, chunked",
        "chunked, chunked",
        "identity",
        "xchunked",
        "chunked\r\ntransfer-encoding: chunked",
    ] {
        is_refused(
            format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: {encoding}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
            ),
            "the body has an encoding that was not asked for",
        );
    }
    is_refused(
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "there are chunks in HTTP/1.0, which has none",
    );
}

#[test]
fn what_follows_a_body_is_refused() {
    for whole in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n",
    ] {
        assert!(answered_with(whole).is_ok(), "{whole}");
        for more in ["\r\n", "x", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"] {
            is_refused(whole.to_owned() + more, "something follows the body");
        }
    }
}

#[test]
fn a_chunk_that_is_none_is_refused() {
    for chunks in
        ["\r\n", "x\r\n{}", " 2\r\n{}\r\n0\r\n\r\n", "2 2\r\n{}", "ffffffffffffffffff\r\n{}"]
    {
        is_refused(chunked(chunks), "the size of a chunk is none");
    }
    for chunks in ["2\r\n{}0\r\n\r\n", "1\r\n{}\r\n0\r\n\r\n", "2\r\n{}\n\n0\r\n\r\n"] {
        is_refused(chunked(chunks), "a chunk is longer than it says");
    }
    for chunks in
        ["", "2", "2\r\n", "2\r\n{", "2\r\n{}", "2\r\n{}\r\n", "2\r\n{}\r\n0\r\n", "0\r\nx: y\r\n"]
    {
        is_refused(chunked(chunks), "the connection ended in the middle");
    }
    is_refused(
        chunked(&format!("2;{}\r\n{{}}", "x".repeat(300))),
        "the line before a chunk is too long",
    );
    is_refused(
        chunked("2\r\n{}\r\n0\r\nno header\r\n\r\n"),
        "what follows the last chunk is no header",
    );
}

#[test]
fn chunks_are_read_to_their_end() {
    is_read(chunked("2\r\n{}\r\n0\r\n\r\n"), b"{}");
    is_read(chunked("1\r\n{\r\n001\r\n}\r\n000\r\n\r\n"), b"{}");
    is_read(chunked("2;name=value\r\n{}\r\n0;last\r\n\r\n"), b"{}");
    is_read(chunked("2\r\n{}\r\n0\r\nexpires: never\r\nx: y\r\n\r\n"), b"{}");
    is_read(chunked("A\r\n0123456789\r\n0\r\n\r\n"), b"0123456789");
    is_read("HTTP/1.1 200 OK\r\ntransfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n", b"");
}

#[test]
fn a_body_larger_than_the_buffer_is_read_in_either_framing() {
    let body = vec![b'x'; 3 * BUFFER_BYTES + 1];
    let length = body.len();
    let plain = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    is_read([plain.as_bytes(), &body].concat(), &body);
    let chunk = chunked(&format!("{length:x}\r\n"));
    is_read([chunk.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat(), &body);
}

#[test]
fn a_head_must_fit_into_the_buffer() {
    let filled = |bytes: usize| {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: ";
        format!("{head}{}\r\n\r\n{{}}", "x".repeat(bytes - head.len() - 4))
    };
    is_read(filled(BUFFER_BYTES), b"{}");
    is_refused(
        filled(BUFFER_BYTES + 1),
        "the head, or the line of a chunk, does not fit into the buffer",
    );
}

#[test]
fn nobody_changes_the_protocol() {
    is_refused(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n",
        "the server changes the protocol unasked",
    );
}

fn chunked(chunks: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}")
}
