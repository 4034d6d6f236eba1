//! [`UreqTransport`]: sends one request and returns its response, by the contract.

use std::fmt;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request, Response, Version};
use point_auth_core::SecretBody;
use point_auth_transport::{
    BlockingTransport, CappedBody, LONGEST_IDLE, ProxyResolver, SendLimits, SentFlag,
    SettingsError, TransportError, TransportErrorReason, TransportSettings, check_head,
};
use ureq::config::AutoHeaderValue;
use ureq::{Agent, ResponseExt, SendBody};

use crate::body::OnceReader;
use crate::connect::{Connect, Deferred};
use crate::failure;

/// The maximum size in bytes of the status line and the headers of a response.
const LONGEST_HEAD: usize = 64 * 1024;

/// A longer timeout makes no difference, and ureq overflows on one that a clock cannot show.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A [`BlockingTransport`] over a [`ureq::Agent`].
///
/// Cheap to clone; clones share the pool of idle connections. [The crate
/// docs](crate#rules-of-the-contract) list the rules of the contract that hold with an agent of
/// your own.
#[derive(Clone)]
pub struct UreqTransport {
    agent: Agent,
    has_tls: bool,
    /// The proxies that an error names; `None` for an agent that was brought.
    proxies: Option<ProxyResolver>,
}

impl UreqTransport {
    /// Creates a transport with an agent of its own and the default settings.
    ///
    /// # Errors
    /// The errors of [`with_settings`](Self::with_settings).
    pub fn new() -> Result<Self, SettingsError> {
        Self::with_settings(&TransportSettings::default())
    }

    /// Creates a transport with an agent of its own, built from `settings`.
    ///
    /// The environment and the trust store are read here, so build one transport and clone it.
    ///
    /// # Errors
    /// A [`SettingsError`] when a setting is not compiled in or cannot be used.
    pub fn with_settings(settings: &TransportSettings) -> Result<Self, SettingsError> {
        let proxies = settings.proxy().resolve()?;
        let connect = Connect::new(settings, proxies.clone())?;
        let config = Agent::config_builder()
            // Our connector handles the proxy. The other three are set on each request that needs
            // them.
            .proxy(None)
            .user_agent(AutoHeaderValue::None)
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .max_idle_age(LONGEST_IDLE)
            .build();
        let has_tls = connect.has_tls();
        let agent = Agent::with_parts(config, connect, Deferred);
        Ok(Self { agent, has_tls, proxies: Some(proxies) })
    }

    /// Creates a transport over your own agent, with its TLS, proxy, resolver and middleware.
    ///
    /// For each request the contract overrides the agent's configuration of redirects, status
    /// errors, timeouts and idle connections. [The crate docs](crate#rules-of-the-contract) list
    /// what is up to you.
    pub fn from_client(agent: Agent) -> Self {
        // The agent's connector may have TLS of any kind. If it has none, ureq reports that itself.
        Self { agent, has_tls: true, proxies: None }
    }

    fn exchange(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
        sent: &SentFlag,
    ) -> Result<Response<SecretBody>, TransportError> {
        let uri = request.uri().clone();
        let request = self.prepare(request, limits, sent)?;
        let response = self.agent.run(request).map_err(|error| failure::of(&error, sent))?;
        if !response.get_redirect_history().is_some_and(|visited| visited == [uri]) {
            return Err(TransportErrorReason::OtherUrl.into());
        }
        let (head, body) = response.into_parts();
        let body = CappedBody::new(limits.max_response_bytes())
            .read_from(&mut body.into_reader(), |error| failure::of_io(&error, sent))?;
        let mut response = Response::new(body);
        *response.version_mut() = head.version;
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        Ok(response)
    }

    fn prepare(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
        sent: &SentFlag,
    ) -> Result<Request<SendBody<'static>>, TransportError> {
        let (mut head, body) = request.into_parts();
        check_head(&mut head, self.has_tls)?;
        let wants_length =
            !body.is_empty() || matches!(head.method, Method::POST | Method::PUT | Method::PATCH);
        let length = body.len();
        let body = if body.is_empty() {
            SendBody::none()
        } else {
            SendBody::from_owned_reader(OnceReader::new(body, sent.clone()))
        };
        let mut request = Request::new(body);
        *request.method_mut() = head.method;
        *request.uri_mut() = head.uri;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = head.headers;
        if wants_length {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        let connect_timeout = limits.connect_timeout().min(LONGEST_TIMEOUT);
        Ok(self
            .agent
            .configure_request(request)
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .save_redirect_history(true)
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .max_idle_age(LONGEST_IDLE.min(self.agent.config().max_idle_age()))
            .max_response_header_size(LONGEST_HEAD)
            .timeout_global(Some(limits.total_timeout().min(LONGEST_TIMEOUT)))
            .timeout_resolve(Some(connect_timeout))
            .timeout_connect(Some(connect_timeout))
            .build())
    }
}

impl BlockingTransport for UreqTransport {
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let sent = SentFlag::new();
        let has_body = !request.body().is_empty();
        let target = request.uri().clone();
        self.exchange(request, limits, &sent).map_err(|error| {
            // For a request without a body this is unknown.
            let error = if has_body && !sent.is_raised() { error.not_sent() } else { error };
            let proxy = self.proxies.as_ref().and_then(|proxies| proxies.proxy_for(&target));
            error.with_route(&target, proxy)
        })
    }
}

impl From<Agent> for UreqTransport {
    fn from(agent: Agent) -> Self {
        Self::from_client(agent)
    }
}

impl fmt::Debug for UreqTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransport")
            .field("brought", &self.proxies.is_none())
            .finish_non_exhaustive()
    }
}
