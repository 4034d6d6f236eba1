//! The one-line text of a failure: what happened and where, and no other part of the request.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use http::Uri;
use point_auth_transport::{
    ProxyResolver, ProxySettings, TransportError, TransportErrorKind, TransportErrorReason,
};

use crate::{CANARY, printed};

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

fn proxies() -> ProxyResolver {
    let url = format!("http://jane:{CANARY}@proxy.example:3128");
    ProxySettings::url(&url).unwrap().resolve().unwrap()
}

#[test]
fn each_reason_has_its_text_with_and_without_a_route() {
    use TransportErrorReason as Reason;
    for (reason, without, with) in [
        (Reason::Refused, "connection to the server refused", "connection to <> refused"),
        (Reason::NameLookup, "name look-up of the server failed", "name look-up of <> failed"),
        (Reason::Unreachable, "the server is unreachable", "<> is unreachable"),
        (
            Reason::ProxyCredentials,
            "the proxy requires other credentials",
            "the proxy requires other credentials",
        ),
        (
            Reason::ProxyTunnel,
            "the proxy opened no tunnel to the server",
            "the proxy opened no tunnel to <>",
        ),
        (
            Reason::UntrustedCertificate,
            "certificate of the server is not trusted",
            "certificate of <> is not trusted",
        ),
        (
            Reason::ExpiredCertificate,
            "certificate of the server has expired",
            "certificate of <> has expired",
        ),
        (
            Reason::EarlyCertificate,
            "certificate of the server is not valid yet",
            "certificate of <> is not valid yet",
        ),
        (
            Reason::OtherHostCertificate,
            "certificate of the server is for another host",
            "certificate of <> is for another host",
        ),
        (Reason::NotTls, "the server does not speak TLS", "<> does not speak TLS"),
        (
            Reason::Closed,
            "connection to the server closed before the response was complete",
            "connection to <> closed before the response was complete",
        ),
        (
            Reason::OtherUrl,
            "response is from another URL than that of the server",
            "response is from another URL than that of <>",
        ),
    ] {
        let error = TransportError::from(reason);
        assert_eq!((error.kind(), error.reason()), (reason.kind(), Some(reason)));
        assert_eq!(error.to_string(), without);
        let error = error.with_route(&uri("https://api.example/"), None);
        assert_eq!(error.to_string(), with.replace("<>", "api.example:443"));
    }
}

#[test]
fn each_kind_has_its_text_and_a_timeout_names_what_was_late() {
    use TransportErrorKind::{Connect, Other, Protocol, Timeout, Tls, TooLarge};
    for (kind, expected) in [
        (Connect, "connection to api.example:443 failed"),
        (Tls, "TLS with api.example:443 failed"),
        (Timeout, "no complete response from api.example:443 in time"),
        (TooLarge, "response from api.example:443 is too large"),
        (Protocol, "no valid HTTP response from api.example:443"),
        (Other, "request to api.example:443 failed"),
    ] {
        let error = TransportError::new(kind).with_route(&uri("https://api.example/"), None);
        assert_eq!(error.to_string(), expected);
    }
    let late = TransportError::new(Timeout).not_sent();
    assert_eq!(late.to_string(), "timed out");
    let late = late.with_route(&uri("https://api.example/"), None);
    assert_eq!(late.to_string(), "connection to api.example:443 timed out");
}

#[test]
fn a_route_is_host_and_port_and_nothing_else_of_the_url() {
    let canary = CANARY.to_ascii_lowercase();
    for (target, expected) in [
        ("https://api.example/a?b".to_owned(), "api.example:443"),
        ("http://localhost".to_owned(), "localhost:80"),
        ("https://[::1]:8443/".to_owned(), "[::1]:8443"),
        ("ftp://api.example/".to_owned(), "api.example"),
        (format!("https://jane:{canary}@api.example/{canary}?{canary}"), "api.example:443"),
    ] {
        let error = TransportError::from(TransportErrorReason::Refused);
        let error = error.with_route(&uri(&target), None);
        assert_eq!(error.to_string(), format!("connection to {expected} refused"));
        assert!(!printed(&error).contains(&canary));
    }
    let error = TransportError::from(TransportErrorReason::Refused);
    let error = error.with_route(&uri("/no/host"), None);
    assert_eq!(error.to_string(), "connection to the server refused");
}

