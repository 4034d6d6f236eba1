//! [`Exchange`]: the callbacks of libcurl. The request's body goes out once, and the response is
//! read up to its limits.

use curl::easy::{Easy2, Handler, List, ReadError, SeekResult, WriteError};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};
use point_auth::SecretBody;
use point_auth::transport::{CappedBody, ScrubbedError, TransportError, TransportErrorKind};
use socket2::Socket;
use zeroize::Zeroizing;

/// The maximum size of all heads of an exchange: the proxy's, interim ones and the final one.
const MAX_HEAD_BYTES: usize = 64 * 1024;

pub(super) struct Exchange {
    request: SecretBody,
    handed_out: usize,
    has_socket: bool,
    head: Head,
    head_bytes: usize,
    body: CappedBody,
    failure: Option<TransportError>,
}

/// The current or the last head.
#[derive(Default)]
struct Head {
    version: Version,
    status: StatusCode,
    headers: HeaderMap,
    is_complete: bool,
}

impl Exchange {
    pub(super) fn new(request: SecretBody, max_response_bytes: usize) -> Self {
        Self {
            request,
            handed_out: 0,
            has_socket: false,
            head: Head::default(),
            head_bytes: 0,
            body: CappedBody::new(max_response_bytes),
            failure: None,
        }
    }

    /// Allows one more socket, to try the next address after a failure to connect.
    pub(super) fn allow_a_socket(&mut self) -> &mut Self {
        self.has_socket = false;
        self
    }

    pub(super) fn body_length(&self) -> usize {
        self.request.len()
    }

    /// Returns whether the request has a body of which no byte was handed out.
    pub(super) fn is_certainly_unsent(&self) -> bool {
        !self.request.is_empty() && self.handed_out == 0
    }

    /// Returns why this side ended the exchange, if it did.
    pub(super) fn failure(&self) -> Option<TransportError> {
        self.failure.clone()
    }

    pub(super) fn take_response(&mut self) -> Result<Response<SecretBody>, TransportError> {
        if !self.head.is_complete {
            return Err(refused("there is no response"));
        }
        lengths_agree(&self.head.headers)?;
        let body = std::mem::replace(&mut self.body, CappedBody::new(0));
        let head = std::mem::take(&mut self.head);
        let mut response = Response::new(body.finish());
        *response.status_mut() = head.status;
        *response.version_mut() = head.version;
        *response.headers_mut() = head.headers;
        Ok(response)
    }

    fn head_line(&mut self, line: &[u8]) -> Result<(), TransportError> {
        self.head_bytes = self.head_bytes.saturating_add(line.len());
        if self.head_bytes > MAX_HEAD_BYTES {
            return Err(refused("the head is too long"));
        }
        if line.starts_with(b"HTTP/") {
            // The previous head was the proxy's, or an interim response.
            self.head =
                Head::of_status_line(line).ok_or_else(|| refused("the status line is none"))?;
        } else if !self.head.is_complete {
            self.head.line(line).ok_or_else(|| refused("a header is none"))?;
        }
        // A line after the head is a trailer, which is dropped.
        Ok(())
    }
}

impl Head {
    fn of_status_line(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line.trim_ascii_end()).ok()?;
        let mut words = line.split(' ');
        let version = match words.next()? {
            "HTTP/1.0" => Version::HTTP_10,
            "HTTP/1.1" => Version::HTTP_11,
            "HTTP/2" => Version::HTTP_2,
            _ => return None,
        };
        let status = words.next()?.parse().ok()?;
        Some(Self { version, status, headers: HeaderMap::new(), is_complete: false })
    }

    fn line(&mut self, line: &[u8]) -> Option<()> {
        if line.trim_ascii().is_empty() {
            self.is_complete = true;
            return Some(());
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let name = HeaderName::from_bytes(name).ok()?;
        let value = HeaderValue::from_bytes(value.strip_prefix(b":")?.trim_ascii()).ok()?;
        self.headers.append(name, value);
        Some(())
    }
}

