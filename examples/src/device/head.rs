//! Writes the head of the request, and reads the head of the response with the framing of its body.

use std::io::{self, Read, Write};

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};
use point_auth::transport::TransportError;

use super::refused;
use super::wire::{Incoming, Outgoing};

/// On the stack, 32 bytes each on a 64-bit machine.
pub(super) const MAX_HEADERS: usize = 64;
/// No server sends this many before a response.
const MAX_INTERIM_RESPONSES: usize = 16;

/// The end of a response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is no body.
    NoBody,
    /// After this many bytes.
    Length(u64),
    /// After an empty chunk.
    Chunks,
    /// At the end of the connection.
    Connection,
}

pub(super) fn write(
    out: &mut Outgoing<impl Read + Write>,
    head: &Parts,
    body_length: usize,
) -> io::Result<()> {
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let host = head.uri.authority().map_or("", |authority| authority.as_str());
    for part in
        [head.method.as_str(), " ", path, " HTTP/1.1\r\nhost: ", host, "\r\nconnection: close\r\n"]
    {
        out.put(part.as_bytes())?;
    }
    if body_length > 0 || matches!(head.method, Method::POST | Method::PUT | Method::PATCH) {
        out.put(format!("content-length: {body_length}\r\n").as_bytes())?;
    }
    for (name, value) in &head.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.put(part)?;
        }
    }
    out.put(b"\r\n")
}

/// Reads up to the end of the head, and skips interim responses.
pub(super) fn read(
    wire: &mut Incoming<impl Read>,
    method: &Method,
) -> Result<(Response<()>, Framing), TransportError> {
    for _ in 0..=MAX_INTERIM_RESPONSES {
        let head = loop {
            match parse(wire.arrived())? {
                Some(head) => break head,
                None => wire.more()?,
            }
        };
        wire.use_up(head.length);
        let Some(response) = head.response else { continue };
        let framing = framing(&response, method)?;
        return Ok((response, framing));
    }
    Err(refused("there are too many interim responses"))
}

struct Head {
    /// In bytes, to the end of the empty line.
    length: usize,
    /// None for an interim response.
    response: Option<Response<()>>,
}

/// Parses the head, if it is complete.
fn parse(bytes: &[u8]) -> Result<Option<Head>, TransportError> {
    let no_head = || refused("the head of the response is none");
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(bytes).map_err(|_| no_head())? else {
        return Ok(None);
    };
    let status = StatusCode::from_u16(head.code.unwrap_or_default()).map_err(|_| no_head())?;
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused("the server changes the protocol unasked"));
    }
    if status.is_informational() {
        return Ok(Some(Head { length, response: None }));
    }
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.version_mut() =
        if head.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    for header in head.headers {
        let name = HeaderName::try_from(header.name).map_err(|_| no_head())?;
        let value = HeaderValue::from_bytes(header.value).map_err(|_| no_head())?;
        response.headers_mut().append(name, value);
    }
    Ok(Some(Head { length, response: Some(response) }))
}

// ANCHOR: framing
/// RFC 9112, section 6.3, without its leniency. A response with two lengths is ambiguous, and a
/// proxy may have read another body than this reader would.
fn framing(response: &Response<()>, method: &Method) -> Result<Framing, TransportError> {
    let length = content_length(response.headers())?;
    let is_chunked = is_chunked(response.headers())?;
    if is_chunked && response.version() == Version::HTTP_10 {
        return Err(refused("there are chunks in HTTP/1.0, which has none"));
    }
    let status = response.status();
    match (length, is_chunked) {
        (Some(_), true) => Err(refused("there are a length and chunks")),
        _ if method == Method::HEAD
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED =>
        {
            Ok(Framing::NoBody)
        }
        (Some(length), false) => Ok(Framing::Length(length)),
        (None, true) => Ok(Framing::Chunks),
        (None, false) => Ok(Framing::Connection),
    }
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, TransportError> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(refused("there are two lengths"));
    }
    // The parser of numbers would accept a sign too.
    let digits =
        value.to_str().ok().filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .map(Some)
        .ok_or_else(|| refused("the length is no number"))
}

fn is_chunked(headers: &HeaderMap) -> Result<bool, TransportError> {
    let mut values = headers.get_all(TRANSFER_ENCODING).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(false),
        (Some(value), None) if value.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(true),
        _ => Err(refused("the body has an encoding that was not asked for")),
    }
}
// ANCHOR_END: framing
