//! What reqwest's errors mean, without what they quote.

use point_auth_transport::{Chain, TransportError, TransportErrorKind};

/// Says of an error of reqwest what every transport says alike.
///
/// `began` is whether the request was on its way: what reqwest calls a builder error is then the
/// server's fault, such as a `Location` that is no URL.
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

/// Whether hyper blames this side, as it does when the runtime goes away under it.
fn is_ours(error: &reqwest::Error) -> bool {
    Chain::new(error)
        .any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_user))
}
