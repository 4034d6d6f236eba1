//! [`Sessions`]: one login, and a session for each of many aliases.

use std::fmt;
use std::sync::Arc;

use point_auth_core::{AccessToken, Credentials, CredentialsError};
use point_auth_transport::AsyncTransport;

use crate::aliases::{Aliases, Bounds, sessions_methods, sessions_settings};
use crate::async_session::plan;
use crate::credential_source::AsyncSource;
use crate::handle::{Plan, PlannedCredentials, session_settings};
use crate::{Client, CredentialSource, Error, Session};

/// One login that stands for many people: a [`Session`] for each alias, made when it is first asked for.
///
/// They share a [`Ledger`](crate::session::Ledger), which decides who may send the password: until
/// it has given a token one at a time, then up to three at once
/// ([`with_max_concurrent_sign_ins`](SessionsBuilder::with_max_concurrent_sign_ins)). An alias that
/// is denied is not sent again and keeps no other out. After three denials in a row with no token in
/// between, further aliases are held for a while and get an error of kind
/// [`Held`](crate::ErrorKind::Held). Aliases that have worked are held up only by denials of aliases
/// that have worked.
///
/// Cheap to clone; clones share the sessions. One session takes about 3 kB with tokens of the usual size.
///
/// ```no_run
/// # #[cfg(feature = "reqwest")]
/// # async fn example(password: String) -> Result<(), Box<dyn std::error::Error>> {
/// use point_auth::{Client, Credentials, ReqwestTransport, Sessions};
///
/// let client = Client::new(ReqwestTransport::new()?);
/// let sessions = Sessions::new(client, Credentials::new("company@example.com", password)?);
///
/// let token = sessions.access_token("jane@example.com").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sessions {
    aliases: Arc<Aliases>,
}

impl Sessions {
    /// The sessions of this login. An alias that the credentials have is left out.
    pub fn new<T: AsyncTransport + 'static>(client: Client<T>, credentials: Credentials) -> Self {
        Self::builder(client).with_credentials(credentials).build()
    }

    /// Starts from the defaults.
    pub fn builder<T: AsyncTransport + 'static>(client: Client<T>) -> SessionsBuilder {
        SessionsBuilder { plan: plan(client), bounds: Bounds::default() }
    }

    /// The session of this alias. Hold it while you use it often; it is dropped when nobody holds it and it is idle.
    ///
    /// # Errors
    /// [`CredentialsError`] when the alias is empty or too long.
    pub fn session(&self, user_alias: &str) -> Result<Session, CredentialsError> {
        Ok(Session::of(self.aliases.get(user_alias)?))
    }

    /// The token of this alias, as [`Session::access_token`].
    ///
    /// # Errors
    /// As there, and of kind [`Credentials`](crate::ErrorKind::Credentials) when the alias is empty or too long.
    pub async fn access_token(&self, user_alias: &str) -> Result<AccessToken, Error> {
        self.session(user_alias)?.access_token().await
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

    /// Asks this for the credentials at each sign-in, so that they need not be held. An alias that they have is left out.
    pub fn with_credential_source(mut self, source: impl CredentialSource) -> Self {
        self.plan.credentials = PlannedCredentials::Source(Arc::new(AsyncSource(source)));
        self
    }

    /// The sessions. There are none until somebody asks for one.
    pub fn build(self) -> Sessions {
        Sessions { aliases: Aliases::new(self.plan, self.bounds) }
    }
}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder").finish_non_exhaustive()
    }
}