// ANCHOR: callbacks
impl Handler for &mut Exchange {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let left = self.request.as_ref().get(self.handed_out..).unwrap_or_default();
        let count = left.len().min(buffer.len());
        buffer.iter_mut().zip(left).for_each(|(to, from)| *to = *from);
        self.handed_out += count;
        Ok(count)
    }

    /// libcurl rewinds the body to send it again.
    fn seek(&mut self, _: std::io::SeekFrom) -> SeekResult {
        SeekResult::Fail
    }

    /// libcurl opens a second socket to send a request without a body again.
    fn open_socket(&mut self, family: i32, kind: i32, protocol: i32) -> Option<RawSocket> {
        if std::mem::replace(&mut self.has_socket, true) {
            self.failure = Some(refused("the server wants the request again"));
            return None;
        }
        Socket::new(family.into(), kind.into(), Some(protocol.into())).ok().map(into_raw)
    }

    fn header(&mut self, line: &[u8]) -> bool {
        match self.head_line(line) {
            Ok(()) => true,
            Err(error) => {
                self.failure = Some(error);
                false
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, WriteError> {
        match self.body.push(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.failure = Some(error);
                // Any number but the right one ends the transfer.
                Ok(usize::from(bytes.is_empty()))
            }
        }
    }

    /// libcurl's default would print, if it were ever verbose.
    fn debug(&mut self, _: curl::easy::InfoType, _: &[u8]) {}
}
// ANCHOR_END: callbacks

#[cfg(unix)]
use std::os::fd::RawFd as RawSocket;
#[cfg(windows)]
use std::os::windows::io::RawSocket;

#[cfg(unix)]
fn into_raw(socket: Socket) -> RawSocket {
    std::os::fd::IntoRawFd::into_raw_fd(socket)
}

#[cfg(windows)]
fn into_raw(socket: Socket) -> RawSocket {
    std::os::windows::io::IntoRawSocket::into_raw_socket(socket)
}

/// Sets the method, the headers and the length of the body, and removes the headers that libcurl
/// would add.
pub(super) fn describe(easy: &mut Easy2<&mut Exchange>, head: &Parts) -> Result<(), curl::Error> {
    let length = easy.get_ref().body_length();
    let has_body = length > 0 || matches!(head.method, Method::POST | Method::PUT | Method::PATCH);
    if has_body {
        easy.post(true)?;
        easy.post_field_size(u64::try_from(length).unwrap_or(u64::MAX))?;
    } else if head.method == Method::HEAD {
        easy.nobody(true)?;
    } else {
        easy.get(true)?;
    }
    if head.method != Method::HEAD && !(has_body && head.method == Method::POST) {
        easy.custom_request(head.method.as_str())?;
    }

    let mut list = List::new();
    for (name, value) in &head.headers {
        list.append(&line(name, value)?)?;
    }
    for (name, removed) in [(ACCEPT, "Accept:"), (CONTENT_TYPE, "Content-Type:")] {
        if !head.headers.contains_key(name) {
            list.append(removed)?;
        }
    }
    list.append("Expect:")?;
    easy.http_headers(list)
}

/// A line for libcurl, in memory that is wiped; libcurl's copy is not.
fn line(name: &HeaderName, value: &HeaderValue) -> Result<Zeroizing<String>, curl::Error> {
    let Ok(value) = std::str::from_utf8(value.as_bytes()) else {
        return Err(curl::Error::new(CURLE_BAD_FUNCTION_ARGUMENT));
    };
    let mut line = Zeroizing::new(String::with_capacity(name.as_str().len() + value.len() + 2));
    line.push_str(name.as_str());
    // With a colon and nothing after it, libcurl would omit the header.
    line.push_str(if value.is_empty() { ";" } else { ": " });
    line.push_str(value);
    Ok(line)
}

/// From curl.h; the crate does not export its numbers.
const CURLE_BAD_FUNCTION_ARGUMENT: u32 = 43;

/// libcurl accepts a response with two lengths and selects one.
fn lengths_agree(headers: &HeaderMap) -> Result<(), TransportError> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let first = lengths.next();
    if lengths.any(|other| Some(other) != first) {
        return Err(refused("there are two lengths"));
    }
    if first.is_some() && headers.contains_key(TRANSFER_ENCODING) {
        return Err(refused("there are a length and chunks"));
    }
    Ok(())
}

fn refused(why: &'static str) -> TransportError {
    TransportError::new(TransportErrorKind::Protocol).with_source(ScrubbedError::new(why))
}
