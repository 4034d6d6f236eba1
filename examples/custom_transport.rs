//! A transport of your own: HTTP/1.1 over a plain socket, with nothing but the standard library and a parser.
//!
//! It speaks plain `http`, which is for this machine only, so it signs in to an emulator without TLS.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Request, Response};
use point_auth::blocking::Client;
use point_auth::transport::{
    BlockingTransport, CappedBody, SendLimits, TransportError, TransportErrorKind,
};
use point_auth::{BaseUrl, Credentials, SecretBody};
use point_auth_testkit::Emulator;

// ANCHOR: transport
/// One connection for each request, closed after it.
struct PlainSocket;

impl BlockingTransport for PlainSocket {
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let until = Instant::now() + limits.total_timeout().min(Duration::from_secs(3600));
        let connected = connect(&request, limits).map_err(|error| {
            TransportError::classify(&error, TransportErrorKind::Connect).not_sent()
        })?;
        let mut socket = Deadlined { socket: connected, until };
        // From here on the server may have seen the password, whatever happens.
        let failed = |error| TransportError::classify(&error, TransportErrorKind::Protocol);
        write(&mut socket, &request).map_err(failed)?;
        let limit = limits.max_response_bytes().saturating_add(MAX_HEAD_BYTES);
        let bytes = CappedBody::new(limit).read_from(&mut socket, failed)?;
        read(bytes.as_ref(), limits.max_response_bytes())
    }
}
// ANCHOR_END: transport

// ANCHOR: socket
const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// A socket whose every read and write ends by the deadline.
struct Deadlined {
    socket: TcpStream,
    until: Instant,
}

impl Deadlined {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

impl Read for Deadlined {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer)
    }
}

impl Write for Deadlined {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

fn connect(request: &Request<SecretBody>, limits: &SendLimits) -> io::Result<TcpStream> {
    let (Some("http"), Some(host)) = (request.uri().scheme_str(), request.uri().host()) else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    // Mind that the standard library cannot be told how long a name look-up may take.
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, request.uri().port_u16().unwrap_or(80)).to_socket_addrs()? {
        match TcpStream::connect_timeout(
            &address,
            limits.connect_timeout().min(limits.total_timeout()),
        ) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn write(socket: &mut impl Write, request: &Request<SecretBody>) -> io::Result<()> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let host = request.uri().authority().map_or("", |authority| authority.as_str());
    let mut head = Vec::with_capacity(4096);
    write!(head, "{} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", request.method())?;
    write!(head, "Content-Length: {}\r\n", request.body().len())?;
    for (name, value) in request.headers() {
        write!(head, "{name}: ")?;
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    // A request with a bearer token has a secret in its head too: this wipes it.
    let head = SecretBody::new(head);
    socket.write_all(head.as_ref())?;
    socket.write_all(request.body().as_ref())
}

fn read(bytes: &[u8], max_response_bytes: usize) -> Result<Response<SecretBody>, TransportError> {
    let protocol = || TransportError::new(TransportErrorKind::Protocol);
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = head.parse(bytes) else { return Err(protocol()) };

    let mut response = Response::new(());
    *response.status_mut() = head
        .code
        .unwrap_or_default()
        .try_into()
        .map_err(|_: http::status::InvalidStatusCode| protocol())?;
    for header in head.headers {
        let name = HeaderName::try_from(header.name).map_err(|_| protocol())?;
        let value = HeaderValue::from_bytes(header.value).map_err(|_| protocol())?;
        response.headers_mut().append(name, value);
    }
    let body = bytes.get(length..).unwrap_or_default();
    // What is cut off must not look whole. Chunks are more than this example reads.
    let promised = response
        .headers()
        .get(CONTENT_LENGTH)
        .map(|value| value.as_bytes() == body.len().to_string().as_bytes());
    if promised == Some(false) || response.headers().contains_key(TRANSFER_ENCODING) {
        return Err(protocol());
    }
    let mut capped = CappedBody::new(max_response_bytes);
    capped.push(body)?;
    Ok(response.map(|()| capped.finish()))
}
// ANCHOR_END: socket

fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder().user("user@example.com", "correct horse").start()?;

    let client = Client::new(PlainSocket).with_base_url(BaseUrl::parse(&emulator.base_url())?);
    let tokens = client.sign_in(&Credentials::new("user@example.com", "correct horse")?)?;
    println!("signed in for {} s over a socket of our own", tokens.expires_in().as_secs());

    match client.sign_in(&Credentials::new("user@example.com", "incorrect horse")?) {
        Ok(_) => println!("signed in with a wrong password?"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}
