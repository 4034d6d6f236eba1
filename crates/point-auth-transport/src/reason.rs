//! [`TransportErrorReason`]: the exact reason of a failure; and the route of a request.

use std::error::Error;
use std::fmt;
use std::io;

use http::Uri;

use crate::{Chain, Proxy, TransportErrorKind};

/// The exact reason of a failure, where the transport knows it.
///
/// It determines the text of a [`TransportError`](crate::TransportError), for every transport. A
/// program branches on the [kind](TransportErrorKind) instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorReason {
    /// The server or the proxy refused the connection: no process listens on that port.
    Refused,
    /// The name of the server or of the proxy could not be looked up.
    NameLookup,
    /// The network has no route to the server or to the proxy.
    Unreachable,
    /// The proxy answered 407: it got no credentials, or wrong ones.
    ProxyCredentials,
    /// The proxy opened no tunnel: its status was not 200, or it sent no HTTP or nothing.
    ProxyTunnel,
    /// No trusted authority issued the server's certificate.
    UntrustedCertificate,
    /// The server's certificate has expired, by the clock of this machine.
    ExpiredCertificate,
    /// The server's certificate is not valid yet, by the clock of this machine.
    EarlyCertificate,
    /// The server's certificate is for another host.
    OtherHostCertificate,
    /// The server does not speak TLS on that port.
    NotTls,
    /// The connection closed before the response was complete.
    Closed,
    /// The response is from another URL, because the HTTP client followed a redirect.
    OtherUrl,
}

impl TransportErrorReason {
    /// Returns the kind of a failure with this reason.
    pub const fn kind(self) -> TransportErrorKind {
        match self {
            Self::Refused
            | Self::NameLookup
            | Self::Unreachable
            | Self::ProxyCredentials
            | Self::ProxyTunnel => TransportErrorKind::Connect,
            Self::UntrustedCertificate
            | Self::ExpiredCertificate
            | Self::EarlyCertificate
            | Self::OtherHostCertificate
            | Self::NotTls => TransportErrorKind::Tls,
            Self::Closed | Self::OtherUrl => TransportErrorKind::Protocol,
        }
    }

    /// Returns the reason of a failure of `kind`, found in the chain of `error`.
    pub(crate) fn of(error: &(dyn Error + 'static), kind: TransportErrorKind) -> Option<Self> {
        Chain::new(error).filter_map(of_one).find(|reason| reason.kind() == kind)
    }

    /// Returns whether an I/O error of this kind adds nothing to the reason.
    pub(crate) fn says_all_of(self, kind: io::ErrorKind) -> bool {
        match self {
            Self::Refused => kind == io::ErrorKind::ConnectionRefused,
            // The I/O error that wraps a TLS error.
            _ => self.kind() == TransportErrorKind::Tls,
        }
    }
}

fn of_one(cause: &(dyn Error + 'static)) -> Option<TransportErrorReason> {
    #[cfg(feature = "rustls")]
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return of_rustls(error);
    }
    let of_io = cause.downcast_ref::<io::Error>().and_then(|error| of_io(error.kind()));
    of_io.or_else(|| of_text(&cause.to_string()))
}

const fn of_io(kind: io::ErrorKind) -> Option<TransportErrorReason> {
    use io::ErrorKind;
    match kind {
        ErrorKind::ConnectionRefused => Some(TransportErrorReason::Refused),
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable => Some(TransportErrorReason::Unreachable),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::NotConnected
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Some(TransportErrorReason::Closed),
        _ => None,
    }
}

/// Recognizes errors that have neither a public type nor a number.
fn of_text(text: &str) -> Option<TransportErrorReason> {
    match text {
        // hyper-util, on any system; and rustls, which rejects a name that cannot be looked up.
        "dns error" | "invalid dns name" => Some(TransportErrorReason::NameLookup),
        "tunnel error: proxy authorization required" => {
            Some(TransportErrorReason::ProxyCredentials)
        }
        "tunnel error: unsuccessful"
        | "tunnel error: unexpected end of file"
        | "tunnel error: proxy response headers too long" => {
            Some(TransportErrorReason::ProxyTunnel)
        }
        // hyper.
        "connection closed before message completed" => Some(TransportErrorReason::Closed),
        // The standard library, on Unix.
        _ if text.starts_with("failed to lookup address information") => {
            Some(TransportErrorReason::NameLookup)
        }
        // h2 hides the I/O error that ends a stream.
        _ if H2_BROKE_OFF.iter().any(|start| text.starts_with(start)) => {
            Some(TransportErrorReason::Closed)
        }
        _ => None,
    }
}

const H2_BROKE_OFF: [&str; 4] = [
    "stream closed because of a broken pipe",
    "peer closed connection without sending TLS close_notify",
    "connection reset",
    "Connection reset",
];

#[cfg(feature = "rustls")]
fn of_rustls(error: &rustls::Error) -> Option<TransportErrorReason> {
    use rustls::{CertificateError, InvalidMessage};
    let rustls::Error::InvalidCertificate(error) = error else {
        let is_plain =
            matches!(error, rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType));
        return is_plain.then_some(TransportErrorReason::NotTls);
    };
    match error {
        // A signature is bad when another authority uses the name of a trusted one.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            Some(TransportErrorReason::UntrustedCertificate)
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            Some(TransportErrorReason::ExpiredCertificate)
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Some(TransportErrorReason::EarlyCertificate)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Some(TransportErrorReason::OtherHostCertificate)
        }
        _ => None,
    }
}

