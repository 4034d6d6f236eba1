//! Two ways to connect a [`Device`](crate::device::Device): plain sockets, and rustls over them.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use point_auth::transport::rustls::pki_types::ServerName;
use point_auth::transport::rustls::{ClientConfig, ClientConnection, StreamOwned};
use point_auth::transport::{SettingsError, TlsSettings};

use crate::device::{Connect, Destination};
use crate::sockets::Socket;

// ANCHOR: plain
/// Plain sockets, for a server on this machine.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to set")]
pub struct PlainSockets;

impl Connect for PlainSockets {
    type Stream = Socket;

    fn has_tls(&self) -> bool {
        false
    }

    fn connect(&self, to: &Destination<'_>) -> io::Result<Socket> {
        let mut socket = Socket::connect(to.host, to.port, to.connect_by)?;
        socket.set_deadline(to.end_by);
        Ok(socket)
    }
}
// ANCHOR_END: plain

// ANCHOR: rustls
/// TLS by rustls over such sockets, and plain ones where the URL says so.
#[derive(Clone)]
pub struct RustlsSockets {
    config: Arc<ClientConfig>,
}

impl RustlsSockets {
    /// Creates the connector. The settings have the trusted roots and the client identity.
    ///
    /// # Errors
    /// A [`SettingsError`] when rustls does not support the settings.
    pub fn new(settings: &TlsSettings) -> Result<Self, SettingsError> {
        let mut config = settings.rustls_client_config()?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config) })
    }
}

impl Connect for RustlsSockets {
    type Stream = PlainOrTls;

    fn has_tls(&self) -> bool {
        true
    }

    fn connect(&self, to: &Destination<'_>) -> io::Result<PlainOrTls> {
        let mut sock = Socket::connect(to.host, to.port, to.connect_by)?;
        if !to.is_tls {
            sock.set_deadline(to.end_by);
            return Ok(PlainOrTls::Plain(sock));
        }
        let name = ServerName::try_from(to.host.to_owned()).map_err(io::Error::other)?;
        let mut conn =
            ClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
        // To its end: no byte of a request goes out before.
        while conn.is_handshaking() {
            conn.complete_io(&mut sock)?;
        }
        sock.set_deadline(to.end_by);
        Ok(PlainOrTls::Tls(Box::new(StreamOwned { conn, sock })))
    }
}
// ANCHOR_END: rustls

impl fmt::Debug for RustlsSockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustlsSockets").finish_non_exhaustive()
    }
}

/// A connection with TLS or without.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlainOrTls {
    /// Without TLS.
    Plain(Socket),
    /// With TLS. A close without the TLS alert is an error to the reader.
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

impl Read for PlainOrTls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for PlainOrTls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
