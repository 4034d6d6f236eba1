//! [`Limits`]: how long and how much clients and the API may take.

use std::time::Duration;

/// The limits on connections, heads and silence. The default suits most programs.
///
/// A time of more than a day counts as a day. Bodies have no limit on their size: they are
/// streamed, and a slow reader slows the sender.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Limits {
    pub(crate) connections: usize,
    pub(crate) head_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) drain_timeout: Duration,
}

/// The largest head of a request, in bytes, and the buffer for each direction of a connection. It
/// is the default of other servers too.
pub(crate) const HEAD_BYTES: usize = 8 * 1024;
/// The largest head of a response of the API, in bytes, and the buffer for its body.
pub(crate) const RESPONSE_HEAD_BYTES: usize = 8 * 1024;
/// The largest request body that is kept for a second attempt, in bytes.
pub(crate) const KEPT_BODY_BYTES: usize = 1024 * 1024;
/// The most bytes of bodies that are kept for second attempts at one time.
pub(crate) const ALL_KEPT_BYTES: usize = 8 * 1024 * 1024;

/// The longest time of a limit, which every clock can count.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Limits {
    /// Creates the defaults.
    pub fn new() -> Self {
        Self {
            connections: 1024,
            head_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            response_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(25),
        }
    }

    /// Sets the most connections of clients at one time (default: 1,024, at least 1). Further ones
    /// wait until one ends.
    pub fn with_connections(mut self, most: usize) -> Self {
        self.connections = most.max(1);
        self
    }

    /// Sets the time for the head of a request to arrive whole (default: 30 seconds).
    ///
    /// It counts from the start of the connection, or from the end of the request before. So a
    /// connection over HTTP/1.1 without a request is closed after this time too.
    pub fn with_head_timeout(mut self, timeout: Duration) -> Self {
        self.head_timeout = timeout.min(LONGEST);
        self
    }

    /// Sets the longest silence in the middle of a body, and of an HTTP/2 connection without a
    /// request (default: 60 seconds).
    ///
    /// It ends a request whose client sends no more of the body, or reads no more of the response,
    /// and a response of which the API sends no more.
    pub fn with_idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout.min(LONGEST);
        self
    }

    /// Sets the longest time from the last byte of a request that was sent to the head of the API's
    /// response (default: 60 seconds).
    pub fn with_response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout.min(LONGEST);
        self
    }

    /// Sets the time for requests to finish once the proxy is told to stop (default: 25 seconds,
    /// which is less than Kubernetes allows). What is left then is cut off.
    pub fn with_drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout.min(LONGEST);
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
