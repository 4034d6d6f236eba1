//! [`LazyTransport`]: ureq, built at the first request of a process.

use std::sync::OnceLock;

use point_auth::http::{Request, Response};
use point_auth::transport::{
    BlockingTransport, SendLimits, SettingsError, TransportError, TransportErrorKind,
    TransportSettings,
};
use point_auth::{SecretBody, UreqTransport};

use crate::gate;

/// A transport for one process. A forked child must not use the connections of its parent.
#[derive(Debug)]
pub(crate) struct LazyTransport {
    settings: TransportSettings,
    built: OnceLock<Result<UreqTransport, SettingsError>>,
}

impl LazyTransport {
    pub(crate) const fn new(settings: TransportSettings) -> Self {
        Self { settings, built: OnceLock::new() }
    }

    /// Builds it now, so that a bad setting is reported at once.
    pub(crate) fn build(&self) -> Result<&UreqTransport, SettingsError> {
        let built = self.built.get_or_init(|| UreqTransport::with_settings(&self.settings));
        built.as_ref().map_err(SettingsError::clone)
    }
}

impl BlockingTransport for LazyTransport {
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        match self.build() {
            Ok(transport) => {
                gate::over();
                let response = transport.send(request, limits);
                gate::answered();
                response
            }
            Err(error) => {
                Err(TransportError::new(TransportErrorKind::Other).not_sent().with_source(error))
            }
        }
    }
}
