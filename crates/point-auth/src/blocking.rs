//! Clients and sessions without async.
//!
//! [`Client`] runs on the calling thread, [`Session`] serves any number of threads, and
//! [`Sessions`] many aliases.

mod client;
mod forked;
mod session;
mod sessions;

use point_auth_core::Credentials;

pub use crate::credential_source::BoxError;
pub use client::Client;
pub use forked::{ForkedSession, ForkedSessions};
#[cfg(feature = "redis")]
pub use point_auth_redis::blocking::RedisStore;
#[cfg(feature = "store")]
pub use point_auth_store::blocking::TokenStore;
pub use session::{Session, SessionBuilder};
pub use sessions::{Sessions, SessionsBuilder};

/// Provides the credentials at each sign-in: from a vault, a file that rotates, or a user.
///
/// The session calls it once for each sign-in, for any number of waiting threads, on the thread
/// that runs the exchange. After a denial it calls it again when a caller wants a token, at growing
/// intervals (1 second up to the longest backoff).
///
/// A `Session` drops the credentials once they have worked. It holds the last five that were denied
/// or had an unknown outcome, so that it does not send them again. `Sessions` also holds those that
/// worked last, for all aliases.
///
/// A source has 30 seconds (the policy's exchange timeout). A source that never returns blocks its
/// thread, of which there are at most 64. Two seconds after the deadline the next caller starts
/// another attempt on another thread.
///
/// [`EnvironmentCredentials`](crate::EnvironmentCredentials) and
/// [`PasswordFile`](crate::PasswordFile) implement it.
pub trait CredentialSource: Send + Sync + 'static {
    /// Fetches the credentials.
    ///
    /// # Errors
    /// Any error counts as a temporary failure. Callers get it as the source of their error, of
    /// kind [`Credentials`](crate::ErrorKind::Credentials).
    fn credentials(&self) -> Result<Credentials, BoxError>;

    /// Returns the username and the alias, if they are known without fetching anything.
    ///
    /// With a store, tokens are found under them before the source is asked. The default knows
    /// nothing.
    fn owner(&self) -> Option<(String, Option<String>)> {
        None
    }
}
