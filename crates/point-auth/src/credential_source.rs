//! [`CredentialSource`]: credentials that are fetched at each sign-in; and the sources of this
//! crate.

mod environment;
mod password_file;
mod read_error;

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use point_auth_core::Credentials;

use crate::panicked::caught;

pub use environment::EnvironmentCredentials;
pub use password_file::PasswordFile;
pub use read_error::{CredentialReadError, ValueProblem};

/// The error of a source without credentials. It must hold no secret.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Provides the credentials at each sign-in: from a vault, a file that rotates, or a user.
///
/// The session calls it once for each sign-in, for any number of waiting callers. After a denial it
/// calls it again when a caller wants a token, at growing intervals (1 second up to the longest
/// backoff).
///
/// A `Session` drops the credentials once they have worked. It holds the last five that were denied
/// or had an unknown outcome, so that it does not send them again. `Sessions` also holds those that
/// worked last, for all aliases.
///
/// [`EnvironmentCredentials`] and [`PasswordFile`] implement it.
///
/// A source has 30 seconds (the policy's exchange timeout). A panic counts as a failure, whose text
/// does not repeat the panic message.
#[cfg(feature = "async")]
#[point_auth_transport::async_trait]
pub trait CredentialSource: Send + Sync + 'static {
    /// Fetches the credentials.
    ///
    /// # Errors
    /// Any error counts as a temporary failure. Callers get it as the source of their error, of
    /// kind [`Credentials`](crate::ErrorKind::Credentials).
    async fn credentials(&self) -> Result<Credentials, BoxError>;
}

/// The error of a [`CredentialSource`] that failed or took too long.
#[derive(Clone, Debug)]
pub(crate) struct SourceError(Arc<dyn Error + Send + Sync>);

impl SourceError {
    pub(crate) fn new(error: BoxError) -> Self {
        Self(Arc::from(error))
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source of the credentials failed")
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

pub(crate) type Fetching<'a> =
    Pin<Box<dyn Future<Output = Result<Credentials, SourceError>> + Send + 'a>>;

/// A source of either kind.
pub(crate) trait Source: Send + Sync {
    fn fetch(&self) -> Fetching<'_>;
}

/// Credentials that are known from the start.
impl Source for Credentials {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}

#[cfg(feature = "async")]
pub(crate) struct AsyncSource<S>(pub(crate) S);

#[cfg(feature = "async")]
impl<S: CredentialSource> Source for AsyncSource<S> {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async {
            match caught(|| self.0.credentials()).await {
                Ok(answer) => answer.map_err(SourceError::new),
                Err(panicked) => Err(SourceError::new(panicked.into())),
            }
        })
    }
}

#[cfg(feature = "blocking")]
pub(crate) struct BlockingSource<S>(pub(crate) S);

#[cfg(feature = "blocking")]
impl<S: crate::blocking::CredentialSource> Source for BlockingSource<S> {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async {
            match caught(|| std::future::ready(self.0.credentials())).await {
                Ok(answer) => answer.map_err(SourceError::new),
                Err(panicked) => Err(SourceError::new(panicked.into())),
            }
        })
    }
}
