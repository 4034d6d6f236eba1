//! What reached the proxy.

use std::fmt;

use crate::watched::Watched;

/// What a CONNECT had to say for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyCredentials {
    /// It had no `Proxy-Authorization`.
    Missing,
    /// It had one that is not the right one.
    Wrong,
    /// It had the right one.
    Right,
    /// It had one although this proxy asks for none.
    Unasked,
}

/// A CONNECT and the tunnel it led to. `Debug` shows neither credentials nor what was tunnelled.
#[derive(Clone)]
pub struct RecordedConnect {
    pub(super) authority: String,
    pub(super) credentials: ProxyCredentials,
    pub(super) status: Option<u16>,
    pub(super) sent: Vec<u8>,
    pub(super) received: Vec<u8>,
}

impl RecordedConnect {
    /// The host and port to connect to, as the client wrote them.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether the credentials were right.
    #[must_use]
    pub fn credentials(&self) -> ProxyCredentials {
        self.credentials
    }

    /// The status it was answered with; none for a proxy that answers nothing or garbage.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The first 64 KiB the client sent through the tunnel.
    #[must_use]
    pub fn sent(&self) -> &[u8] {
        &self.sent
    }

    /// The first 64 KiB that came back.
    #[must_use]
    pub fn received(&self) -> &[u8] {
        &self.received
    }
}

impl fmt::Debug for RecordedConnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedConnect")
            .field("authority", &self.authority)
            .field("credentials", &self.credentials)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

pub(super) type Record = Watched<Tallies>;

#[derive(Default)]
pub(super) struct Tallies {
    pub(super) connections: usize,
    pub(super) connects: Vec<RecordedConnect>,
    pub(super) other_requests: usize,
    /// The heads of all requests.
    pub(super) heads: Vec<Vec<u8>>,
}
