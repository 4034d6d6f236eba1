//! The common part of async and blocking sessions: a hold on a driver, and its construction.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Response;
use point_auth_core::session::{Call, Lease, Policy, SessionMachine};
use point_auth_core::{AccessToken, Credentials, Operation, SecretBody};
use point_auth_transport::Runtime;
use point_auth_transport::authorize::{AuthorizedRequest, Reply};

use crate::config::Config;
use crate::credential_source::Source;
use crate::driver::waiting::Waiting;
use crate::driver::{Common, Driver, DynTransport, FetchFrom};
use crate::runtime::Clock;
use crate::{Error, Observer};

/// A user's hold on a session. The background refresh ends with the last of them.
pub(crate) struct Handle(pub(crate) Arc<Driver>);

impl Handle {
    pub(crate) fn new(driver: Arc<Driver>) -> Self {
        driver.opened();
        Self(driver)
    }

    pub(crate) fn lease(&self, call: Call) -> Waiting<'_> {
        Waiting::new(&self.0, call)
    }

    /// Waits through backoff up to `deadline`.
    pub(crate) async fn lease_by(&self, deadline: Instant) -> Result<Lease, Error> {
        /// The shortest wait, so that an error without a delay causes no busy loop.
        const LEAST: Duration = Duration::from_millis(10);
        let runtime = self.0.runtime();
        let left = deadline.saturating_duration_since(Instant::now());
        let deadline = runtime.now().monotonic.saturating_add(left);
        loop {
            let error = match self.lease(Call::until(deadline)).await {
                Err(error) if error.is_retryable() => error,
                result => return result,
            };
            let now = runtime.now().monotonic;
            if now >= deadline {
                return Err(error);
            }
            let delay = error.retry_after().unwrap_or_default();
            let until = now.saturating_add(delay.max(LEAST)).min(deadline);
            runtime.sleep_until(until).await;
        }
    }

    pub(crate) fn call_within(&self, timeout: Duration) -> Call {
        Call::until(self.0.runtime().now().monotonic.saturating_add(timeout))
    }

    pub(crate) async fn execute<O: Operation>(&self, operation: &O) -> Result<O::Output, Error> {
        let mut token = self.lease(Call::new()).await?.token;
        let mut authorized = AuthorizedRequest::new();
        loop {
            let response = self.0.send(operation, &token).await?;
            let reply = Reply::new(response.status());
            match authorized.next_token(self, None, &token, reply, true).await {
                Some(other) => token = other,
                None => return read(operation, &response, &token),
            }
        }
    }
}

/// Reads the response. No error shows the token, which the operation does not know.
fn read<O: Operation>(
    operation: &O,
    response: &Response<SecretBody>,
    token: &AccessToken,
) -> Result<O::Output, Error> {
    let parsed = operation.parse_response(response);
    parsed.map_err(|error| Error::of_operation(error.without(token.expose())))
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.0))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.closed();
    }
}

/// The configuration of one session, or of many of one login.
pub(crate) struct Plan {
    pub(crate) transport: Arc<dyn DynTransport>,
    pub(crate) config: Config,
    pub(crate) credentials: PlannedCredentials,
    pub(crate) policy: Arc<Policy>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) clock: Clock,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
    #[cfg(feature = "tracing")]
    pub(crate) traces_aliases: bool,
    #[cfg(feature = "metrics")]
    pub(crate) metrics_labels: Vec<metrics::Label>,
    #[cfg(feature = "store")]
    pub(crate) store: crate::store::PlannedStore,
}

pub(crate) enum PlannedCredentials {
    None,
    Value(Credentials),
    Source(Arc<dyn Source>),
}

impl PlannedCredentials {
    /// Returns the source, and the credentials themselves if they are known.
    pub(crate) fn parts(&self) -> (Option<Arc<dyn Source>>, Option<Credentials>) {
        match self {
            Self::None => (None, None),
            Self::Value(credentials) => {
                (Some(Arc::new(credentials.clone())), Some(credentials.clone()))
            }
            Self::Source(source) => (Some(Arc::clone(source)), None),
        }
    }
}