/// The route of a request: hosts and ports, and no other part of a URL.
#[derive(Debug)]
pub(crate) struct Route {
    target: String,
    proxy: Option<String>,
}

impl Route {
    /// Returns the route of a request to `target`, if that has a host.
    pub(crate) fn new(target: &Uri, proxy: Option<&Proxy>) -> Option<Self> {
        let host = target.host()?;
        let target = match (target.port_u16(), target.scheme_str()) {
            (Some(port), _) => format!("{host}:{port}"),
            (None, Some("https")) => format!("{host}:443"),
            (None, Some("http")) => format!("{host}:80"),
            (None, _) => host.to_owned(),
        };
        let proxy = proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()));
        Some(Self { target, proxy })
    }
}

/// The text of a failure.
pub(crate) struct Text<'a> {
    pub(crate) kind: TransportErrorKind,
    pub(crate) reason: Option<TransportErrorReason>,
    pub(crate) may_have_been_sent: bool,
    pub(crate) route: Option<&'a Route>,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use TransportErrorReason as Reason;
        let target = self.route.map_or("the server", |route| &route.target);
        let proxy = self.route.and_then(|route| route.proxy.as_deref());
        let Some(reason) = self.reason else {
            return self.fmt_kind(f, target, proxy);
        };
        // Until the proxy has opened the tunnel, only the proxy is reached.
        let proxy = proxy.map(|proxy| format!("proxy {proxy}"));
        let next = proxy.as_deref().unwrap_or(target);
        let proxy = proxy.as_deref().unwrap_or("the proxy");
        match reason {
            Reason::Refused => write!(f, "connection to {next} refused"),
            Reason::NameLookup => write!(f, "name look-up of {next} failed"),
            Reason::Unreachable => write!(f, "{next} is unreachable"),
            Reason::ProxyCredentials => write!(f, "{proxy} requires other credentials"),
            Reason::ProxyTunnel => write!(f, "{proxy} opened no tunnel to {target}"),
            Reason::UntrustedCertificate => write!(f, "certificate of {target} is not trusted"),
            Reason::ExpiredCertificate => write!(f, "certificate of {target} has expired"),
            Reason::EarlyCertificate => write!(f, "certificate of {target} is not valid yet"),
            Reason::OtherHostCertificate => {
                write!(f, "certificate of {target} is for another host")
            }
            Reason::NotTls => write!(f, "{target} does not speak TLS"),
            Reason::Closed => {
                write!(f, "connection to {target} closed before the response was complete")
            }
            Reason::OtherUrl => write!(f, "response is from another URL than that of {target}"),
        }
    }
}

impl Text<'_> {
    fn fmt_kind(
        &self,
        f: &mut fmt::Formatter<'_>,
        target: &str,
        proxy: Option<&str>,
    ) -> fmt::Result {
        let connection = |f: &mut fmt::Formatter<'_>, how: &str| match proxy {
            Some(proxy) => write!(f, "connection to {target} through proxy {proxy} {how}"),
            None => write!(f, "connection to {target} {how}"),
        };
        match self.kind {
            TransportErrorKind::Connect => connection(f, "failed"),
            TransportErrorKind::Tls => write!(f, "TLS with {target} failed"),
            // The time ran out before there was a server to connect to.
            TransportErrorKind::Timeout if self.route.is_none() => f.write_str("timed out"),
            TransportErrorKind::Timeout if self.may_have_been_sent => {
                write!(f, "no complete response from {target} in time")
            }
            TransportErrorKind::Timeout => connection(f, "timed out"),
            TransportErrorKind::TooLarge => write!(f, "response from {target} is too large"),
            TransportErrorKind::Protocol => write!(f, "no valid HTTP response from {target}"),
            TransportErrorKind::Other => write!(f, "request to {target} failed"),
        }
    }
}
