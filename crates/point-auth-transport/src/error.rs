//! [`TransportError`]: why there is no response, and whether the request may have been sent.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::chain::{self, ScrubbedError};

/// What went wrong, alike for every transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: the name is unknown, the server refused, or the proxy did. Worth another try later.
    Connect,
    /// TLS failed: a certificate is not trusted, has expired or names another host, or the two sides have no version
    /// in common. Another try will fail the same way until somebody changes something, so it is not retryable.
    Tls,
    /// A limit in time was reached. Worth another try later.
    Timeout,
    /// The response is larger than the limit. Not worth another try.
    TooLarge,
    /// The other side did not keep to HTTP, broke off in the middle, or answered from another URL. Worth another try
    /// later, since a dying server looks like this too.
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

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "could not connect",
            Self::Tls => "TLS failed",
            Self::Timeout => "timed out",
            Self::TooLarge => "the response is too large",
            Self::Protocol => "the server did not keep to the protocol",
            Self::Other => "the transport failed",
        })
    }
}

/// There is no response. Says why, and whether the request may have been sent.
///
/// The [`source`](Error::source) explains more where the transport knows more. It holds no body, no header value and
/// no URL with a password in it; the adapters of this project [scrub](ScrubbedError) what their client says.
#[derive(Clone, Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    may_have_been_sent: bool,
    // Shared, so that all who waited for one request get its error.
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl TransportError {
    /// A failure after which the request may have been sent: the safe thing to say as long as nobody knows better.
    pub const fn new(kind: TransportErrorKind) -> Self {
        Self { kind, may_have_been_sent: true, source: None }
    }

    /// Says that no byte of the request body can have reached the server.
    ///
    /// Say it only where it is certain. A sign-in that was never sent is tried again at once; one that was may have
    /// counted against the account.
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

    /// Says of an HTTP client's `error` what every transport says alike: the kind by what is found anywhere in its chain
    /// of causes, or else `fallback` (and [`Connect`](TransportErrorKind::Connect) as the fallback is not overruled by a
    /// connection that broke off); and a scrubbed copy of the chain as the source.
    pub fn classify(error: &(dyn Error + 'static), fallback: TransportErrorKind) -> Self {
        let kind = chain::kind_of(error, fallback);
        let classified = Self::new(kind);
        match ScrubbedError::of(error) {
            Some(source) => classified.with_source(source),
            None => classified,
        }
    }

    /// What went wrong.
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Whether any of the request body may have reached the server, and so may have had an effect there.
    pub const fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
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
