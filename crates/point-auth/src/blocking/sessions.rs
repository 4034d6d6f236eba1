//! [`Sessions`]: one login, and a session for each of many aliases, for threads.

use std::fmt;
use std::sync::Arc;

use point_auth_core::{AccessToken, Credentials, CredentialsError};
use point_auth_transport::BlockingTransport;

use super::session::plan;
use super::{Client, CredentialSource, Session};
use crate::Error;
use crate::aliases::{Aliases, Bounds, sessions_methods, sessions_settings};
use crate::credential_source::BlockingSource;
use crate::handle::{Plan, PlannedCredentials, session_settings};

/// Keeps a [`Session`] for each alias of one login, made when it is first asked for.
///
/// They share a [`Ledger`](crate::session::Ledger), which decides who may send the password: until
/// it has given a token one at a time, then up to three at once
/// ([`with_max_concurrent_sign_ins`](SessionsBuilder::with_max_concurrent_sign_ins)). An alias that
/// is denied is not sent again and keeps no other out. After three denials in a row with no token
/// in between, further aliases are held: for 10 minutes to 1 hour, or where the password has never
/// given a token for 1 hour, 2 hours, 4 hours and then for good. Their callers get an error of kind
/// [`Held`](crate::ErrorKind::Held). Aliases that have worked are held up only by denials of
/// aliases that have worked.
///
/// Clones are cheap and share the sessions. One session takes about 3 kB with tokens of the usual
/// size.
#[derive(Clone)]
pub struct Sessions {
    aliases: Arc<Aliases>,
}

impl Sessions {
    /// Creates the sessions of this login. An alias that the credentials have is left out.
    pub fn new<T: BlockingTransport + 'static>(
        client: Client<T>,
        credentials: Credentials,
    ) -> Self {
        Self::builder(client).with_credentials(credentials).build()
    }

    /// Returns a builder with the defaults.
    pub fn builder<T: BlockingTransport + 'static>(client: Client<T>) -> SessionsBuilder {
        SessionsBuilder { plan: plan(client), bounds: Bounds::default() }
    }

    /// Returns the session of this alias, a new one if there is none. Hold it while it is in use:
    /// an idle session that is not held is dropped.
    ///
    /// # Errors
    /// [`CredentialsError`] when the alias is empty or too long.
    pub fn session(&self, user_alias: &str) -> Result<Session, CredentialsError> {
        Ok(Session::of(self.aliases.get(user_alias)?))
    }

    /// Returns a valid access token of this alias, as [`Session::access_token`] does.
    ///
    /// # Errors
    /// As there, and of kind [`Credentials`](crate::ErrorKind::Credentials) when the alias is empty
    /// or too long. Of kind [`Held`](crate::ErrorKind::Held) while the alias is held.
    pub fn access_token(&self, user_alias: &str) -> Result<AccessToken, Error> {
        self.session(user_alias)?.access_token()
    }

    sessions_methods!();
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("base_url", self.base_url()).finish_non_exhaustive()
    }
}

/// Builds [`Sessions`].
#[must_use]
pub struct SessionsBuilder {
    plan: Plan,
    bounds: Bounds,
}

impl SessionsBuilder {
    session_settings!();
    sessions_settings!();

    /// Shares the tokens with all processes that use this store.
    ///
    /// They sign in once and refresh once in a token's life, and a password that one of them has
    /// been denied is sent by no other. While the store cannot be asked, good tokens go on being
    /// handed out.
    #[cfg(feature = "store")]
    pub fn with_store(mut self, store: impl point_auth_store::blocking::TokenStore) -> Self {
        self.plan.store.store = Some(point_auth_store::AnyStore::blocking(store));
        self
    }

    /// Asks this source for the credentials at each sign-in. An alias that they have is left out.
    pub fn with_credential_source(mut self, source: impl CredentialSource) -> Self {
        self.plan.credentials = PlannedCredentials::Source(Arc::new(BlockingSource(source)));
        self
    }

    /// Creates the sessions. There are none until the first is asked for.
    pub fn build(self) -> Sessions {
        Sessions { aliases: Aliases::new(self.plan, self.bounds) }
    }
}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder").finish_non_exhaustive()
    }
}
