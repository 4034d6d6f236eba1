//! The one error of this crate: a server could not be started.

use std::io;
use std::net::{IpAddr, SocketAddr};

/// What a library below said; boxed, so that its types are no part of this crate's.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a server or a certificate of this crate could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken, or this user may not bind it.
    #[error("could not listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// Servers of this crate serve the machine they run on and no other.
    #[error("{0} is not a loopback address")]
    NotLoopback(IpAddr),
    /// No thread or no runtime for it could be had.
    #[error("could not start the server's thread")]
    Thread(#[source] io::Error),
    /// The path prefix does not start with a slash, is longer than a base URL may be, or has a
    /// character or a segment that clients read differently.
    #[error(
        "the path prefix is not an absolute URL path without empty, `.` and `..` segments, query \
         and fragment, or is too long for a base URL of 2,048 bytes"
    )]
    PathPrefix,
    /// The path of a protected route is no absolute URL path that every client reads alike, or has
    /// been taken.
    #[error(
        "the path of a protected route is not an absolute URL path without empty, `.` and `..` \
         segments, query and fragment, or is that of another route"
    )]
    ProtectedRoute,
    /// A key or a certificate could not be made, for instance because a host name is not one.
    #[error("could not make a certificate")]
    Certificate(#[source] Cause),
    /// The TLS library refused the configuration.
    #[error("could not set TLS up")]
    Tls(#[source] Cause),
    /// The system's random number generator gave nothing.
    #[error("no random bytes could be had")]
    Random,
}

impl Error {
    pub(crate) fn certificate(cause: impl Into<Cause>) -> Self {
        Self::Certificate(cause.into())
    }

    pub(crate) fn tls(cause: impl Into<Cause>) -> Self {
        Self::Tls(cause.into())
    }
}
