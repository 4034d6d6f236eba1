//! What ureq's errors are in the contract's terms. Nothing of their text is kept.

use std::io;

use point_auth_transport::{
    ScrubbedError, SentFlag, TransportError, TransportErrorKind, TransportErrorReason,
};
use ureq::Error;

use crate::connect::PROXY_WANTS_CREDENTIALS;

/// What a failure of ureq is.
pub(crate) fn of(error: &Error, sent: &SentFlag) -> TransportError {
    use TransportErrorKind as Kind;
    let because = |kind, why| TransportError::new(kind).with_source(ScrubbedError::new(why));
    match error {
        Error::Io(error) => of_io(error, sent),
        Error::Timeout(_) => Kind::Timeout.into(),
        Error::HostNotFound => TransportErrorReason::NameLookup.into(),
        Error::ConnectionFailed => Kind::Connect.into(),
        Error::ConnectProxyFailed(status) if status == PROXY_WANTS_CREDENTIALS => {
            TransportErrorReason::ProxyCredentials.into()
        }
        Error::ConnectProxyFailed(_) => TransportErrorReason::ProxyTunnel.into(),
        Error::Tls(_) => Kind::Tls.into(),
        Error::TlsRequired => because(Kind::Tls, "no TLS is compiled in"),
        // Before anything was sent, it is our own request that ureq finds fault with.
        Error::Protocol(_) if !sent.is_raised() => Kind::Other.into(),
        Error::Protocol(_) | Error::BodyStalled | Error::LargeResponseHeader(..) => {
            Kind::Protocol.into()
        }
        Error::TooManyRedirects | Error::RedirectFailed => TransportErrorReason::OtherUrl.into(),
        Error::StatusCode(_) => {
            because(Kind::Other, "a middleware dropped the settings of the request")
        }
        Error::Other(error) => TransportError::classify(&**error, Kind::Other),
        // These variants are there only with features of ureq, which somebody else may have turned
        // on.
        other
            if ["rustls: ", "native-tls: "]
                .iter()
                .any(|name| other.to_string().starts_with(name)) =>
        {
            Kind::Tls.into()
        }
        _ => Kind::Other.into(),
    }
}

/// What a failure to read or write is. ureq hides errors of its own in there.
pub(crate) fn of_io(error: &io::Error, sent: &SentFlag) -> TransportError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(inner) => of(inner, sent),
        // Until the request goes out, all there is to do is connecting.
        None if !sent.is_raised() => TransportError::classify(error, TransportErrorKind::Connect),
        None => TransportError::classify(error, TransportErrorKind::Protocol),
    }
}
