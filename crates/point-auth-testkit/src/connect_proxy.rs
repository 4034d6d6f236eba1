//! An HTTP proxy on loopback that tunnels by CONNECT (RFC 9110, section 9.3.6) and keeps a record
//! of what it saw.

mod record;
mod tunnel;

use std::collections::HashMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use self::record::Record;
use crate::Error;
use crate::server_thread::ServerThread;

pub use self::record::{ProxyCredentials, RecordedConnect};

/// What a [`ConnectProxy`] does with a CONNECT that it would grant.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum ProxyBehavior {
    /// Opens the tunnel.
    #[default]
    Tunnel,
    /// Reads the CONNECT and never answers.
    Silent,
    /// Answers with this status and closes.
    Refuse(u16),
    /// Answers with these bytes and closes.
    Garbage(Bytes),
    /// Closes without an answer.
    Close,
}

impl fmt::Debug for ProxyBehavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tunnel => f.write_str("Tunnel"),
            Self::Silent => f.write_str("Silent"),
            Self::Refuse(status) => write!(f, "Refuse({status})"),
            Self::Garbage(_) => f.write_str("Garbage(..)"),
            Self::Close => f.write_str("Close"),
        }
    }
}

/// What the connections of a proxy have in common.
struct Shared {
    /// The one right value of `Proxy-Authorization`, if credentials are asked for: base64 of
    /// `username:password`.
    credentials: Option<String>,
    routes: HashMap<String, SocketAddr>,
    behavior: ProxyBehavior,
    record: Arc<Record>,
}

/// Sets a [`ConnectProxy`] up; see [`ConnectProxy::builder`].
#[must_use]
#[derive(Default)]
pub struct ConnectProxyBuilder {
    credentials: Option<(String, String)>,
    routes: HashMap<String, SocketAddr>,
    behavior: ProxyBehavior,
}

impl ConnectProxyBuilder {
    /// Answers 407 to a client without these credentials (Basic, RFC 7617). Without this the proxy asks
    /// for none.
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.credentials = Some((username.into(), password.into()));
        self
    }

    /// Tunnels CONNECTs for `authority` (`"api.example.test:443"`, in any case) to `target`.
    pub fn map(mut self, authority: impl Into<String>, target: SocketAddr) -> Self {
        self.routes.insert(authority.into().to_ascii_lowercase(), target);
        self
    }

    /// What to do with a CONNECT that would be granted; open the tunnel by default.
    pub fn behavior(mut self, behavior: ProxyBehavior) -> Self {
        self.behavior = behavior;
        self
    }

    /// Starts the proxy on a free port of 127.0.0.1; it listens when this returns.
    ///
    /// # Errors
    /// [`Error::Listen`] or [`Error::Thread`] if the system has no port or no thread left, and
    /// [`Error::NotLoopback`] if a name was mapped to another machine.
    pub fn start(self) -> Result<ConnectProxy, Error> {
        if let Some(target) = self.routes.values().find(|target| !target.ip().is_loopback()) {
            return Err(Error::NotLoopback(target.ip()));
        }
        let credentials =
            self.credentials.map(|(name, password)| STANDARD.encode(format!("{name}:{password}")));
        let record = Arc::new(Record::default());
        let shared = Arc::new(Shared {
            credentials,
            routes: self.routes,
            behavior: self.behavior,
            record: Arc::clone(&record),
        });
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        let server = ServerThread::start("point-auth-connect-proxy", address, move |tcp| {
            tunnel::serve(Arc::clone(&shared), tcp)
        })?;
        Ok(ConnectProxy { record, server })
    }
}

impl fmt::Debug for ConnectProxyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectProxyBuilder")
            .field("routes", &self.routes)
            .field("behavior", &self.behavior)
            .finish_non_exhaustive()
    }
}

/// A running CONNECT proxy on loopback, on a thread of its own; dropping it stops it.
///
/// It tunnels to the names it was given and to loopback addresses, and refuses everything else with
/// 403, so a client that is configured wrongly reaches nothing.
pub struct ConnectProxy {
    record: Arc<Record>,
    server: ServerThread,
}

impl ConnectProxy {
    /// Starts to set a proxy up.
    pub fn builder() -> ConnectProxyBuilder {
        ConnectProxyBuilder::default()
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its URL, without credentials: `http://127.0.0.1:49152`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// Its URL with `userinfo` (already percent-encoded where need be):
    /// `http://userinfo@127.0.0.1:49152`.
    #[must_use]
    pub fn url_with_userinfo(&self, userinfo: &str) -> String {
        format!("http://{userinfo}@{}", self.addr())
    }

    /// Every CONNECT so far, granted or not, in order.
    #[must_use]
    pub fn connects(&self) -> Vec<RecordedConnect> {
        self.record.read(|tallies| tallies.connects.clone())
    }

    /// How many CONNECTs there were for this authority, granted or not.
    #[must_use]
    pub fn count(&self, authority: &str) -> usize {
        self.record.read(|tallies| {
            tallies
                .connects
                .iter()
                .filter(|connect| connect.authority.eq_ignore_ascii_case(authority))
                .count()
        })
    }

    /// How many TCP connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.record.read(|tallies| tallies.connections)
    }

    /// How many requests were no CONNECT, so that a client sent plaintext to forward. They get a
    /// 405.
    #[must_use]
    pub fn other_requests(&self) -> usize {
        self.record.read(|tallies| tallies.other_requests)
    }

    /// Whether `needle` passed through the proxy in the clear: in a request's head or in the first
    /// 64 KiB of a tunnel in either direction.
    #[must_use]
    pub fn saw(&self, needle: impl AsRef<[u8]>) -> bool {
        let needle = needle.as_ref();
        self.record.read(|tallies| {
            let tunnelled =
                tallies.connects.iter().flat_map(|connect| [&connect.sent, &connect.received]);
            tunnelled.chain(&tallies.heads).any(|bytes| contains(bytes, needle))
        })
    }

    /// Waits until `count` CONNECTs have arrived; false if they did not within `timeout`.
    #[must_use]
    pub fn wait_for_connects(&self, count: usize, timeout: Duration) -> bool {
        self.record.wait(timeout, |tallies| tallies.connects.len() >= count)
    }
}

impl fmt::Debug for ConnectProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectProxy").field("addr", &self.addr()).finish_non_exhaustive()
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || bytes.windows(needle.len()).any(|window| window == needle)
}
