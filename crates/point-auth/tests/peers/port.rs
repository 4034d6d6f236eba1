//! A free port of 127.0.0.1 for a program that needs its number.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port that no other process gets while this lives, although none listens on it yet.
///
/// The socket is bound and does not listen, with the option that all these servers set too. So they
/// can bind to it as well.
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
