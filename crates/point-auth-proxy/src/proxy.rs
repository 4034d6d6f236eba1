//! [`Proxy`], and how it is built.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use point_auth::{BaseUrl, Session, Sessions};
use point_auth_transport::{SettingsError, TransportSettings};
use tokio::sync::Semaphore;

use crate::limits::ALL_KEPT_BYTES;
use crate::metrics::Metrics;
use crate::request_body::Budget;
use crate::target::Target;
use crate::tokens::Tokens;
use crate::upstream::Upstream;
use crate::{Limits, Listener, serve, status};

/// A reverse proxy that puts the token of a session on requests and sends them to its API.
///
/// Clones share connections to the API, limits and metrics, and are cheap.
#[derive(Clone)]
pub struct Proxy {
    pub(crate) shared: Arc<Shared>,
}

/// What all listeners, connections and requests have in common.
pub(crate) struct Shared {
    pub(crate) target: Target,
    pub(crate) tokens: Tokens,
    pub(crate) upstream: Upstream,
    pub(crate) limits: Limits,
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) metrics: Metrics,
    /// How many listeners serve, and how many of them do not drain.
    pub(crate) serving: AtomicUsize,
}

/// The reason why a proxy cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The settings of TLS, or of the proxy on the way to the API, cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A path prefix does not begin with a slash, or is not one that all servers read alike.
    #[error("a path prefix begins with a slash, and has no dot segment, `//`, `;` or bad escape")]
    PathPrefix,
    /// An alias is empty or too long, or a header cannot hold it.
    #[error("an alias is empty or too long, or has a character that a header cannot hold")]
    Alias,
    /// The default alias is not in the list of aliases.
    #[error("the default alias is not in the list of aliases")]
    DefaultAlias,
    /// The base URL of the session is not a URL.
    #[error("the base URL is not a URL")]
    BaseUrl,
}

impl Proxy {
    /// Returns a builder for a proxy whose requests all get the token of `session`.
    ///
    /// Run [`Session::keep_fresh`] beside it, and no request waits for a token.
    pub fn builder(session: Session) -> ProxyBuilder {
        ProxyBuilder::new(Tokens::One(session))
    }

    /// Returns a builder for a proxy whose requests name an alias, in the header
    /// `Point-Auth-User-Alias`. Only these aliases are served.
    pub fn builder_by_alias<I>(sessions: Sessions, aliases: I) -> ProxyBuilder
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let aliases = aliases.into_iter().map(Into::into).collect();
        ProxyBuilder::new(Tokens::ByAlias { sessions, aliases, default: None })
    }

    /// Serves the clients of `listener` until `stop` is ready, and then finishes their requests.
    ///
    /// From then on it accepts no connection, closes those without a request, and ends each other
    /// one after its response. What is left after the drain timeout is cut off. Several listeners
    /// can be served at one time.
    pub async fn serve(&self, listener: Listener, stop: impl Future<Output = ()>) {
        serve::run(Arc::clone(&self.shared), listener, stop).await;
    }

    /// Serves `/healthz`, `/readyz` and `/metrics` until `stop` is ready.
    ///
    /// The socket may listen on any address: the answers hold no secret, and nothing is forwarded.
    /// `/readyz` is 200 while a listener is served and no denial or backoff is known to keep a
    /// request from a token, and else 503.
    ///
    /// # Errors
    /// An error when the socket cannot be used by tokio.
    pub async fn serve_status(
        &self,
        listener: std::net::TcpListener,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        status::run(Arc::clone(&self.shared), listener, stop).await
    }

    /// Returns the base URL of the API.
    pub fn base_url(&self) -> &BaseUrl {
        self.shared.target.base_url()
    }
}

impl Shared {
    pub(crate) fn is_ready(&self) -> bool {
        self.serving.load(Ordering::Acquire) > 0 && self.tokens.are_ready()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("base_url", self.base_url()).finish_non_exhaustive()
    }
}

/// Builds a [`Proxy`].
#[must_use]
pub struct ProxyBuilder {
    tokens: Tokens,
    prefixes: Vec<String>,
    limits: Limits,
    settings: TransportSettings,
}

impl ProxyBuilder {
    fn new(tokens: Tokens) -> Self {
        Self {
            tokens,
            prefixes: Vec::new(),
            limits: Limits::new(),
            settings: TransportSettings::new(),
        }
    }

    /// Sets the alias of requests that name none. It must be one of the list.
    ///
    /// Without it, such requests are refused. It has no effect on a proxy of one session.
    pub fn with_default_alias(mut self, alias: impl Into<String>) -> Self {
        if let Tokens::ByAlias { default, .. } = &mut self.tokens {
            *default = Some(alias.into());
        }
        self
    }

    /// Adds a path that clients may reach, with all that is below it (default: every path).
    ///
    /// `/loans` stands for `/loans` and `/loans/1`, not for `/loans-of-others`. Case matters. The
    /// paths of sign-in are refused in any case.
    pub fn with_path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefixes.push(prefix.into());
        self
    }

    /// Sets the limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets TLS, and the proxy on the way to the API. TLS is by rustls.
    pub fn with_transport_settings(mut self, settings: TransportSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Creates the proxy. Nothing is sent until the first request.
    ///
    /// # Errors
    /// A [`SetupError`].
    pub fn build(self) -> Result<Proxy, SetupError> {
        self.tokens.check()?;
        let shared = Shared {
            target: Target::new(self.tokens.base_url().clone(), self.prefixes)?,
            upstream: Upstream::new(&self.settings)?,
            tokens: self.tokens,
            connections: Arc::new(Semaphore::new(self.limits.connections)),
            limits: self.limits,
            budget: Arc::new(Budget::new(ALL_KEPT_BYTES)),
            metrics: Metrics::new(),
            serving: AtomicUsize::new(0),
        };
        Ok(Proxy { shared: Arc::new(shared) })
    }
}

impl fmt::Debug for ProxyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyBuilder")
            .field("base_url", self.tokens.base_url())
            .field("prefixes", &self.prefixes)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
