//! The same without async: [`Client`] on the calling thread, and [`Session`] for any number of threads.

mod client;
mod session;
mod sessions;

use point_auth_core::Credentials;

pub use crate::credential_source::BoxError;
pub use client::Client;
pub use session::{Session, SessionBuilder};
pub use sessions::{Sessions, SessionsBuilder};

/// Where credentials come from at each sign-in: a vault, a file that rotates, a person.
///
/// It is asked once for each sign-in, however many threads wait, on the thread that sends; its answer is dropped when the sign-in has
/// ended. After a denial it is asked again at most once in a pause (1 to 60 seconds, doubling), and those that were denied are held
/// meanwhile, so that the same are not sent again and others are.
///
/// [`EnvironmentCredentials`](crate::EnvironmentCredentials) and
/// [`PasswordFile`](crate::PasswordFile) are such sources.
pub trait CredentialSource: Send + Sync + 'static {
    /// Fetches the credentials.
    ///
    /// # Errors
    /// Anything. It is a passing failure: callers get it as the source of their error, of kind
    /// [`Credentials`](crate::ErrorKind::Credentials).
    fn credentials(&self) -> Result<Credentials, BoxError>;
}
