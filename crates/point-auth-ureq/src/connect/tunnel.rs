//! Opens a tunnel through a proxy by `CONNECT`: the proxy sees host and port, and then only TLS.

use std::io::{Read, Write};

use point_auth_transport::Proxy;
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Transport, TransportAdapter};
use zeroize::Zeroizing;

use super::time_left;
use crate::wire::broken;

/// Marks a 407 inside an error of ureq, to distinguish it from other refusals.
pub(crate) const PROXY_WANTS_CREDENTIALS: &str = "407";

/// The maximum size of a proxy's response head in bytes.
const LONGEST_ANSWER: usize = 16 * 1024;

/// Asks the proxy at the other end of `connection` for a tunnel to the request's host.
pub(super) fn open(
    connection: Box<dyn Transport>,
    proxy: &Proxy,
    details: &ConnectionDetails<'_>,
) -> Result<Box<dyn Transport>, Error> {
    let host = details.uri.host().unwrap_or_default();
    let port = details.uri.port_u16().unwrap_or(443);
    let mut wire = TransportAdapter::new(connection, details.current_time.clone());
    wire.set_timeout(time_left(details)?);
    wire.write_all(&ask(host, port, proxy)).map_err(broken)?;
    match status(&mut wire)? {
        // Only 200, as in the other adapters. A 204, for example, opens no tunnel.
        200 => Ok(wire.into_inner()),
        407 => Err(Error::ConnectProxyFailed(PROXY_WANTS_CREDENTIALS.to_owned())),
        _ => Err(refused()),
    }
}

fn ask(host: &str, port: u16, proxy: &Proxy) -> Zeroizing<Vec<u8>> {
    let authorization = proxy.authorization().map_or(&[][..], |value| value.as_bytes());
    // The capacity suffices, so that no reallocation leaves a copy of the credentials.
    let mut ask = Zeroizing::new(Vec::with_capacity(host.len() * 2 + authorization.len() + 128));
    ask.extend_from_slice(
        format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").as_bytes(),
    );
    if !authorization.is_empty() {
        ask.extend_from_slice(b"Proxy-Authorization: ");
        ask.extend_from_slice(authorization);
        ask.extend_from_slice(b"\r\n");
    }
    ask.extend_from_slice(b"\r\n");
    ask
}

/// Reads the head of the proxy's response byte by byte, because TLS may follow it at once.
fn status(wire: &mut impl Read) -> Result<u16, Error> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LONGEST_ANSWER || wire.read(&mut byte).map_err(broken)? == 0 {
            return Err(refused());
        }
        head.extend_from_slice(&byte);
    }
    // `HTTP/1.1 200 Connection established`
    let mut words = head.splitn(3, |&byte| byte == b' ' || byte == b'\r');
    let version = words.next().unwrap_or_default();
    let status = words.next().and_then(|status| std::str::from_utf8(status).ok()?.parse().ok());
    status.filter(|_| version.starts_with(b"HTTP/1.")).ok_or_else(refused)
}

fn refused() -> Error {
    Error::ConnectProxyFailed(String::new())
}
