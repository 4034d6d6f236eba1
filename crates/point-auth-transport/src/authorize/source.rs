//! Where a middleware gets its tokens: [`AsyncTokenSource`], [`BlockingTokenSource`], and whose
//! they are: [`UserAlias`].

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use point_auth_core::{AccessToken, BaseUrl};

/// The alias whose token goes on a request.
///
/// Put it into the extensions of a request: the middleware of a login with many aliases reads it
/// there. It does not leave the process. `Debug` does not show it, since it is personal data.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserAlias(Arc<str>);

impl UserAlias {
    /// Creates the alias. It is checked when a token is wanted.
    pub fn new(alias: impl Into<Arc<str>>) -> Self {
        Self(alias.into())
    }

    /// Returns the alias itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UserAlias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserAlias([redacted])")
    }
}

/// Hands out access tokens to an async middleware. The sessions of `point-auth` implement it.
pub trait AsyncTokenSource: Send + Sync + 'static {
    /// Why there is no token.
    type Error: Error + Send + Sync + 'static;

    /// Returns the base URL of the API that the tokens are for.
    fn base_url(&self) -> &BaseUrl;

    /// Returns a valid token, of this alias if there is one.
    fn access_token(
        &self,
        alias: Option<&UserAlias>,
    ) -> impl Future<Output = Result<AccessToken, Self::Error>> + Send;

    /// Reports that the API answered 401 to a request with this token.
    fn invalidate(&self, alias: Option<&UserAlias>, rejected: &AccessToken);
}

/// Hands out access tokens to a blocking middleware. The blocking sessions of `point-auth`
/// implement it.
pub trait BlockingTokenSource: Send + Sync + 'static {
    /// Why there is no token.
    type Error: Error + Send + Sync + 'static;

    /// Returns the base URL of the API that the tokens are for.
    fn base_url(&self) -> &BaseUrl;

    /// Returns a valid token, of this alias if there is one.
    ///
    /// # Errors
    /// When there is no token.
    fn access_token(&self, alias: Option<&UserAlias>) -> Result<AccessToken, Self::Error>;

    /// Reports that the API answered 401 to a request with this token.
    fn invalidate(&self, alias: Option<&UserAlias>, rejected: &AccessToken);
}
