//! Classifies reqwest's errors, and drops what they quote.

use point_auth_transport::{Chain, TransportError, TransportErrorKind};

/// Classifies an error of reqwest.
///
/// `began` is whether the request was being sent. What reqwest calls a builder error is then the
/// server's fault, such as a `Location` that is not a URL.
pub(crate) fn classify(error: reqwest::Error, began: bool) -> TransportError {
    let error = error.without_url();
    let fallback = if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else if (error.is_builder() && !began) || is_ours(&error) {
        TransportErrorKind::Other
    } else {
        TransportErrorKind::Protocol
    };
    TransportError::classify(&error, fallback)
}

/// Returns whether hyper reports a user error, for example when the runtime shuts down.
fn is_ours(error: &reqwest::Error) -> bool {
    Chain::new(error)
        .any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_user))
}
