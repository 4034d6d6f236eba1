//! [`Client`]: one operation at a time, over an async transport.

use std::fmt;

use point_auth_core::{Credentials, Operation, Refresh, RefreshToken, SignIn, TokenSet};
use point_auth_transport::AsyncTransport;

use crate::Error;
use crate::config::{Config, client_settings};

/// Runs operations of the API over an async transport, each exactly once.
///
/// It keeps nothing between calls and never retries; that is up to the caller. A client is as cheap
/// to clone as its transport.
///
/// `Client<Arc<dyn AsyncTransport>>` selects the transport at run time.
#[derive(Clone)]
pub struct Client<T> {
    transport: T,
    config: Config,
}

impl<T: AsyncTransport> Client<T> {
    /// Creates a client of the [production API](point_auth_core::BaseUrl::production).
    pub fn new(transport: T) -> Self {
        Self { transport, config: Config::default() }
    }

    client_settings!();

    /// Signs in, and returns the tokens.
    ///
    /// # Errors
    /// An [`Error`] of kind [`Denied`](crate::ErrorKind::Denied) when the server denies the
    /// credentials. Sending them again may lock the account. Any other kind when there is no token
    /// for another reason.
    pub async fn sign_in(&self, credentials: &Credentials) -> Result<TokenSet, Error> {
        self.execute(&SignIn::new(credentials)).await
    }

    /// Obtains a new access token without the password.
    ///
    /// The token set has the refresh token to use from now on. It is the old one if the server sent
    /// no new one.
    ///
    /// # Errors
    /// An [`Error`] of kind [`Denied`](crate::ErrorKind::Denied) when the refresh token is no
    /// longer valid: sign in again. Any other kind when there is no token for another reason.
    pub async fn refresh(&self, refresh_token: &RefreshToken) -> Result<TokenSet, Error> {
        self.execute(&Refresh::new(refresh_token)).await
    }

    pub(crate) fn into_parts(self) -> (T, Config) {
        (self.transport, self.config)
    }

    /// Runs any operation, of this crate or of your own.
    ///
    /// # Errors
    /// An [`Error`] when the operation could not be sent, or got no valid response. An error object
    /// in the response to an operation of your own is [`Refused`](crate::ErrorKind::Refused).
    pub async fn execute<O: Operation>(&self, operation: &O) -> Result<O::Output, Error> {
        let (request, limits) = self.config.prepare(operation)?;
        let uri = request.uri().clone();
        let sent = self.transport.send(request, &limits).await;
        let response = sent.map_err(|error| error.with_route(&uri, None))?;
        operation.parse_response(&response).map_err(|error| match self.config.is_for_tokens(&uri) {
            true => error.into(),
            false => Error::of_operation(error),
        })
    }
}

impl<T> fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.debug(f.debug_struct("Client"))
    }
}
