//! [`UreqTransport`]: sign in to the PointServices API from blocking code, over [`ureq`].
mod body;
mod connect;
mod failure;
mod tls;
mod transport;
mod wire;

pub use transport::UreqTransport;
/// The version of ureq that this crate stands on, for those who bring an [`ureq::Agent`] of their own.
pub use ureq;