impl Plan {
    pub(crate) fn new(
        transport: Arc<dyn DynTransport>,
        config: Config,
        runtime: Arc<dyn Runtime>,
    ) -> Self {
        Self {
            transport,
            config,
            credentials: PlannedCredentials::None,
            policy: Arc::default(),
            runtime,
            clock: Clock::Std,
            observers: Vec::new(),
            #[cfg(feature = "tracing")]
            traces_aliases: false,
            #[cfg(feature = "metrics")]
            metrics_labels: Vec::new(),
            #[cfg(feature = "store")]
            store: crate::store::PlannedStore::default(),
        }
    }

    /// Builds one session.
    pub(crate) fn build(self) -> Handle {
        self.build_with(None)
    }

    /// Builds one session, which goes on with `forked` if that is given.
    pub(crate) fn build_with(self, forked: Option<SessionMachine>) -> Handle {
        let (base, policy) = (self.config.base_url.clone(), self.policy);
        let exchange_timeout = policy.exchange_timeout();
        #[cfg(feature = "store")]
        let store = crate::store::Link::new(self.store, &base, Arc::clone(&policy), 1);
        let (session, credentials, alias) = match self.credentials {
            PlannedCredentials::None => {
                let session = SessionMachine::without_credentials(base, policy, seed());
                (session, FetchFrom::Session, None)
            }
            PlannedCredentials::Value(credentials) => {
                let alias = credentials.user_alias().map(Arc::from);
                let session = SessionMachine::new(base, credentials, policy, seed());
                (session, FetchFrom::Session, alias)
            }
            PlannedCredentials::Source(source) => {
                let session = SessionMachine::on_demand(base, policy, seed());
                let session = match source.owner() {
                    Some((name, alias)) => session.with_owner(Some(&name), alias.as_deref()),
                    None => session,
                };
                (session, FetchFrom::Source(source), None)
            }
        };
        let common = Common {
            transport: self.transport,
            runtime: self.runtime,
            clock: self.clock,
            config: self.config,
            credentials,
            observers: self.observers,
            #[cfg(feature = "tracing")]
            traces_aliases: self.traces_aliases,
            #[cfg(feature = "metrics")]
            meter: crate::driver::meter::Meter::new(self.metrics_labels, false),
            #[cfg(feature = "store")]
            store,
            exchange_timeout,
        };
        let alias = alias.unwrap_or_else(|| Arc::from(""));
        Handle::new(Driver::new(Arc::new(common), alias, forked.unwrap_or(session)))
    }
}

/// Returns a random number, which the standard library draws for each hash map.
///
/// The children of a fork draw equal numbers from there, so the process is part of it.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// The settings that both builders of a session have, each a field of [`Plan`].
macro_rules! session_settings {
    () => {
        /// Sets the credentials.
        ///
        /// Without credentials and without a source, a session depends on restored tokens.
        pub fn with_credentials(mut self, credentials: point_auth_core::Credentials) -> Self {
            self.plan.credentials = crate::handle::PlannedCredentials::Value(credentials);
            self
        }

        /// Sets the times and counts of the session. The
        /// [default](point_auth_core::session::Policy::default) suits most programs.
        pub fn with_policy(mut self, policy: point_auth_core::session::Policy) -> Self {
            self.plan.policy = std::sync::Arc::new(policy);
            self
        }

        /// Sets the runtime, which provides time and runs the exchanges.
        pub fn with_runtime(mut self, runtime: impl crate::Runtime) -> Self {
            self.plan.runtime = std::sync::Arc::new(runtime);
            self.plan.clock = crate::runtime::Clock::Runtime;
            self
        }

        /// Sends a password that this process has not seen accepted while the store cannot be
        /// asked. By default such a sign-in waits for the store, since another process may know
        /// that the password was denied.
        ///
        /// It has no effect without a store.
        #[cfg(feature = "store")]
        pub fn with_sign_in_during_store_outage(mut self) -> Self {
            self.plan.store.signs_in_without = true;
            self
        }

        /// Shows the alias in the spans of exchanges. It is personal data, and left out by default.
        #[cfg(feature = "tracing")]
        pub fn with_aliases_in_spans(mut self) -> Self {
            self.plan.traces_aliases = true;
            self
        }

        /// Adds a label to all metrics of the session, such as `login` with a name that you chose.
        ///
        /// It tells the sessions of one program apart. Metrics are kept for long and read by many,
        /// so a value must be neither personal nor secret: no alias, no username. A name that a
        /// metric has already, such as `kind`, is ignored.
        #[cfg(feature = "metrics")]
        pub fn with_metrics_label(
            mut self,
            name: impl Into<std::borrow::Cow<'static, str>>,
            value: impl Into<std::borrow::Cow<'static, str>>,
        ) -> Self {
            let label = metrics::Label::new(name.into(), value.into());
            crate::driver::meter::add_label(&mut self.plan.metrics_labels, label);
            self
        }

        /// Adds an observer of exchanges and of tokens to store. Several are notified in the order
        /// in which they were added.
        pub fn with_observer(mut self, observer: impl crate::Observer) -> Self {
            self.plan.observers.push(std::sync::Arc::new(observer));
            self
        }
    };
}