#[test]
fn a_failure_before_the_tunnel_is_open_names_the_proxy_without_its_credentials() {
    let target = uri("https://api.example/");
    for (reason, expected) in [
        (TransportErrorReason::Refused, "connection to proxy proxy.example:3128 refused"),
        (TransportErrorReason::NameLookup, "name look-up of proxy proxy.example:3128 failed"),
        (TransportErrorReason::Unreachable, "proxy proxy.example:3128 is unreachable"),
        (
            TransportErrorReason::ProxyCredentials,
            "proxy proxy.example:3128 requires other credentials",
        ),
        (
            TransportErrorReason::ProxyTunnel,
            "proxy proxy.example:3128 opened no tunnel to api.example:443",
        ),
        (TransportErrorReason::NotTls, "api.example:443 does not speak TLS"),
    ] {
        let error = TransportError::from(reason).with_route(&target, proxies().proxy());
        assert_eq!(error.to_string(), expected);
        assert!(!printed(&error).contains(CANARY) && !printed(&error).contains("jane"));
    }
    let failed = TransportError::new(TransportErrorKind::Connect);
    assert_eq!(
        failed.with_route(&target, proxies().proxy()).to_string(),
        "connection to api.example:443 through proxy proxy.example:3128 failed"
    );
}

#[test]
fn the_route_that_was_named_first_stays() {
    let error = TransportError::from(TransportErrorReason::Refused);
    let error = error.with_route(&uri("https://api.example/"), proxies().proxy());
    let error = error.with_route(&uri("https://other.example/"), None);
    assert_eq!(error.to_string(), "connection to proxy proxy.example:3128 refused");
}

#[test]
fn a_reason_is_found_at_any_depth_and_its_text_is_not_repeated() {
    let hidden = |inner: io::Error| io::Error::other(io::Error::other(inner));
    for (error, reason, is_told) in [
        (io::Error::from(ErrorKind::ConnectionRefused), TransportErrorReason::Refused, true),
        (
            io::Error::other("failed to lookup address information: Name or service not known"),
            TransportErrorReason::NameLookup,
            true,
        ),
        (io::Error::from_raw_os_error(101), TransportErrorReason::Unreachable, false),
        (
            io::Error::other("tunnel error: proxy authorization required"),
            TransportErrorReason::ProxyCredentials,
            true,
        ),
        (
            io::Error::other(rustls::Error::InvalidCertificate(
                rustls::CertificateError::UnknownIssuer,
            )),
            TransportErrorReason::UntrustedCertificate,
            false,
        ),
    ] {
        let classified = TransportError::classify(&hidden(error), TransportErrorKind::Connect);
        assert_eq!(classified.reason(), Some(reason));
        assert_eq!(classified.source().is_none(), is_told, "{classified:?}");
    }
}

#[test]
fn a_connection_that_breaks_during_the_handshake_is_not_reported_as_closed_early() {
    let reset = io::Error::from(ErrorKind::ConnectionReset);
    let making = TransportError::classify(&reset, TransportErrorKind::Connect);
    assert_eq!((making.kind(), making.reason()), (TransportErrorKind::Connect, None));
    let reading = TransportError::classify(&reset, TransportErrorKind::Protocol);
    assert_eq!(reading.reason(), Some(TransportErrorReason::Closed));
}

#[test]
fn an_error_of_an_unknown_kind_has_no_text() {
    // `ENOTUNIQ`, for which the standard library has no kind, without its number.
    let kind = io::Error::from_raw_os_error(76).kind();
    let error = TransportError::classify(&io::Error::from(kind), TransportErrorKind::Connect);
    assert!(error.source().is_none(), "{error:?}");
}
