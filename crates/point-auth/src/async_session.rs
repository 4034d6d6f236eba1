//! [`Session`]: a valid token for any number of tasks.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use point_auth_core::session::{Call, Lease};
use point_auth_core::{AccessToken, Credentials, Operation, SecretBody};
use point_auth_transport::{AsyncTransport, SendLimits};

use crate::credential_source::AsyncSource;
use crate::driver::{DynTransport, Sending};
use crate::handle::{Handle, Plan, PlannedCredentials, session_methods, session_settings};
use crate::{Client, CredentialSource, Error};

/// Keeps a valid token available for any number of tasks.
///
/// It signs in on the first request for a token, and refreshes it in time, once for all callers.
/// Clones share the session, and are cheap. [`SessionMachine`](crate::session::SessionMachine)
/// holds the rules; the book explains them.
///
/// ```no_run
/// # #[cfg(feature = "reqwest")]
/// # async fn example(password: String) -> Result<(), Box<dyn std::error::Error>> {
/// use point_auth::{Client, Credentials, ReqwestTransport, Session, http};
///
/// let client = Client::new(ReqwestTransport::new()?);
/// let session = Session::new(client, Credentials::new("user@example.com", password)?);
///
/// let mut request = http::Request::post("https://api.pointservices.com/…").body(())?;
/// session.authorize(&mut request).await?;
/// # Ok(())
/// # }
/// ```
///
/// # How exchanges run
///
/// Each exchange runs in the background. With the feature `tokio` it is a task of the tokio runtime
/// that the session was built in, otherwise it runs on a thread of a
/// [`ThreadRuntime`](crate::ThreadRuntime). Dropping a caller cancels no exchange. A caller with a
/// token does not wait. When the exchange ends, each waiter is woken once. Another executor can be
/// [set](SessionBuilder::with_runtime).
#[derive(Clone)]
pub struct Session {
    pub(crate) handle: Handle,
}

impl Session {
    /// Creates a session that signs in with `credentials` through `client` on the first request for
    /// a token.
    pub fn new<T: AsyncTransport + 'static>(client: Client<T>, credentials: Credentials) -> Self {
        Self::builder(client).with_credentials(credentials).build()
    }

    /// Returns a builder with the defaults.
    pub fn builder<T: AsyncTransport + 'static>(client: Client<T>) -> SessionBuilder {
        SessionBuilder { plan: plan(client) }
    }

    pub(crate) fn of(handle: Handle) -> Self {
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
    pub async fn access_token(&self) -> Result<AccessToken, Error> {
        // Before any future is created: most calls need none.
        if let Some(token) = self.handle.0.current() {
            return Ok(token);
        }
        Ok(self.handle.lease(Call::new()).await?.token)
    }

    /// Returns a valid access token, waiting for at most `timeout`.
    ///
    /// # Errors
    /// The errors of [`access_token`](Self::access_token), and one of kind
    /// [`Timeout`](crate::ErrorKind::Timeout) after `timeout`. An exchange that was started
    /// continues for other callers.
    pub async fn access_token_within(&self, timeout: Duration) -> Result<AccessToken, Error> {
        Ok(self.handle.lease(self.handle.call_within(timeout)).await?.token)
    }

    /// Returns a valid access token, and waits up to `deadline`, through failures and backoff.
    ///
    /// It is for a batch job that prefers to wait for the end of an outage.
    ///
    /// # Errors
    /// An [`Error`] at once where waiting does not help, such as a denial. At the deadline, the
    /// last error, or one of kind [`Timeout`](crate::ErrorKind::Timeout).
    pub async fn access_token_by(&self, deadline: Instant) -> Result<AccessToken, Error> {
        Ok(self.handle.lease_by(deadline).await?.token)
    }

    /// Returns a valid access token with its expiry. It waits like
    /// [`access_token`](Self::access_token).
    ///
    /// # Errors
    /// The errors of [`access_token`](Self::access_token).
    pub async fn lease(&self) -> Result<Lease, Error> {
        self.handle.lease(Call::new()).await
    }

    /// Returns a valid access token with its expiry, waiting for at most `timeout`.
    ///
    /// # Errors
    /// The errors of [`access_token_within`](Self::access_token_within).
    pub async fn lease_within(&self, timeout: Duration) -> Result<Lease, Error> {
        self.handle.lease(self.handle.call_within(timeout)).await
    }

    /// Sets the token on a request, and replaces any `Authorization` that is there.
    ///
    /// Returns the token, to [invalidate](Self::invalidate) it if the API answers 401.
    ///
    /// # Errors
    /// The errors of [`access_token`](Self::access_token). The request is then unchanged.
    pub async fn authorize<B>(&self, request: &mut Request<B>) -> Result<AccessToken, Error> {
        let token = self.access_token().await?;
        token.authorize(request.headers_mut());
        Ok(token)
    }

    /// Runs an operation with the bearer token.
    ///
    /// If the API answers 401, the session invalidates the token and runs the operation once more
    /// with another token, if there is one. A second 401 is returned, and that token is invalidated
    /// too. Since that token is young, no caller gets a token for a second or more.
    ///
    /// # Errors
    /// An [`Error`] when there is no token, or the errors of [`Client::execute`].
    pub async fn execute<O: Operation>(&self, operation: &O) -> Result<O::Output, Error> {
        self.handle.execute(operation).await
    }

    /// Returns the background refresh: a future that keeps the token fresh without callers.
    ///
    /// Spawn it, and no caller waits for a refresh. It ends when the last `Session` is dropped, and
    /// does not count as one. While it runs for an alias, hold the session:
    /// [`Sessions`](crate::Sessions) drops idle ones that are not held.
    pub fn keep_fresh(&self) -> impl Future<Output = ()> + Send + use<> {
        crate::driver::refreshing::keep_fresh(Arc::clone(&self.handle.0))
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
    plan: Plan,
}

impl SessionBuilder {
    session_settings!();

    /// Shares the tokens with all processes that use this store.
    ///
    /// They sign in once and refresh once in a token's life, and a password that one of them has
    /// been denied is sent by no other. While the store cannot be asked, good tokens go on being
    /// handed out.
    #[cfg(feature = "store")]
    pub fn with_store(mut self, store: impl point_auth_store::TokenStore) -> Self {
        self.plan.store.store = Some(point_auth_store::AnyStore::new(store));
        self
    }

    /// Sets a source that provides the credentials at each sign-in.
    pub fn with_credential_source(mut self, source: impl CredentialSource) -> Self {
        self.plan.credentials = PlannedCredentials::Source(Arc::new(AsyncSource(source)));
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
pub(crate) fn plan<T: AsyncTransport + 'static>(client: Client<T>) -> Plan {
    let (transport, config) = client.into_parts();
    #[cfg(feature = "tokio")]
    let runtime = crate::runtime::DefaultRuntime::new();
    #[cfg(not(feature = "tokio"))]
    let runtime = crate::ThreadRuntime::new();
    Plan::new(Arc::new(AsyncAdapter(transport)), config, Arc::new(runtime))
}

struct AsyncAdapter<T>(T);

impl<T: AsyncTransport> DynTransport for AsyncAdapter<T> {
    fn send(&self, request: Request<SecretBody>, limits: SendLimits) -> Sending<'_> {
        Box::pin(async move {
            let target = request.uri().clone();
            let sent: Result<Response<SecretBody>, _> = self.0.send(request, &limits).await;
            // A transport of the user's may not set the route.
            sent.map_err(|error| error.with_route(&target, None))
        })
    }
}
