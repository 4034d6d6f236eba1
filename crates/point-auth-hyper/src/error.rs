//! What hyper's errors mean, without what they quote.

use std::error::Error;

use hyper_util::client::legacy;
use point_auth_transport::{Chain, TransportError, TransportErrorKind};

/// Says of a failed request what every transport says alike.
pub(crate) fn classify(error: &legacy::Error) -> TransportError {
    let fallback =
        if error.is_connect() { TransportErrorKind::Connect } else { fallback_of(error) };
    TransportError::classify(error, fallback)
}

/// Says of a response body that broke off what every transport says alike.
pub(crate) fn classify_body(error: &hyper::Error) -> TransportError {
    TransportError::classify(error, fallback_of(error))
}

fn fallback_of(error: &(dyn Error + 'static)) -> TransportErrorKind {
    let causes = || Chain::new(error).filter_map(|cause| cause.downcast_ref::<hyper::Error>());
    if causes().any(hyper::Error::is_timeout) {
        TransportErrorKind::Timeout
    } else if causes().any(hyper::Error::is_user) {
        // hyper blames this side, as it does when the runtime goes away under it.
        TransportErrorKind::Other
    } else {
        TransportErrorKind::Protocol
    }
}
