//! Sessions as the token source of a middleware.

use point_auth_core::session::Call;
use point_auth_core::{AccessToken, BaseUrl};
#[cfg(feature = "blocking")]
use point_auth_transport::authorize::BlockingTokenSource;
use point_auth_transport::authorize::{AsyncTokenSource, UserAlias};

use crate::Error;
use crate::aliases::Aliases;
#[cfg(feature = "blocking")]
use crate::blocking;
use crate::handle::Handle;
#[cfg(feature = "async")]
use crate::{Session, Sessions};

/// A session runs operations by the same rules as a middleware.
impl AsyncTokenSource for Handle {
    type Error = Error;

    fn base_url(&self) -> &BaseUrl {
        &self.0.config().base_url
    }

    async fn access_token(&self, alias: Option<&UserAlias>) -> Result<AccessToken, Error> {
        check(self, alias)?;
        match self.0.current() {
            Some(token) => Ok(token),
            None => Ok(self.lease(Call::new()).await?.token),
        }
    }

    fn invalidate(&self, _: Option<&UserAlias>, rejected: &AccessToken) {
        self.0.invalidate(rejected);
    }
}

/// Hands out the session's token. A request with another [`UserAlias`] gets an error of kind
/// [`Credentials`](crate::ErrorKind::Credentials), and one without gets the token.
#[cfg(feature = "async")]
impl AsyncTokenSource for Session {
    type Error = Error;

    fn base_url(&self) -> &BaseUrl {
        self.handle.base_url()
    }

    async fn access_token(&self, alias: Option<&UserAlias>) -> Result<AccessToken, Error> {
        self.handle.access_token(alias).await
    }

    fn invalidate(&self, alias: Option<&UserAlias>, rejected: &AccessToken) {
        self.handle.invalidate(alias, rejected);
    }
}

/// Hands out the token of the request's [`UserAlias`]. A request without one gets an error of kind
/// [`Credentials`](crate::ErrorKind::Credentials).
#[cfg(feature = "async")]
impl AsyncTokenSource for Sessions {
    type Error = Error;

    fn base_url(&self) -> &BaseUrl {
        self.aliases.base_url()
    }

    async fn access_token(&self, alias: Option<&UserAlias>) -> Result<AccessToken, Error> {
        session_of(&self.aliases, alias)?.access_token(None).await
    }

    fn invalidate(&self, alias: Option<&UserAlias>, rejected: &AccessToken) {
        invalidate(&self.aliases, alias, rejected);
    }
}

/// Hands out the session's token. A request with another [`UserAlias`] gets an error of kind
/// [`Credentials`](crate::ErrorKind::Credentials), and one without gets the token.
#[cfg(feature = "blocking")]
impl BlockingTokenSource for blocking::Session {
    type Error = Error;

    fn base_url(&self) -> &BaseUrl {
        AsyncTokenSource::base_url(&self.handle)
    }

    fn access_token(&self, alias: Option<&UserAlias>) -> Result<AccessToken, Error> {
        check(&self.handle, alias)?;
        self.access_token()
    }

    fn invalidate(&self, _: Option<&UserAlias>, rejected: &AccessToken) {
        self.handle.0.invalidate(rejected);
    }
}

/// Hands out the token of the request's [`UserAlias`]. A request without one gets an error of kind
/// [`Credentials`](crate::ErrorKind::Credentials).
#[cfg(feature = "blocking")]
impl BlockingTokenSource for blocking::Sessions {
    type Error = Error;

    fn base_url(&self) -> &BaseUrl {
        self.aliases.base_url()
    }

    fn access_token(&self, alias: Option<&UserAlias>) -> Result<AccessToken, Error> {
        self.access_token(alias.ok_or_else(Error::without_alias)?.as_str())
    }

    fn invalidate(&self, alias: Option<&UserAlias>, rejected: &AccessToken) {
        invalidate(&self.aliases, alias, rejected);
    }
}

/// A request for another alias must not get the token of this session.
fn check(session: &Handle, alias: Option<&UserAlias>) -> Result<(), Error> {
    match alias {
        Some(alias) if session.0.user_alias().as_deref() != Some(alias.as_str()) => {
            Err(Error::of_other_alias())
        }
        _ => Ok(()),
    }
}

#[cfg(feature = "async")]
fn session_of(aliases: &Aliases, alias: Option<&UserAlias>) -> Result<Handle, Error> {
    Ok(aliases.get(alias.ok_or_else(Error::without_alias)?.as_str())?)
}

/// A session that is gone took its token along.
fn invalidate(aliases: &Aliases, alias: Option<&UserAlias>, rejected: &AccessToken) {
    if let Some(session) = alias.and_then(|alias| aliases.existing(alias.as_str())) {
        session.0.invalidate(rejected);
    }
}
