//! [`check_head`]: the checks that every adapter makes before it sends a request.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderName, Method, Uri};

use crate::{ScrubbedError, TransportError, TransportErrorKind};

/// Returns whether a header belongs to the connection. The client writes these itself. Some clients
/// let a caller's through, and a wrong length would then cut the body, or leave half of it to be
/// read as the next request.
fn is_of_the_connection(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "content-length"
            | "expect"
            | "host"
            | "keep-alive"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Rejects what HTTP clients disagree on, and removes headers of the connection such as `Host`.
///
/// Rejected are:
///
/// - a URI that is not absolute or has userinfo,
/// - any scheme but `https`, or `http` to this machine (127.0.0.0/8, `::1`, `localhost`),
/// - `https` where there is no TLS,
/// - the method `CONNECT`.
///
/// Removed are the headers that a client writes itself, such as `Host` and `Content-Length`.
///
/// # Errors
/// [`TransportErrorKind::Tls`] for `https` without TLS, otherwise [`TransportErrorKind::Other`].
/// Nothing was sent.
pub fn check_head(head: &mut Parts, has_tls: bool) -> Result<(), TransportError> {
    check_target(&head.uri, has_tls)
        .and_then(|()| check_method(&head.method))
        .map_err(|error| error.with_route(&head.uri, None))?;
    // Few requests have one, and without one nothing is allocated.
    let found: Vec<HeaderName> =
        head.headers.keys().filter(|name| is_of_the_connection(name)).cloned().collect();
    for name in found {
        head.headers.remove(name);
    }
    Ok(())
}

fn check_method(method: &Method) -> Result<(), TransportError> {
    if method == Method::CONNECT {
        return refused(TransportErrorKind::Other, "a tunnel is no request of this API");
    }
    Ok(())
}

fn check_target(uri: &Uri, has_tls: bool) -> Result<(), TransportError> {
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return refused(TransportErrorKind::Other, "the request's URI is not absolute");
    };
    if authority.as_str().contains('@') {
        return refused(TransportErrorKind::Other, "the request's URI has userinfo in it");
    }
    match scheme {
        "http" if is_this_machine(authority.host()) => Ok(()),
        "http" => refused(TransportErrorKind::Other, "http is for this machine only"),
        "https" if has_tls => Ok(()),
        "https" => refused(TransportErrorKind::Tls, "no TLS is compiled in"),
        _ => refused(TransportErrorKind::Other, "the request's URI is neither http nor https"),
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn refused(kind: TransportErrorKind, message: &'static str) -> Result<(), TransportError> {
    Err(TransportError::new(kind).not_sent().with_source(ScrubbedError::new(message)))
}
