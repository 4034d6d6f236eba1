//! TLS by rustls.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Transport, TransportAdapter};

use super::secured::{Secured, TlsStream};
use crate::connect::time_left;

/// Performs the complete handshake over `connection`. No byte of the request goes out before.
pub(super) fn secure(
    config: Arc<ClientConfig>,
    connection: Box<dyn Transport>,
    details: &ConnectionDetails<'_>,
) -> Result<Box<dyn Transport>, Error> {
    let name = ServerName::try_from(super::server_name(details))
        .map_err(|_| Error::Tls("not a name for TLS"))?;
    // ureq has a variant for rustls errors only with certain features, so they are wrapped in an
    // I/O error.
    let mut conn = ClientConnection::new(config, name.to_owned()).map_err(io::Error::other)?;
    let mut sock = TransportAdapter::new(connection, Arc::clone(&details.current_time));
    sock.set_timeout(time_left(details)?);
    while conn.is_handshaking() {
        if let Err(error) = conn.complete_io(&mut sock) {
            // The alert that explains the failure to the server must still go out, possibly in
            // several writes.
            while conn.wants_write() && conn.write_tls(&mut sock).is_ok_and(|written| written > 0) {
            }
            return Err(error.into());
        }
    }
    Ok(Secured::boxed(StreamOwned { conn, sock }, details))
}

impl TlsStream for StreamOwned<ClientConnection, TransportAdapter> {
    fn connection(&mut self) -> &mut TransportAdapter {
        &mut self.sock
    }

    fn is_stale(&mut self) -> bool {
        self.conn
            .process_new_packets()
            .map_or(true, |state| state.peer_has_closed() || state.plaintext_bytes_to_read() > 0)
    }
}
