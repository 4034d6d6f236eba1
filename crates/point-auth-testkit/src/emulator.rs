//! The emulator: the API on loopback, what reached it, and the script of what goes wrong.

mod api;
mod body;
mod builder;
mod clock;
mod connection;
mod eastern;
mod faults;
mod json;
mod path_prefix;
mod record;
mod routes;
mod script;
mod service;
mod stream;
mod tls;
mod tokens;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_rustls::TlsAcceptor;

use self::record::Record;
use self::script::Script;
use crate::CertificateAuthority;
use crate::server_thread::{ServerThread, lock};

pub use self::api::Operation;
pub use self::builder::{EmulatorBuilder, HttpVersions};
pub use self::clock::Clock;
pub use self::faults::Fault;
pub use self::record::RecordedRequest;
pub use self::tls::Certificate;
#[cfg(feature = "conformance")]
pub(crate) use self::tls::TlsVersion;

/// What the handle and the connections have in common.
struct Shared {
    api: api::Api,
    script: Mutex<Script>,
    record: Arc<Record>,
    records_requests: bool,
    max_request_bytes: usize,
    tls: Option<TlsAcceptor>,
    versions: HttpVersions,
}

/// A running emulator of the API on loopback. Dropping it stops it and closes its connections.
///
/// All methods may be called from any thread, and from async code: they do not block, the ones
/// named `wait_` aside.
pub struct Emulator {
    shared: Arc<Shared>,
    authority: CertificateAuthority,
    server: ServerThread,
}

/// Where it is, and which authority to trust.
impl Emulator {
    /// Starts to set an emulator up. Without further ado it is plain HTTP/1.1 and HTTP/2 on a free
    /// port of 127.0.0.1, and knows no user.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    /// The base URL, with the path prefix and without a slash at its end: `http://127.0.0.1:49152`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.base_url_for(&match self.addr() {
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        })
    }

    /// The base URL with another name for the host, for instance `localhost` or one that a proxy
    /// maps. The port is the emulator's.
    #[must_use]
    pub fn base_url_for(&self, host: &str) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{host}:{}{}", self.addr().port(), self.shared.api.prefix)
    }

    /// The full URL of an operation.
    #[must_use]
    pub fn url(&self, operation: Operation) -> String {
        self.base_url() + operation.path()
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.address()
    }

    /// The throw-away authority behind its certificate, which also issues client certificates.
    #[must_use]
    pub fn authority(&self) -> &CertificateAuthority {
        &self.authority
    }

    /// The root certificate a client has to trust, in PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }

    /// The root certificate a client has to trust, in DER.
    #[must_use]
    pub fn ca_der(&self) -> &[u8] {
        self.authority.der()
    }

    /// The clock it lives by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.api.clock
    }

    /// Stops it and closes its connections. Its address refuses connections when this returns.
    pub fn stop(self) {}
}

/// What goes wrong.
impl Emulator {
    /// Adds a fault to the script, for the next request that nothing before it in the script
    /// applies to.
    pub fn push_fault(&self, fault: Fault) {
        lock(&self.shared.script).push(None, fault);
    }

    /// Adds a fault for the next request of this operation. An operation's own faults come before
    /// those for any.
    pub fn push_fault_for(&self, operation: Operation, fault: Fault) {
        lock(&self.shared.script).push(Some(operation), fault);
    }

    /// Applies `fault` to every request for which the script has nothing else.
    pub fn always(&self, fault: Fault) {
        lock(&self.shared.script).always(None, fault);
    }

    /// Applies `fault` to every request of this operation for which the script has nothing else.
    pub fn always_for(&self, operation: Operation, fault: Fault) {
        lock(&self.shared.script).always(Some(operation), fault);
    }

    /// Forgets the whole script; what a fault has begun goes on.
    pub fn clear_faults(&self) {
        lock(&self.shared.script).clear();
    }

    /// How many requests the script still has faults for (those that always apply not counted): 0
    /// shows that a test met all that it wrote down.
    #[must_use]
    pub fn pending_faults(&self) -> usize {
        lock(&self.shared.script).pending()
    }

    /// Makes an access token or a refresh token worthless at once; false if the emulator never gave
    /// it out.
    pub fn revoke(&self, token: &str) -> bool {
        lock(&self.shared.api.accounts).revoke(token)
    }

    /// Gives a user a new password; tokens stay good. False if there is no such user.
    pub fn change_password(&self, username: &str, password: &str) -> bool {
        lock(&self.shared.api.accounts).change_password(username, password)
    }
}

/// What reached it.
impl Emulator {
    /// Every request so far whose body arrived whole, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.record.read(|tallies| tallies.requests.clone())
    }

    /// How many requests there were of this operation, answered or not.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        self.count_where(|request| request.operation() == operation)
    }

    /// How many requests of this operation were about this user.
    #[must_use]
    pub fn count_for(&self, username: &str, operation: Operation) -> usize {
        self.count_where(|request| {
            request.operation() == operation && request.username() == Some(username)
        })
    }

    /// How many requests are as described.
    #[must_use]
    pub fn count_where(&self, is_so: impl Fn(&RecordedRequest) -> bool) -> usize {
        self.shared
            .record
            .read(|tallies| tallies.requests.iter().filter(|request| is_so(request)).count())
    }

    /// How many TCP connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.record.read(|tallies| tallies.accepted)
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.record.read(|tallies| tallies.accepted - tallies.closed)
    }

    /// How many connections were closed, by whichever side.
    #[must_use]
    pub fn closed_connections(&self) -> usize {
        self.shared.record.read(|tallies| tallies.closed)
    }

    /// How many TLS handshakes were completed.
    #[must_use]
    pub fn tls_handshakes(&self) -> usize {
        self.shared.record.read(|tallies| tallies.handshakes)
    }

    /// How many TLS handshakes failed, on either side.
    #[must_use]
    pub fn failed_tls_handshakes(&self) -> usize {
        self.shared.record.read(|tallies| tallies.failed_handshakes)
    }

    /// How many bytes clients sent, over all connections; with TLS those inside it. Zero means that
    /// no client said anything at all.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.shared.record.read(|tallies| tallies.bytes)
    }

    /// How many bytes came before the handshake was over.
    #[cfg(feature = "conformance")]
    pub(crate) fn early_bytes(&self) -> u64 {
        self.shared.record.read(|tallies| tallies.early_bytes)
    }

    /// Waits until `count` requests have arrived; false if they did not within `timeout`.
    #[must_use]
    pub fn wait_for_requests(&self, count: usize, timeout: Duration) -> bool {
        self.shared.record.wait(timeout, |tallies| tallies.requests.len() >= count)
    }

    /// Waits until `count` connections have been accepted; false if they were not within `timeout`.
    #[must_use]
    pub fn wait_for_connections(&self, count: usize, timeout: Duration) -> bool {
        self.shared.record.wait(timeout, |tallies| tallies.accepted >= count)
    }

    /// Waits until `count` connections have been closed, by whichever side; false if they were not
    /// within `timeout`.
    #[must_use]
    pub fn wait_for_closed_connections(&self, count: usize, timeout: Duration) -> bool {
        self.shared.record.wait(timeout, |tallies| tallies.closed >= count)
    }

    /// Waits until no connection is open; false if one still is after `timeout`.
    #[must_use]
    pub fn wait_until_no_connection_is_open(&self, timeout: Duration) -> bool {
        self.shared.record.wait(timeout, |tallies| tallies.closed == tallies.accepted)
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
