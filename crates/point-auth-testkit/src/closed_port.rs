//! A port without a listener, for refused connections.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

use crate::Error;

/// An address of 127.0.0.1 that refuses connections, and goes on doing so while this value lives:
/// the port is taken, so no server that starts meanwhile can be given it. (That can happen to the
/// port of a server that was stopped.)
pub struct ClosedPort {
    address: SocketAddr,
    _bound_but_not_listening: TcpSocket,
}

impl ClosedPort {
    /// Takes a free port.
    ///
    /// # Errors
    /// [`Error::Listen`] if the system has none left.
    pub fn reserve() -> Result<Self, Error> {
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        let listen_error = |source| Error::Listen { address, source };
        let socket = TcpSocket::new_v4().map_err(listen_error)?;
        socket.bind(address).map_err(listen_error)?;
        let address = socket.local_addr().map_err(listen_error)?;
        Ok(Self { address, _bound_but_not_listening: socket })
    }

    /// The address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Debug for ClosedPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosedPort").field("addr", &self.address).finish_non_exhaustive()
    }
}
