//! [`Client`]: one operation at a time, over an async transport.

use std::fmt;

use point_auth_core::{Credentials, Operation, Refresh, RefreshToken, SignIn, TokenSet};
use point_auth_transport::AsyncTransport;

use crate::Error;
use crate::config::{Config, client_settings};

/// Runs operations of the API over an async transport, each exactly once.
///
/// Nothing is kept between calls and nothing is tried again: that is for whoever calls. A client is
/// cheap to clone when its transport is.
///
/// `Client<Arc<dyn AsyncTransport>>` chooses the transport at run time.
#[derive(Clone)]
pub struct Client<T> {
    transport: T,
    config: Config,
}

impl<T: AsyncTransport> Client<T> {
    /// A client of the [production API](point_auth_core::BaseUrl::production).
    pub fn new(transport: T) -> Self {
        Self { transport, config: Config::default() }
    }

    client_settings!();

    /// Signs in.
    ///
    /// # Errors
    /// An [`Error`] of kind [`Denied`](crate::ErrorKind::Denied) when the server refuses the
    /// credentials: sending the same again may lock the account. Any other kind when there is no
    /// token for another reason.
    pub async fn sign_in(&self, credentials: &Credentials) -> Result<TokenSet, Error> {
        self.execute(&SignIn::new(credentials)).await
    }

    /// Gets a new access token without the password.
    ///
    /// The token set has the refresh token to use from now on: a new one, or the same where the
    /// server sent none.
    ///
    /// # Errors
    /// An [`Error`] of kind [`Denied`](crate::ErrorKind::Denied) when the refresh token is no
    /// longer good: sign in again. Any other kind when there is no token for another reason.
    pub async fn refresh(&self, refresh_token: &RefreshToken) -> Result<TokenSet, Error> {
        self.execute(&Refresh::new(refresh_token)).await
    }

    pub(crate) fn into_parts(self) -> (T, Config) {
        (self.transport, self.config)
    }

    /// Runs any operation, of this crate or of your own.
    ///
    /// # Errors
    /// An [`Error`] when the operation could not be sent, got no response, or one that it was not
    /// sent for. An error object in answer to an operation of your own is
    /// [`Refused`](crate::ErrorKind::Refused).
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
