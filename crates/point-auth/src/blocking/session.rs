//! [`Session`]: a valid token for any number of threads.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use point_auth_core::session::{Call, Lease};
use point_auth_core::{AccessToken, Credentials, Operation, SecretBody};
use point_auth_transport::{BlockingTransport, SendLimits};
use pollster::block_on;

use super::{Client, CredentialSource};
use crate::Error;
use crate::credential_source::BlockingSource;
use crate::driver::{DynTransport, Sending};
use crate::handle::{Handle, Plan, PlannedCredentials, session_methods, session_settings};
use crate::runtime::ThreadRuntime;

/// Keeps a valid token available for any number of threads.
///
/// It signs in on the first request for a token, and refreshes it in time, once for all callers.
/// Clones share the session, and are cheap. Exchanges run on threads of a
/// [`ThreadRuntime`](crate::ThreadRuntime). So a caller with a token does not wait, and a caller
/// with a timeout returns in time. In async code use [`Session`](crate::Session).
///
/// ```no_run
/// # #[cfg(feature = "ureq")]
/// # fn example(password: String) -> Result<(), Box<dyn std::error::Error>> {
/// use point_auth::blocking::{Client, Session};
/// use point_auth::{Credentials, UreqTransport, http};
///
/// let client = Client::new(UreqTransport::new()?);
/// let session = Session::new(client, Credentials::new("user@example.com", password)?);
///
/// let mut request = http::Request::post("https://api.pointservices.com/…").body(())?;
/// session.authorize(&mut request)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session {
    pub(crate) handle: Handle,
}

impl Session {
    /// Creates a session that signs in with `credentials` through `client` on the first request for
    /// a token.
    pub fn new<T: BlockingTransport + 'static>(
        client: Client<T>,
        credentials: Credentials,
    ) -> Self {
        Self::builder(client).with_credentials(credentials).build()
    }

    /// Returns a builder with the defaults.
    pub fn builder<T: BlockingTransport + 'static>(client: Client<T>) -> SessionBuilder {
        SessionBuilder { plan: plan(client) }
    }

    pub(super) fn of(handle: Handle) -> Self {
        Self { handle }
    }

    /// Returns a valid access token, and obtains one if necessary.
    ///
    /// It waits for at most the policy's acquire timeout (15 seconds). While there is a good token,
    /// it does not wait, takes no lock and allocates nothing.
    ///
    /// # Errors
    /// An [`Error`], shared by all callers that waited. Until its
    /// [`retry_after`](Error::retry_after), all calls get it at once.
    pub fn access_token(&self) -> Result<AccessToken, Error> {
        // Before any future is created, because its executor allocates.
        match self.handle.0.current() {
            Some(token) => Ok(token),
            None => Ok(block_on(self.handle.lease(Call::new()))?.token),
        }
    }

    /// Returns a valid access token, waiting for at most `timeout`.
    ///
    /// # Errors
    /// The errors of [`access_token`](Self::access_token), and one of kind
    /// [`Timeout`](crate::ErrorKind::Timeout) after `timeout`. An exchange that was started
    /// continues for other callers.
    pub fn access_token_within(&self, timeout: Duration) -> Result<AccessToken, Error> {
        match self.handle.0.current() {
            Some(token) => Ok(token),
            None => Ok(block_on(self.handle.lease(self.handle.call_within(timeout)))?.token),
        }
    }

    /// Returns a valid access token, and waits up to `deadline`, through failures and backoff.
    ///
    /// It is for a batch job that prefers to wait for the end of an outage.
    ///
    /// # Errors
    /// An [`Error`] at once where waiting does not help, such as a denial. At the deadline, the
    /// last error, or one of kind [`Timeout`](crate::ErrorKind::Timeout).
    pub fn access_token_by(&self, deadline: Instant) -> Result<AccessToken, Error> {
        Ok(block_on(self.handle.lease_by(deadline))?.token)
    }

    /// Returns a valid access token with its expiry. It waits like
    /// [`access_token`](Self::access_token).
    ///
    /// # Errors
    /// The errors of [`access_token`](Self::access_token).
    pub fn lease(&self) -> Result<Lease, Error> {
        block_on(self.handle.lease(Call::new()))
    }

    /// Returns a valid access token with its expiry, waiting for at most `timeout`.
    ///
    /// # Errors
    /// The errors of [`access_token_within`](Self::access_token_within).
    pub fn lease_within(&self, timeout: Duration) -> Result<Lease, Error> {
        block_on(self.handle.lease(self.handle.call_within(timeout)))
    }

    /// Sets the token on a request, and replaces any `Authorization` that is there.
    ///
    /// Returns the token, to [invalidate](Self::invalidate) it if the API answers 401.
    ///
    /// # Errors
    /// The errors of [`access_token`](Self::access_token). The request is then unchanged.
    pub fn authorize<B>(&self, request: &mut Request<B>) -> Result<AccessToken, Error> {
        let token = self.access_token()?;
        token.authorize(request.headers_mut());
        Ok(token)
    }

    /// Runs an operation with the bearer token, on the calling thread.
    ///
    /// If the API answers 401, the session invalidates the token and runs the operation once more
    /// with another token, if there is one. A second 401 is returned, and that token is invalidated
    /// too. Since that token is young, no caller gets a token for a second or more.
    ///
    /// # Errors
    /// An [`Error`] when there is no token, or the errors of [`Client::execute`].
    pub fn execute<O: Operation>(&self, operation: &O) -> Result<O::Output, Error> {
        block_on(self.handle.execute(operation))
    }

    /// Runs the background refresh, which keeps the token fresh without callers.
    ///
    /// Call it on a separate thread, and no caller waits for a refresh. It consumes this `Session`
    /// and returns when the last of the others is dropped.
    pub fn keep_fresh(self) {
        let driver = Arc::clone(&self.handle.0);
        drop(self);
        block_on(crate::driver::refreshing::keep_fresh(driver));
    }

    session_methods!();
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("base_url", self.base_url()).finish_non_exhaustive()
    }
}

/// Builds a [`Session`].
#[must_use]
pub struct SessionBuilder {
    pub(super) plan: Plan,
}

impl SessionBuilder {
    session_settings!();

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

    /// Sets a source that provides the credentials at each sign-in.
    pub fn with_credential_source(mut self, source: impl CredentialSource) -> Self {
        self.plan.credentials = PlannedCredentials::Source(Arc::new(BlockingSource(source)));
        self
    }

    /// Creates the session. Nothing is sent until the first request for a token.
    pub fn build(self) -> Session {
        Session::of(self.plan.build())
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder").finish_non_exhaustive()
    }
}

/// Returns the defaults of sessions that use this client.
pub(super) fn plan<T: BlockingTransport + 'static>(client: Client<T>) -> Plan {
    let (transport, config) = client.into_parts();
    Plan::new(Arc::new(BlockingAdapter(transport)), config, Arc::new(ThreadRuntime::new()))
}

struct BlockingAdapter<T>(T);

impl<T: BlockingTransport> DynTransport for BlockingAdapter<T> {
    fn send(&self, request: Request<SecretBody>, limits: SendLimits) -> Sending<'_> {
        Box::pin(async move {
            let target = request.uri().clone();
            let sent = self.0.send(request, &limits);
            // A transport of the user's may not set the route.
            sent.map_err(|error| error.with_route(&target, None))
        })
    }
}
