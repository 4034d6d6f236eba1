//! The one error of this crate: a server could not be started.

use std::io;
use std::net::{IpAddr, SocketAddr};

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
    /// A path prefix starts with a slash, does not end with one, and holds neither query nor fragment.
    #[error("the path prefix is not a plain absolute path without a slash at its end")]
    PathPrefix,
    /// A key or a certificate could not be made, for instance because a host name is not one.
    #[error("could not make a certificate")]
    Certificate(#[source] rcgen::Error),
    /// The TLS library refused the configuration.
    #[error("could not set TLS up")]
    Tls(#[source] rustls::Error),
    /// The TLS library refused to ask clients for certificates.
    #[error("could not set the check of client certificates up")]
    ClientCertificates(#[source] rustls::server::VerifierBuilderError),
    /// The system's random number generator gave nothing.
    #[error("no random bytes could be had")]
    Random,
}
