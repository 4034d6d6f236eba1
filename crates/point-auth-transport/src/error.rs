//! [`TransportError`]: why there is no response, and whether the request may have been sent.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::Uri;

use crate::Proxy;
use crate::chain::{self, ScrubbedError};
use crate::reason::{Route, Text, TransportErrorReason};

/// Classifies a failure. Every transport uses these kinds in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: the name is unknown, or the server or the proxy refused it. A later attempt
    /// may succeed.
    Connect,
    /// TLS failed: a certificate is untrusted, expired or for another host, or there is no common
    /// version. Not retryable: every attempt fails until the configuration changes.
    Tls,
    /// A time limit was reached. A later attempt may succeed.
    Timeout,
    /// The response is larger than the limit. Not retryable.
    TooLarge,
    /// The peer violated HTTP, closed the connection early, or answered from another URL. A later
    /// attempt may succeed, because a failing server looks like this too.
    Protocol,
    /// Any other failure, such as a runtime that is shutting down. Not retryable.
    Other,
}

impl TransportErrorKind {
    /// Returns whether the same request may succeed later without a change on this side.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Connect | Self::Timeout | Self::Protocol)
    }
}

/// An exchange that ended without a response: why, and whether the request may have been sent.
///
/// `Display` shows the reason, and the host and port of the server or of the proxy, never a path or
/// userinfo. The [`source`](Error::source) has the details that the transport knows. An error holds
/// no body, no header value and no URL with a password. The adapters of this project
/// [scrub](ScrubbedError) the messages of their client.
#[derive(Clone, Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    reason: Option<TransportErrorReason>,
    may_have_been_sent: bool,
    // Shared, so that all waiters of one request get its error.
    route: Option<Arc<Route>>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl TransportError {
    /// Creates a failure after which the request may have been sent.
    ///
    /// This is the safe default. Use [`not_sent`](Self::not_sent) where the contrary is certain.
    pub const fn new(kind: TransportErrorKind) -> Self {
        Self { kind, reason: None, may_have_been_sent: true, route: None, source: None }
    }

    /// Marks the failure as one where no byte of the request body can have reached the server.
    ///
    /// Use it only where that is certain. A sign-in that was never sent is retried at once; one
    /// that was sent may have counted as an attempt on the account.
    #[must_use]
    pub fn not_sent(mut self) -> Self {
        self.may_have_been_sent = false;
        self
    }

    /// Sets the cause. It must hold no secret, because it is printed with the error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Sets the route: the host and port of `target`, and those of the proxy.
    ///
    /// No other part of the URL is kept. A route that is already set stays: a transport knows its
    /// proxy, and the `Client` of `point-auth` sets the target for other transports.
    #[must_use]
    pub fn with_route(mut self, target: &Uri, proxy: Option<&Proxy>) -> Self {
        if self.route.is_none() {
            self.route = Route::new(target, proxy).map(Arc::new);
        }
        self
    }

    /// Classifies an HTTP client's `error`: kind, reason and source.
    ///
    /// The kind is found anywhere in the chain of causes, or else is `fallback`. With
    /// [`Connect`](TransportErrorKind::Connect) as the fallback, a connection that closed early
    /// stays `Connect`. The source is a scrubbed copy of the chain, without the part that the
    /// reason already covers.
    pub fn classify(error: &(dyn Error + 'static), fallback: TransportErrorKind) -> Self {
        let kind = chain::kind_of(error, fallback);
        let reason = TransportErrorReason::of(error, kind);
        let is_said = |io_kind| match reason {
            Some(reason) => reason.says_all_of(io_kind),
            // The I/O errors around TLS errors carry no information about TLS.
            None => matches!(kind, TransportErrorKind::Timeout | TransportErrorKind::Tls),
        };
        let classified = Self { reason, ..Self::new(kind) };
        match ScrubbedError::without(error, is_said) {
            Some(source) => classified.with_source(source),
            None => classified,
        }
    }

    /// Returns the kind of the failure.
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Returns the exact reason, if the transport knows it.
    pub const fn reason(&self) -> Option<TransportErrorReason> {
        self.reason
    }

    /// Returns whether any byte of the request body may have reached the server, and so may have
    /// had an effect.
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
