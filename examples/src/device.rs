//! A device: HTTP/1.1 over any `Read + Write`, with buffers of a fixed size, no async and no TLS of
//! its own.
//!
//! A [`Connect`] makes the connections. This module does the rest: it sends one request, reads one
//! response, and drops the connection. It uses no proxy. [`httparse`] is the codec, because it
//! allocates nothing and logs nothing (ureq-proto dumps bodies at TRACE). It leaves strict checks
//! of lengths to this module.

mod body;
mod head;
mod wire;

use std::fmt;
use std::io::{self, Read, Write};

use http::uri::Scheme;
use http::{Request, Response, Uri};
use point_auth::SecretBody;
use point_auth::transport::{
    BlockingTransport, ScrubbedError, SendLimits, TransportError, TransportErrorKind, check_head,
};

pub use self::wire::BUFFER_BYTES;
use self::wire::Outgoing;
use crate::sockets::Deadline;

// ANCHOR: connect
/// Makes the connections of a [`Device`]: a socket, a modem, TLS of any kind.
pub trait Connect: Send + Sync {
    /// The connection. Each read and each write fails with [`io::ErrorKind::TimedOut`] or
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) after [`Destination::end_by`].
    type Stream: Read + Write;

    /// Returns whether it speaks TLS if [`Destination::is_tls`] asks for that.
    fn has_tls(&self) -> bool;

    /// Connects by [`Destination::connect_by`], including a complete TLS handshake.
    ///
    /// # Errors
    /// Any failure to connect. The kind of the failure is found in the causes of the error,
    /// including TLS failures.
    fn connect(&self, to: &Destination<'_>) -> io::Result<Self::Stream>;
}

/// The destination of a connection, and its time limits.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Destination<'a> {
    /// A name or an IP address, without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// Whether to use TLS.
    pub is_tls: bool,
    /// The deadline for the connection.
    pub connect_by: Deadline,
    /// The deadline for the whole exchange.
    pub end_by: Deadline,
}
// ANCHOR_END: connect

/// A [`BlockingTransport`] over the connections of a [`Connect`].
///
/// An exchange holds one buffer of [`BUFFER_BYTES`] for the request's head and then for the
/// response, and the body of the response. Between two exchanges it holds nothing.
#[derive(Clone)]
pub struct Device<C> {
    connect: C,
}

impl<C: Connect> Device<C> {
    /// Creates a device that sends over the connections of `connect`.
    pub const fn new(connect: C) -> Self {
        Self { connect }
    }
}

// ANCHOR: send
impl<C: Connect> BlockingTransport for Device<C> {
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let (mut head, body) = request.into_parts();
        check_head(&mut head, self.connect.has_tls())?;
        let end_by = Deadline::after(limits.total_timeout());
        let connect_by = Deadline::after(limits.connect_timeout()).or_before(end_by);
        let stream = self.connected(&head.uri, connect_by, end_by)?;

        let mut out = Outgoing::new(stream);
        // While no byte of the body was put into the buffer, none can have been sent.
        let not_yet =
            |error: TransportError| if body.is_empty() { error } else { error.not_sent() };
        head::write(&mut out, &head, body.len()).map_err(broken).map_err(not_yet)?;
        out.put(body.as_ref()).map_err(broken)?;
        let mut wire = out.finish().map_err(broken)?;

        let (response, framing) = head::read(&mut wire, &head.method)?;
        let body = body::read(&mut wire, framing, limits.max_response_bytes())?;
        Ok(response.map(|()| body))
    }
}
// ANCHOR_END: send

impl<C: Connect> Device<C> {
    fn connected(
        &self,
        uri: &Uri,
        connect_by: Deadline,
        end_by: Deadline,
    ) -> Result<C::Stream, TransportError> {
        let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().unwrap_or_default();
        let to = Destination {
            host: host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host),
            port: uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            is_tls,
            connect_by,
            end_by,
        };
        // A connector that returns at once would otherwise ignore a zero timeout.
        connect_by.left().and_then(|_| self.connect.connect(&to)).map_err(|error| {
            TransportError::classify(&error, TransportErrorKind::Connect).not_sent()
        })
    }
}

impl<C> fmt::Debug for Device<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").finish_non_exhaustive()
    }
}

/// Converts an error of an established connection.
fn broken(error: io::Error) -> TransportError {
    TransportError::classify(&error, TransportErrorKind::Protocol)
}

/// Creates the error for a violation of HTTP by the server.
fn refused(why: &'static str) -> TransportError {
    TransportError::new(TransportErrorKind::Protocol).with_source(ScrubbedError::new(why))
}
