//! Clients and sessions without async: [`Client`] on the calling thread, [`Session`] for any number
//! of threads, and [`Sessions`] for many aliases.

mod client;
mod session;
mod sessions;

use point_auth_core::Credentials;

pub use crate::credential_source::BoxError;
pub use client::Client;
pub use session::{Session, SessionBuilder};
pub use sessions::{Sessions, SessionsBuilder};

/// Provides the credentials at each sign-in: from a vault, a file that rotates, or a user.
///
/// It is asked once for each sign-in, however many threads wait, on the thread that runs the
/// exchange. After a denial it is asked again when a caller wants a token, at growing distances
/// (1 second to the longest backoff).
///
/// A `Session` drops the credentials once they have worked. It holds the last five that were denied
/// or had an unknown outcome, so that it does not send them again. `Sessions` also holds those that
/// worked last, for all aliases.
///
/// It should return within 30 seconds (the policy's exchange timeout). A source that never returns
/// keeps its thread, of which there are at most 64; two seconds after the deadline the next caller
/// starts anew on another.
///
/// [`EnvironmentCredentials`](crate::EnvironmentCredentials) and
/// [`PasswordFile`](crate::PasswordFile) are such sources.
pub trait CredentialSource: Send + Sync + 'static {
    /// Fetches the credentials.
    ///
    /// # Errors
    /// Any error is a failure that passes. Callers get it as the source of their error, of kind
    /// [`Credentials`](crate::ErrorKind::Credentials).
    fn credentials(&self) -> Result<Credentials, BoxError>;
}
