//! A free port of 127.0.0.1 for a program that has to be told one.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port that nobody else is given while this lives, although nobody listens on it yet.
///
/// The socket is bound and does not listen, with the option that all these servers set too: so
/// theirs may be bound beside it.
pub(crate) struct Port {
    address: SocketAddr,
    _held: TcpSocket,
}

impl Port {
    pub(crate) fn free() -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseaddr(true).unwrap();
        held.bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)).unwrap();
        Self { address: held.local_addr().unwrap(), _held: held }
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.address
    }
}
