//! [`Session`]: a good token, now, for any number of tasks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use point_auth_core::session::Call;
use point_auth_core::{AccessToken, Credentials, Operation, SecretBody};
use point_auth_transport::{AsyncTransport, SendLimits};

use crate::credential_source::AsyncSource;
use crate::driver::{Carrier, Sending};
use crate::handle::{Handle, Plan, PlannedCredentials, session_methods, session_settings};
use crate::{Client, CredentialSource, Error};

/// A good token, now, for any number of tasks: signs in when it is first asked, refreshes in time, once for all who ask.
///
/// Clones are holds on the same session, and cheap. The rules are those of [`session::Session`](crate::session::Session), and the book's
/// chapter "Keeping a token fresh" tells them as a story.
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
/// # Who sends
///
/// In a tokio runtime (feature `tokio`) each exchange is a task of its own. Nobody can cancel it by going away, nobody who still has a token waits
/// for it, and when it ends everybody is woken once. It runs in the runtime of the caller who began it: if that runtime is
/// shut down, the exchange is given up, and after a second (a sign-in) or at once (a refresh) the next caller begins another.
///
/// Elsewhere all who wait share the exchange and any of them drives it on; whoever goes away or is not polled any more
/// takes nothing with them. An event of its I/O wakes two of those who wait, and more only if those do not look within 5 ms. While there is
/// still a good token, the one caller who has begun a refresh stays until it is done, for at most its patience, and the others
/// have their token at once; [`keep_fresh`](Self::keep_fresh) in a task of yours spares that one too. If it leaves before that, the next who asks
/// stays in its place. If nobody asks for 32 seconds, or the one who stays is not polled for so long, the refresh is taken for lost
/// and another begins.
#[derive(Clone)]
pub struct Session {
    handle: Handle,
}

impl Session {
    /// A session that signs in with `credentials` by `client` when it is first asked for a token.
    pub fn new<T: AsyncTransport + 'static>(client: Client<T>, credentials: Credentials) -> Self {
        Self::builder(client).with_credentials(credentials).build()
    }

    /// Starts from the defaults.
    pub fn builder<T: AsyncTransport + 'static>(client: Client<T>) -> SessionBuilder {
        SessionBuilder { plan: plan(client) }
    }

    pub(crate) fn of(handle: Handle) -> Self {
        Self { handle }
    }

    /// The token, got if need be, waiting for at most the policy's patience (15 seconds).
    ///
    /// While there is a good one this never waits, takes no lock and allocates nothing.
    ///
    /// # Errors
    /// An [`Error`], the same for all who waited for it. Until its [`retry_after`](Error::retry_after) every call gets it at once.
    pub async fn access_token(&self) -> Result<AccessToken, Error> {
        // Before there is a future that could wait: most calls need none.
        if let Some(token) = self.handle.0.current() {
            return Ok(token);
        }
        self.handle.access_token(Call::new()).await
    }

    /// The same, waiting for at most so long.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token), and of kind [`Timeout`](crate::ErrorKind::Timeout) when it took longer. What was
    /// begun goes on for the others.
    pub async fn access_token_within(&self, patience: Duration) -> Result<AccessToken, Error> {
        self.handle.access_token(self.handle.call_within(patience)).await
    }

    /// Puts the token on a request, in place of any `Authorization` that is there. Answers the token, to
    /// [invalidate](Self::invalidate) it if the API answers 401.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token). The request is then as it was.
    pub async fn authorize<B>(&self, request: &mut Request<B>) -> Result<AccessToken, Error> {
        let token = self.access_token().await?;
        token.authorize(request.headers_mut());
        Ok(token)
    }

    /// Runs an operation with the bearer token. If the API answers 401, the token is given up and the operation is run once more with
    /// another, if there is one to be had. A 401 to that one is handed back, and it is given up as well: since it is young, nobody gets
    /// a token for a second or more.
    ///
    /// # Errors
    /// An [`Error`] when there is no token, or as [`Client::execute`].
    pub async fn execute<O: Operation>(&self, operation: &O) -> Result<O::Output, Error> {
        self.handle.execute(operation).await
    }

    /// A future that keeps the token fresh whether anybody asks or not: spawn it, and no caller ever waits for a refresh.
    ///
    /// It ends when the last `Session` is dropped; it does not count as one. Hold the session of an alias while you keep it fresh:
    /// [`Sessions`](crate::Sessions) drops those that nobody holds.
    pub fn keep_fresh(&self) -> impl Future<Output = ()> + Send + use<> {
        crate::driver::keeping::keep_fresh(Arc::clone(&self.handle.0))
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

    /// Asks this for the credentials at each sign-in, so that they need not be held.
    pub fn with_credential_source(mut self, source: impl CredentialSource) -> Self {
        self.plan.credentials = PlannedCredentials::Source(Arc::new(AsyncSource(source)));
        self
    }

    /// The session. Nothing is sent until somebody asks it for a token.
    pub fn build(self) -> Session {
        Session::of(self.plan.build())
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder").finish_non_exhaustive()
    }
}

/// The defaults for whoever uses this client.
pub(crate) fn plan<T: AsyncTransport + 'static>(client: Client<T>) -> Plan {
    let (transport, config) = client.into_parts();
    #[cfg(feature = "tokio")]
    let runtime = crate::TokioRuntime::new();
    #[cfg(not(feature = "tokio"))]
    let runtime = crate::NeutralRuntime::new();
    Plan::new(Arc::new(AsyncCarrier(transport)), config, Arc::new(runtime))
}

struct AsyncCarrier<T>(T);

impl<T: AsyncTransport> Carrier for AsyncCarrier<T> {
    fn send(&self, request: Request<SecretBody>, limits: SendLimits) -> Sending<'_> {
        Box::pin(async move {
            let response: Response<SecretBody> = self.0.send(request, &limits).await?;
            Ok(response)
        })
    }
}
