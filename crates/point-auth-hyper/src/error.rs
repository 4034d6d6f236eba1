//! Classifies hyper's errors, and drops what they quote.

use std::error::Error;

use hyper_util::client::legacy;
use point_auth_transport::{Chain, TransportError, TransportErrorKind};

/// Classifies the error of a failed request.
pub(crate) fn classify(error: &legacy::Error) -> TransportError {
    let fallback =
        if error.is_connect() { TransportErrorKind::Connect } else { fallback_of(error) };
    TransportError::classify(error, fallback)
}

/// Classifies the error of a response body that ended early.
pub(crate) fn classify_body(error: &hyper::Error) -> TransportError {
    TransportError::classify(error, fallback_of(error))
}

fn fallback_of(error: &(dyn Error + 'static)) -> TransportErrorKind {
    let causes = || Chain::new(error).filter_map(|cause| cause.downcast_ref::<hyper::Error>());
    if causes().any(hyper::Error::is_timeout) {
        TransportErrorKind::Timeout
    } else if causes().any(hyper::Error::is_user) {
        // hyper reports a user error, for example when the runtime shuts down.
        TransportErrorKind::Other
    } else {
        TransportErrorKind::Protocol
    }
}
