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

/// Keeps a [`Session`] for each alias of one login, created on first use.
///
/// They share a [`Ledger`](crate::session::Ledger), which decides who may send the password.
/// Sign-ins run one at a time until the password has given a token, then up to three at once
/// ([`with_max_concurrent_sign_ins`](SessionsBuilder::with_max_concurrent_sign_ins)).
///
/// A denied alias is not sent again, and blocks no other. After three denials in a row with no
/// token in between, further aliases are held for 10 minutes to 1 hour. If the password has never
/// given a token, they are held for 1, 2 and 4 hours and then permanently. Their callers get an
/// error of kind [`Held`](crate::ErrorKind::Held). Aliases that have worked are held only by
/// denials of such aliases.
///
/// Clones are cheap and share the sessions. One session takes about 3 kB with tokens of the usual
/// size.
#[derive(Clone)]
pub struct Sessions {
    pub(crate) aliases: Arc<Aliases>,
}

impl Sessions {
    /// Creates the sessions of this login. An alias in the credentials is ignored.
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

    /// Returns the session of this alias, a new one if there is none.
    ///
    /// Hold it while it is in use: an idle session that is not held is dropped.
    ///
    /// # Errors
    /// [`CredentialsError`] when the alias is empty or too long.
    pub fn session(&self, user_alias: &str) -> Result<Session, CredentialsError> {
        Ok(Session::of(self.aliases.get(user_alias)?))
    }

    /// Returns a valid access token of this alias, like [`Session::access_token`].
    ///
    /// # Errors
    /// The errors of [`Session::access_token`], one of kind
    /// [`Credentials`](crate::ErrorKind::Credentials) when the alias is empty or too long, and one
    /// of kind [`Held`](crate::ErrorKind::Held) while the alias is held.
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
    pub(super) plan: Plan,
    pub(super) bounds: Bounds,
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

    /// Sets a source that provides the credentials at each sign-in. An alias in them is ignored.
    pub fn with_credential_source(mut self, source: impl CredentialSource) -> Self {
        self.plan.credentials = PlannedCredentials::Source(Arc::new(BlockingSource(source)));
        self
    }

    /// Creates the container. Each session is created on first use.
    pub fn build(self) -> Sessions {
        Sessions { aliases: Aliases::new(self.plan, self.bounds) }
    }
}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder").finish_non_exhaustive()
    }
}
