//! An emulator of the PointServices sign-in API.
mod certificates;
mod connect_proxy;
mod emulator;
mod error;
mod raw_server;
mod server_thread;
mod watched;

pub use certificates::{CertificateAuthority, IssuedCertificate, Validity};
pub use connect_proxy::{ConnectProxy, ConnectProxyBuilder, ProxyBehavior, ProxyCredentials, RecordedConnect};
pub use emulator::{
    Certificate, Clock, Emulator, EmulatorBuilder, Fault, HttpVersions, Operation, RecordedRequest,
};
pub use error::Error;
pub use raw_server::{RawBehavior, RawServer};
