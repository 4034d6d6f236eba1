//! The HTTP stack of the shortest transport in the book: HTTP/1.1 over plain sockets, with one
//! connection for each request.

use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use zeroize::Zeroizing;

use crate::sockets::{Deadline, Socket};

// ANCHOR: stack
/// Whether the stack speaks TLS.
pub const HAS_TLS: bool = false;

const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
const MAX_INTERIM_RESPONSES: usize = 16;

/// A connection to a server.
#[derive(Debug)]
pub struct Connection(Socket);

/// A response, whose body is still to be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body. An early end is an error.
    pub body: Body,
}

/// The body of a response.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    framing: Framing,
}

/// The end of the body.
#[derive(Debug)]
enum Framing {
    /// After this many bytes.
    Length(u64),
    /// After an empty chunk. This many bytes are left of the current chunk.
    Chunks(u64),
    /// At the end of the connection.
    Connection,
}

/// Connects by `connect_timeout`, and ends everything by `total_timeout`, both from now.
///
/// # Errors
/// When there is no connection.
pub fn connect(
    uri: &Uri,
    connect_timeout: Duration,
    total_timeout: Duration,
) -> io::Result<Connection> {
    let end_by = Deadline::after(total_timeout);
    let connect_by = Deadline::after(connect_timeout).or_before(end_by);
    let host = uri.host().unwrap_or_default();
    let mut socket = Socket::connect(host, uri.port_u16().unwrap_or(80), connect_by)?;
    socket.set_deadline(end_by);
    Ok(Connection(socket))
}

impl Connection {
    /// Sends the request once, and reads the head of the response.
    ///
    /// # Errors
    /// When the connection closes early, the time is over, or the server violates HTTP.
    pub fn send(mut self, head: &Parts, body: &[u8]) -> io::Result<Answer> {
        self.0.write_all(&head_of(head, body.len())?)?;
        self.0.write_all(body)?;
        let mut incoming = Incoming::new(self.0);
        for _ in 0..=MAX_INTERIM_RESPONSES {
            let (status, headers) = read_head(&mut incoming)?;
            if !status.is_informational() {
                let framing = framing(&head.method, status, &headers)?;
                return Ok(Answer { status, headers, body: Body { incoming, framing } });
            }
        }
        Err(invalid("there are too many interim responses"))
    }
}

/// The head is wiped too, because it may hold a bearer token.
fn head_of(head: &Parts, body_length: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let Parts { method, uri, headers, .. } = head;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let mut text = Zeroizing::new(Vec::with_capacity(4096));
    write!(text, "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n")?;
    write!(text, "content-length: {body_length}\r\n")?;
    for (name, value) in headers {
        write!(text, "{name}: ")?;
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    Ok(text)
}

fn read_head(incoming: &mut Incoming) -> io::Result<(StatusCode, HeaderMap)> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        incoming.read_line(&mut text)?;
    }
    let mut found = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut found);
    head.parse(&text).map_err(|_| invalid("the head of the response is none"))?;
    let status = head.code.and_then(|code| StatusCode::from_u16(code).ok());
    let mut headers = HeaderMap::new();
    for header in head.headers {
        let name = HeaderName::try_from(header.name).map_err(io::Error::other)?;
        headers.append(name, HeaderValue::from_bytes(header.value).map_err(io::Error::other)?);
    }
    Ok((status.ok_or_else(|| invalid("there is no status"))?, headers))
}

/// Any ambiguous framing is an error: RFC 9112, section 6.3, without its leniency.
fn framing(method: &Method, status: StatusCode, headers: &HeaderMap) -> io::Result<Framing> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    let found = (lengths.next(), lengths.next(), encodings.next(), encodings.next());
    match found {
        _ if method == Method::HEAD
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) =>
        {
            Ok(Framing::Length(0))
        }
        (None, _, None, _) => Ok(Framing::Connection),
        (Some(length), None, None, _) => {
            let digits = length.to_str().ok().filter(|it| it.bytes().all(|b| b.is_ascii_digit()));
            let length = digits.and_then(|digits| digits.parse().ok());
            length.map(Framing::Length).ok_or_else(|| invalid("the length is no number"))
        }
        (None, _, Some(encoding), None) if encoding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            Ok(Framing::Chunks(0))
        }
        _ => Err(invalid("it is not clear how the body ends")),
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Framing::Chunks(0) = self.framing {
            self.framing = match self.incoming.chunk_size()? {
                0 => {
                    while self.incoming.read_line(&mut Vec::new())? > 2 {}
                    Framing::Length(0)
                }
                size => Framing::Chunks(size),
            };
        }
        let (Framing::Length(left) | Framing::Chunks(left)) = &mut self.framing else {
            return self.incoming.read(buffer);
        };
        let most = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.incoming.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *left -= u64::try_from(count).unwrap_or(*left);
        if let (Framing::Chunks(0), 1..) = (&self.framing, count)
            && self.incoming.read_line(&mut Vec::new())? != 2
        {
            return Err(invalid("a chunk is longer than it says"));
        }
        Ok(count)
    }
}

/// The incoming bytes, read through a buffer that is wiped.
#[derive(Debug)]
struct Incoming {
    socket: Socket,
    buffer: Zeroizing<Vec<u8>>,
    unread: std::ops::Range<usize>,
}

impl Incoming {
    fn new(socket: Socket) -> Self {
        Self { socket, buffer: Zeroizing::new(vec![0; 2048]), unread: 0..0 }
    }

    /// Appends a line, and returns its length with the line end, which is CRLF.
    fn read_line(&mut self, text: &mut Vec<u8>) -> io::Result<usize> {
        let room = MAX_HEAD_BYTES.saturating_sub(text.len());
        let count = self.take(u64::try_from(room).unwrap_or(u64::MAX)).read_until(b'\n', text)?;
        match text.ends_with(b"\r\n") {
            true if count > 0 => Ok(count),
            _ if count < room => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Err(invalid("a line does not end, or the head does not")),
        }
    }

    fn chunk_size(&mut self) -> io::Result<u64> {
        let mut line = Vec::new();
        self.read_line(&mut line)?;
        // The parser would read an empty line as zero.
        match httparse::parse_chunk_size(&line) {
            Ok(httparse::Status::Complete((_, size))) if line.first() != Some(&b'\r') => Ok(size),
            _ => Err(invalid("the size of a chunk is none")),
        }
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Incoming {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.unread.is_empty() {
            self.unread = 0..self.socket.read(&mut self.buffer)?;
        }
        Ok(self.buffer.get(self.unread.clone()).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.unread.start = self.unread.end.min(self.unread.start.saturating_add(count));
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
// ANCHOR_END: stack
