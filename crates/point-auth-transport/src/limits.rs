//! [`SendLimits`]: how much and how long a transport may read and wait for one request; and
//! [`LONGEST_IDLE`].

use std::time::Duration;

/// The longest that an idle connection is kept (rule 9): 5 seconds.
///
/// An hourly caller must not meet a connection that the server is about to close, since nothing is
/// sent twice.
pub const LONGEST_IDLE: Duration = Duration::from_secs(5);

/// How much and how long a transport may read and wait for one request.
///
/// The defaults suit the sign-in API: its answers have about 1.3 kB, and it answers in well under a
/// second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendLimits {
    max_response_bytes: usize,
    connect_timeout: Duration,
    total_timeout: Duration,
}

impl SendLimits {
    /// 64 KiB, 10 seconds to connect, 30 seconds in all.
    pub const fn new() -> Self {
        Self {
            max_response_bytes: 64 * 1024,
            connect_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(30),
        }
    }

    /// Sets the most bytes that a response body may have, counted after any decoding (default:
    /// 65,536).
    ///
    /// A longer body is [`TransportErrorKind::TooLarge`](crate::TransportErrorKind::TooLarge); what
    /// was read of it is dropped.
    #[must_use]
    pub const fn with_max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Sets the time in which the connection must stand: name look-up, TCP, proxy and TLS (default:
    /// 10 seconds).
    ///
    /// The time ends when the first byte of the request body is asked for. A request without a body
    /// gives no such sign, and is held to the total alone.
    ///
    /// More than 10 seconds has no effect on TCP in the adapters over reqwest (and there on TLS)
    /// and hyper: theirs is fixed when the client is built, so that it can be shared out among the
    /// addresses of a host. A client that you bring has its own.
    #[must_use]
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the time in which everything must be done, from name look-up to the last byte of the
    /// response body (default: 30 seconds).
    #[must_use]
    pub const fn with_total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// The most bytes that a response body may have.
    pub const fn max_response_bytes(&self) -> usize {
        self.max_response_bytes
    }

    /// The time in which the connection must stand.
    pub const fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// The time in which everything must be done.
    pub const fn total_timeout(&self) -> Duration {
        self.total_timeout
    }
}

impl Default for SendLimits {
    fn default() -> Self {
        Self::new()
    }
}
