//! [`check_target`]: what of a request's URI every adapter refuses before anything is sent.

use http::Uri;

use crate::{ScrubbedError, TransportError, TransportErrorKind};

/// Refuses a URI that is not absolute, neither `http` nor `https`, or has userinfo in it; and `https` where there is no TLS.
///
/// HTTP clients disagree on all of these: some connect without TLS then, some send the userinfo along.
///
/// # Errors
/// [`TransportErrorKind::Tls`] for `https` without TLS, and else [`TransportErrorKind::Other`]; nothing was sent.
pub fn check_target(uri: &Uri, has_tls: bool) -> Result<(), TransportError> {
    let refused =
        |kind, message| Err(TransportError::new(kind).not_sent().with_source(ScrubbedError::new(message)));
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return refused(TransportErrorKind::Other, "the request's URI is not absolute");
    };
    if authority.as_str().contains('@') {
        return refused(TransportErrorKind::Other, "the request's URI has userinfo in it");
    }
    match scheme {
        "http" => Ok(()),
        "https" if has_tls => Ok(()),
        "https" => refused(TransportErrorKind::Tls, "no TLS is compiled in"),
        _ => refused(TransportErrorKind::Other, "the request's URI is neither http nor https"),
    }
}
