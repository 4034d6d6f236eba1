//! Classifies ureq's errors by the contract, and keeps none of their text.

use std::io;

use point_auth_transport::{
    ScrubbedError, SentFlag, TransportError, TransportErrorKind, TransportErrorReason,
};
use ureq::Error;

use crate::connect::PROXY_WANTS_CREDENTIALS;

/// Classifies an error of ureq.
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
        // Before anything was sent, the fault that ureq reports is in the request.
        Error::Protocol(_) if !sent.is_raised() => Kind::Other.into(),
        Error::Protocol(_) | Error::BodyStalled | Error::LargeResponseHeader(..) => {
            Kind::Protocol.into()
        }
        Error::TooManyRedirects | Error::RedirectFailed => TransportErrorReason::OtherUrl.into(),
        Error::StatusCode(_) => {
            because(Kind::Other, "a middleware dropped the settings of the request")
        }
        Error::Other(error) => TransportError::classify(&**error, Kind::Other),
        // These variants exist only with features of ureq, which another crate may have enabled.
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

/// Classifies an error of a read or write. ureq hides errors of its own in it.
pub(crate) fn of_io(error: &io::Error, sent: &SentFlag) -> TransportError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(inner) => of(inner, sent),
        // Until the request goes out, the only I/O is connecting.
        None if !sent.is_raised() => TransportError::classify(error, TransportErrorKind::Connect),
        None => TransportError::classify(error, TransportErrorKind::Protocol),
    }
}