/// The methods of both kinds of session that do not wait.
macro_rules! session_methods {
    () => {
        /// Returns the current access token without waiting, taking a lock or allocating.
        ///
        /// `None` means only that it is time to call [`access_token`](Self::access_token).
        pub fn current_token(&self) -> Option<point_auth_core::AccessToken> {
            self.handle.0.current()
        }

        /// Returns the current access token with its expiry, like
        /// [`current_token`](Self::current_token).
        pub fn current_lease(&self) -> Option<point_auth_core::session::Lease> {
            self.handle.0.current_lease()
        }

        /// Returns the alias of the session's tokens, if they have one.
        pub fn user_alias(&self) -> Option<String> {
            self.handle.0.user_alias()
        }

        /// Reports that the API answered 401 to a request with this token.
        ///
        /// Call it for each such response. Any number of reports for one token lead to one
        /// exchange, and a report for a replaced token is ignored. The rejection of a token younger
        /// than 30 seconds starts a backoff, so that an API that rejects every token causes no
        /// storm.
        pub fn invalidate(&self, rejected: &point_auth_core::AccessToken) {
            self.handle.0.invalidate(rejected);
        }

        /// Replaces the credentials.
        ///
        /// A changed username or alias drops the tokens; a changed password keeps them. A changed
        /// username or password ends the wait after a denial and a hold of the previous password,
        /// but not a backoff after failures. The last five passwords are remembered: a denied one
        /// is not sent again before a [`reset`](Self::reset).
        ///
        /// On a session of `Sessions` this changes the login, for all its aliases.
        pub fn set_credentials(&self, credentials: point_auth_core::Credentials) {
            self.handle.0.set_credentials(credentials);
        }

        /// Clears the denial and all backoff.
        ///
        /// Call it once an operator has confirmed the credentials. With a shared login it clears
        /// only this alias's denial, and `Sessions::reset` clears the holds of the login.
        pub fn reset(&self) {
            self.handle.0.reset();
        }

        /// Restores tokens that were stored before a restart.
        ///
        /// Tokens that the session has obtained later stay.
        ///
        /// # Errors
        /// [`StoredTokensError`](point_auth_core::session::StoredTokensError) when they belong to
        /// another base URL, username or alias.
        pub fn restore(
            &self,
            stored: point_auth_core::session::StoredTokens,
        ) -> Result<(), point_auth_core::session::StoredTokensError> {
            self.handle.0.restore(stored)
        }

        /// Returns the tokens to keep across a restart, or `None` if there are none.
        ///
        /// An [`Observer`](crate::Observer) is notified whenever this changes.
        pub fn stored_tokens(&self) -> Option<point_auth_core::session::StoredTokens> {
            self.handle.0.stored_tokens()
        }

        /// Returns the state of the session, for people and dashboards. It holds no secret.
        pub fn snapshot(&self) -> point_auth_core::session::Snapshot {
            self.handle.0.snapshot()
        }

        /// Returns the base URL of the API.
        pub fn base_url(&self) -> &point_auth_core::BaseUrl {
            &self.handle.0.config().base_url
        }
    };
}

pub(crate) use session_methods;
pub(crate) use session_settings;
