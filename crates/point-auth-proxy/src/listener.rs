//! [`Listener`]: where clients connect, and who they may be.

#[cfg(unix)]
mod socket_file;

use std::fmt;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::unix::net::UnixListener as StdUnixListener;
#[cfg(unix)]
use std::path::Path;
use std::path::PathBuf;

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use crate::ClientKey;
use crate::access::Access;

/// A socket that is ready for clients, and the rule who may use it.
///
/// Creating one needs the tokio runtime that will serve it.
pub struct Listener {
    pub(crate) socket: Socket,
    pub(crate) access: Access,
    /// The users whose programs may connect to a Unix socket.
    #[cfg(unix)]
    pub(crate) users: Vec<u32>,
    /// Removed at the end.
    #[cfg(unix)]
    _file: Option<socket_file::SocketFile>,
}

pub(crate) enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// The reason why there is no listener.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address is not one of loopback. The proxy would give tokens to other machines.
    #[error("the proxy listens on loopback alone (127.0.0.0/8 and ::1), not on {0}")]
    NotLoopback(SocketAddr),
    /// The system refuses the address or the path.
    #[error("the proxy cannot listen")]
    Io(#[from] io::Error),
    /// The folder of the socket is not for this process's user alone.
    #[error("the socket's folder {folder} is not for its user alone: chmod 700 makes it so")]
    Folder {
        /// The folder.
        folder: PathBuf,
    },
    /// Another process listens there, or what is there is not a socket.
    #[error("{path} is in use")]
    InUse {
        /// The path of the socket.
        path: PathBuf,
    },
}

impl Listener {
    /// Listens on a TCP address of this machine's loopback, for clients that show `key`.
    ///
    /// Port 0 stands for a free port; see [`local_addr`](Self::local_addr).
    ///
    /// # Errors
    /// [`ListenError::NotLoopback`] and [`ListenError::Io`].
    pub fn tcp(address: SocketAddr, key: ClientKey) -> Result<Self, ListenError> {
        Self::of_tcp(bind(address)?, Some(key))
    }

    /// Listens on a TCP address of this machine's loopback, for every program and every user of the
    /// machine.
    ///
    /// Use it only where no other user and no untrusted program runs, as in a container of its own.
    /// Requests of web pages are refused here too.
    ///
    /// # Errors
    /// [`ListenError::NotLoopback`] and [`ListenError::Io`].
    pub fn tcp_without_client_key(address: SocketAddr) -> Result<Self, ListenError> {
        Self::of_tcp(bind(address)?, None)
    }

    /// Takes a TCP socket that listens already, as one from socket activation. Without a key, the
    /// rule of [`tcp_without_client_key`](Self::tcp_without_client_key) holds.
    ///
    /// # Errors
    /// [`ListenError::NotLoopback`] and [`ListenError::Io`].
    pub fn from_tcp(
        listener: std::net::TcpListener,
        key: Option<ClientKey>,
    ) -> Result<Self, ListenError> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(ListenError::NotLoopback(address));
        }
        Self::of_tcp(listener, key)
    }

    fn of_tcp(
        listener: std::net::TcpListener,
        key: Option<ClientKey>,
    ) -> Result<Self, ListenError> {
        listener.set_nonblocking(true)?;
        let own = listener.local_addr()?;
        Ok(Self {
            socket: Socket::Tcp(TcpListener::from_std(listener)?),
            access: Access::Tcp { own, key },
            #[cfg(unix)]
            users: Vec::new(),
            #[cfg(unix)]
            _file: None,
        })
    }

    /// Listens on a Unix socket, for programs of this process's user.
    ///
    /// The socket's mode is 0600. Its folder is made with mode 0700 if it is missing, and one with
    /// other modes or of another user is refused. A socket that a process has left behind is
    /// replaced. The socket is removed when the listener drops.
    ///
    /// # Errors
    /// [`ListenError`].
    #[cfg(unix)]
    pub fn unix(path: impl AsRef<Path>) -> Result<Self, ListenError> {
        let (listener, file) = socket_file::listen(path.as_ref())?;
        let listener = Self::from_unix(listener)?;
        Ok(Self { _file: Some(file), ..listener })
    }

    /// Takes a Unix socket that listens already, as one from socket activation. Its file stays when
    /// the listener drops.
    ///
    /// # Errors
    /// [`ListenError::Io`].
    #[cfg(unix)]
    pub fn from_unix(listener: StdUnixListener) -> Result<Self, ListenError> {
        listener.set_nonblocking(true)?;
        Ok(Self {
            socket: Socket::Unix(UnixListener::from_std(listener)?),
            access: Access::Unix,
            users: vec![rustix::process::geteuid().as_raw()],
            _file: None,
        })
    }

    /// Also allows programs of the user with this number to use a Unix socket.
    ///
    /// The modes of the socket and of its folder must allow it too, as those of a socket that
    /// another program has made. It has no effect on TCP.
    #[cfg(unix)]
    #[must_use]
    pub fn with_user(mut self, uid: u32) -> Self {
        self.users.push(uid);
        self
    }

    /// Returns the address, of a listener on TCP.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Socket::Unix(_) => None,
        }
    }
}

fn bind(address: SocketAddr) -> Result<std::net::TcpListener, ListenError> {
    if !address.ip().is_loopback() {
        return Err(ListenError::NotLoopback(address));
    }
    Ok(std::net::TcpListener::bind(address)?)
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("access", &self.access).finish_non_exhaustive()
    }
}
