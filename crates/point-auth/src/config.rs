//! What a client adds to an operation, async or blocking.

use std::fmt;
use std::time::Duration;

use http::{Request, Uri};
use point_auth_core::{BaseUrl, Operation, Refresh, RequestError, SecretBody, SignIn, UserAgent};
use point_auth_transport::SendLimits;

#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) base_url: BaseUrl,
    pub(crate) limits: SendLimits,
    pub(crate) user_agent: UserAgent,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: BaseUrl::production(),
            limits: SendLimits::new(),
            user_agent: UserAgent::new(),
        }
    }
}

impl Config {
    /// Returns the request of `operation`, and the limits for sending it.
    pub(crate) fn prepare<O: Operation>(
        &self,
        operation: &O,
    ) -> Result<(Request<SecretBody>, SendLimits), RequestError> {
        let mut request = operation.to_request(&self.base_url)?;
        self.user_agent.set_on(request.headers_mut());
        Ok((request, self.limits.with_max_response_bytes(O::MAX_RESPONSE_BYTES)))
    }

    /// Returns whether a request to `uri` is a sign-in or a refresh, whatever operation built it.
    pub(crate) fn is_for_tokens(&self, uri: &Uri) -> bool {
        let is_at = |path| self.base_url.join(path).is_ok_and(|own| own.path() == uri.path());
        is_at(SignIn::PATH) || is_at(Refresh::PATH)
    }

    /// Returns the limits with a total timeout of at most `left`.
    pub(crate) fn limits_within(&self, left: Duration) -> SendLimits {
        self.limits.with_total_timeout(self.limits.total_timeout().min(left))
    }

    pub(crate) fn debug(&self, mut client: fmt::DebugStruct<'_, '_>) -> fmt::Result {
        client
            .field("base_url", &self.base_url)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// The settings that both clients have, each a field of [`Config`].
macro_rules! client_settings {
    () => {
        /// Sets the base URL, such as that of a test system or a gateway.
        #[must_use]
        pub fn with_base_url(mut self, base_url: point_auth_core::BaseUrl) -> Self {
            self.config.base_url = base_url;
            self
        }

        /// Sets the connect limit: name lookup, TCP, proxy and TLS together (default: 10 seconds).
        ///
        /// The adapters over reqwest and hyper apply at most 10 seconds.
        #[must_use]
        pub fn with_connect_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.config.limits = self.config.limits.with_connect_timeout(timeout);
            self
        }

        /// Sets the limit for a whole operation, to the last byte of its response (default: 30
        /// seconds).
        #[must_use]
        pub fn with_total_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.config.limits = self.config.limits.with_total_timeout(timeout);
            self
        }

        /// Sets the `User-Agent` of operations that do not set their own (default:
        /// `point-auth/<version>`).
        #[must_use]
        pub fn with_user_agent(mut self, user_agent: &point_auth_core::UserAgent) -> Self {
            self.config.user_agent = user_agent.clone();
            self
        }

        /// Returns the base URL of the API.
        pub fn base_url(&self) -> &point_auth_core::BaseUrl {
            &self.config.base_url
        }
    };
}

pub(crate) use client_settings;
