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
    /// The request of `operation`, and the limits that it is to be sent within.
    pub(crate) fn prepare<O: Operation>(
        &self,
        operation: &O,
    ) -> Result<(Request<SecretBody>, SendLimits), RequestError> {
        let mut request = operation.to_request(&self.base_url)?;
        self.user_agent.set_on(request.headers_mut());
        Ok((request, self.limits.with_max_response_bytes(O::MAX_RESPONSE_BYTES)))
    }

    /// Whether a request to `uri` is a sign-in or a refresh, whatever operation wrote it.
    pub(crate) fn is_for_tokens(&self, uri: &Uri) -> bool {
        let is_at = |path| self.base_url.join(path).is_ok_and(|own| own.path() == uri.path());
        is_at(SignIn::PATH) || is_at(Refresh::PATH)
    }

    /// The limits, with no more time in all than this.
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
        /// Sends to another base URL, such as a test system's or a gateway's.
        #[must_use]
        pub fn with_base_url(mut self, base_url: point_auth_core::BaseUrl) -> Self {
            self.config.base_url = base_url;
            self
        }

        /// Sets the time in which the connection must stand: name look-up, TCP, proxy and TLS
        /// (default: 10 seconds, which is also the most that the adapters over reqwest and hyper
        /// give it).
        #[must_use]
        pub fn with_connect_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.config.limits = self.config.limits.with_connect_timeout(timeout);
            self
        }

        /// Sets the time in which an operation must be done, to the last byte of its response
        /// (default: 30 seconds).
        #[must_use]
        pub fn with_total_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.config.limits = self.config.limits.with_total_timeout(timeout);
            self
        }

        /// Sets the `User-Agent` (default: `point-auth/<version>`) of operations that do not set
        /// one of their own.
        #[must_use]
        pub fn with_user_agent(mut self, user_agent: &point_auth_core::UserAgent) -> Self {
            self.config.user_agent = user_agent.clone();
            self
        }

        /// Where the operations are sent.
        pub fn base_url(&self) -> &point_auth_core::BaseUrl {
            &self.config.base_url
        }
    };
}

pub(crate) use client_settings;
