//! [`LazyTransport`]: a transport that is built when the first request is sent.

use std::sync::OnceLock;

use point_auth::http::{Request, Response};
use point_auth::transport::{BlockingTransport, SendLimits, TransportError, TransportErrorKind};
use point_auth::{SecretBody, UreqTransport};

use crate::failure::{Failure, Result};
use crate::profile::Network;

/// A command with a good token in the store needs no HTTP client, no trust store and no key file.
pub(crate) struct LazyTransport {
    network: Network,
    built: OnceLock<Result<UreqTransport>>,
}

impl LazyTransport {
    pub(super) const fn new(network: Network) -> Self {
        Self { network, built: OnceLock::new() }
    }

    fn build(&self) -> Result<UreqTransport> {
        let settings = self.network.transport_settings()?;
        UreqTransport::with_settings(&settings).map_err(|error| Failure::other("settings", &error))
    }
}

impl BlockingTransport for LazyTransport {
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        match self.built.get_or_init(|| self.build()) {
            Ok(transport) => transport.send(request, limits),
            Err(failure) => {
                let error = TransportError::new(TransportErrorKind::Other).not_sent();
                Err(error.with_source(failure.clone()))
            }
        }
    }
}
