//! [`SendLimits`]: size and time limits for one request; and [`LONGEST_IDLE`].

use std::time::Duration;

/// The longest time that an idle connection is kept (rule 9): 5 seconds.
///
/// An hourly caller must not meet a connection that the server is about to close, because no
/// request is sent twice.
pub const LONGEST_IDLE: Duration = Duration::from_secs(5);

/// Size and time limits for one request.
///
/// The defaults suit the sign-in API: its responses have about 1.3 kB and arrive in well under a
/// second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendLimits {
    max_response_bytes: usize,
    connect_timeout: Duration,
    total_timeout: Duration,
}

impl SendLimits {
    /// Creates the default limits: 64 KiB, 10 seconds to connect, 30 seconds in total.
    pub const fn new() -> Self {
        Self {
            max_response_bytes: 64 * 1024,
            connect_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(30),
        }
    }

    /// Sets the maximum size of a response body in bytes, counted after any decoding (default:
    /// 65,536).
    ///
    /// A longer body is [`TransportErrorKind::TooLarge`](crate::TransportErrorKind::TooLarge), and
    /// the part that was read is dropped.
    #[must_use]
    pub const fn with_max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Sets the connect limit: name lookup, TCP, proxy and TLS together (default: 10 seconds).
    ///
    /// The limit ends when the first byte of the request body is asked for. A request without a
    /// body gives no such sign, so only the total limit applies to it.
    ///
    /// In the adapters over reqwest and hyper, more than 10 seconds has no effect on TCP, and with
    /// reqwest none on TLS. Their limit is fixed when the client is built, so that the addresses of
    /// a host can share it. A client of your own has its own limit.
    #[must_use]
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the limit for the whole exchange, from name lookup to the last byte of the response
    /// body (default: 30 seconds).
    #[must_use]
    pub const fn with_total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// Returns the maximum size of a response body in bytes.
    pub const fn max_response_bytes(&self) -> usize {
        self.max_response_bytes
    }

    /// Returns the connect limit.
    pub const fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Returns the limit for the whole exchange.
    pub const fn total_timeout(&self) -> Duration {
        self.total_timeout
    }
}

impl Default for SendLimits {
    fn default() -> Self {
        Self::new()
    }
}
