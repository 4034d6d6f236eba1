//! [`TransportError`]: why there is no response, and whether the request may have been sent.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::Uri;

use crate::Proxy;
use crate::chain::{self, ScrubbedError};
use crate::reason::{Route, Text, TransportErrorReason};

/// What went wrong, alike for every transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: the name is unknown, the server refused, or the proxy did. Worth another try
    /// later.
    Connect,
    /// TLS failed: a certificate is not trusted, has expired or names another host, or the two
    /// sides have no version in common. Another try fails the same way until something is changed,
    /// so it is not retryable.
    Tls,
    /// A limit in time was reached. Worth another try later.
    Timeout,
    /// The response is larger than the limit. Not worth another try.
    TooLarge,
    /// The other side did not keep to HTTP, broke off in the middle, or answered from another URL.
    /// Worth another try later, since a dying server looks like this too.
    Protocol,
    /// Anything else, such as a runtime that is shutting down. Not worth another try.
    Other,
}

impl TransportErrorKind {
    /// Whether the same request may succeed later, with nothing changed on this side.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Connect | Self::Timeout | Self::Protocol)
    }
}

/// There is no response. Says why, and whether the request may have been sent.
///
/// `Display` names the reason, and the host and port of the server or of the proxy, never a path or
/// userinfo. The [`source`](Error::source) explains more where the transport knows more. It holds
/// no body, no header value and no URL with a password in it; the adapters of this project
/// [scrub](ScrubbedError) what their client says.
#[derive(Clone, Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    reason: Option<TransportErrorReason>,
    may_have_been_sent: bool,
    // Shared, so that all who waited for one request get its error.
    route: Option<Arc<Route>>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl TransportError {
    /// Creates a failure after which the request may have been sent.
    ///
    /// That is the safe thing to say until it is [certain](Self::not_sent) that it was not.
    pub const fn new(kind: TransportErrorKind) -> Self {
        Self { kind, reason: None, may_have_been_sent: true, route: None, source: None }
    }

    /// Says that no byte of the request body can have reached the server.
    ///
    /// Say it only where it is certain. A sign-in that was never sent is tried again at once; one
    /// that was may have counted against the account.
    #[must_use]
    pub fn not_sent(mut self) -> Self {
        self.may_have_been_sent = false;
        self
    }

    /// Adds the cause. It must hold nothing secret: it is printed wherever the error is.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Names where the request was going: the host and port of `target`, and those of the proxy.
    ///
    /// Nothing else of the URL is kept. A route that was named before stays: a transport knows its
    /// proxy, and the `Client` of `point-auth` names the target for transports that do not.
    #[must_use]
    pub fn with_route(mut self, target: &Uri, proxy: Option<&Proxy>) -> Self {
        if self.route.is_none() {
            self.route = Route::new(target, proxy).map(Arc::new);
        }
        self
    }

    /// Says of an HTTP client's `error` what every transport says alike: kind, reason and source.
    ///
    /// The kind is what is found anywhere in its chain of causes, or else `fallback`. With
    /// [`Connect`](TransportErrorKind::Connect) as the fallback, a connection that broke off stays
    /// `Connect`. The source is a scrubbed copy of the chain, without what the reason says.
    pub fn classify(error: &(dyn Error + 'static), fallback: TransportErrorKind) -> Self {
        let kind = chain::kind_of(error, fallback);
        let reason = TransportErrorReason::of(error, kind);
        let is_said = |io_kind| match reason {
            Some(reason) => reason.says_all_of(io_kind),
            // Those that TLS is wrapped in say nothing of it.
            None => matches!(kind, TransportErrorKind::Timeout | TransportErrorKind::Tls),
        };
        let classified = Self { reason, ..Self::new(kind) };
        match ScrubbedError::without(error, is_said) {
            Some(source) => classified.with_source(source),
            None => classified,
        }
    }

    /// What went wrong.
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// What exactly went wrong, where the transport knows.
    pub const fn reason(&self) -> Option<TransportErrorReason> {
        self.reason
    }

    /// Whether any of the request body may have reached the server, and so may have had an effect
    /// there.
    pub const fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, reason, may_have_been_sent, ref route, .. } = *self;
        Text { kind, reason, may_have_been_sent, route: route.as_deref() }.fmt(f)
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}

impl From<TransportErrorKind> for TransportError {
    fn from(kind: TransportErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<TransportErrorReason> for TransportError {
    fn from(reason: TransportErrorReason) -> Self {
        Self { reason: Some(reason), ..Self::new(reason.kind()) }
    }
}
