//! [`CredentialSource`]: credentials that are fetched when they are needed, and held no longer; and
//! the sources that are shipped.

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

/// What a source answers when it has no credentials. It must hold nothing secret.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Where credentials come from at each sign-in: a vault, a file that rotates, a person.
///
/// It is asked once for each sign-in, however many callers wait, and its answer is dropped when the sign-in has ended. After a
/// denial it is asked again at most once in a pause (1 to 60 seconds, doubling), and those that were denied are held meanwhile, so
/// that the same are not sent again and others are.
///
/// [`EnvironmentCredentials`] and [`PasswordFile`] are such sources.
///
/// It has 30 seconds (the policy's exchange timeout) to answer. A panic counts as a failure, and callers are told that it panicked but
/// not of what.
#[cfg(feature = "async")]
#[point_auth_transport::async_trait]
pub trait CredentialSource: Send + Sync + 'static {
    /// Fetches the credentials.
    ///
    /// # Errors
    /// Anything. It is a passing failure: callers get it as the source of their error, of kind
    /// [`Credentials`](crate::ErrorKind::Credentials).
    async fn credentials(&self) -> Result<Credentials, BoxError>;
}

/// A [`CredentialSource`] failed, or took too long.
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

/// Credentials that are simply there.
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
