//! How an emulator is set up.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use super::api::Api;
use super::clock::Clock;
use super::record::Record;
use super::routes::Routes;
use super::tls::{Certificate, TlsSettings, TlsVersion};
use super::tokens::{Accounts, Lives, User};
use super::{Emulator, Shared, connection, path_prefix};
use crate::server_thread::ServerThread;
use crate::{CertificateAuthority, Error};

/// More than any request of the API needs, and little enough to hold. The answer to more is 413.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;

/// Which versions of HTTP an emulator speaks. With TLS the client chooses by ALPN; without, by
/// starting with HTTP/2's preface or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum HttpVersions {
    /// HTTP/1.1 and HTTP/2.
    #[default]
    Both,
    /// HTTP/1.1 alone.
    Http1Only,
    /// HTTP/2 alone.
    Http2Only,
}

/// Sets an [`Emulator`] up; see [`Emulator::builder`].
#[must_use]
pub struct EmulatorBuilder {
    users: HashMap<String, User>,
    lives: Lives,
    rotates_refresh_tokens: bool,
    supersedes_access_tokens: bool,
    routes: Vec<(String, Option<Bytes>)>,
    clock: Clock,
    address: IpAddr,
    port: u16,
    path_prefix: String,
    versions: HttpVersions,
    certificate: Option<Certificate>,
    host_names: Vec<String>,
    requires_client_certificate: bool,
    records_requests: bool,
    max_request_bytes: usize,
    tls_version: Option<TlsVersion>,
    takes_early_data: bool,
}

impl EmulatorBuilder {
    pub(super) fn new() -> Self {
        Self {
            users: HashMap::new(),
            lives: Lives { access: Duration::from_secs(3600), refresh: None },
            rotates_refresh_tokens: false,
            supersedes_access_tokens: false,
            routes: Vec::new(),
            clock: Clock::running(),
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            path_prefix: String::new(),
            versions: HttpVersions::Both,
            certificate: None,
            host_names: Vec::new(),
            requires_client_certificate: false,
            records_requests: true,
            max_request_bytes: MAX_REQUEST_BYTES,
            tls_version: None,
            takes_early_data: false,
        }
    }

    /// Adds a user that may sign in, with any alias or with none.
    pub fn user(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.users.insert(username.into(), User { password: password.into(), aliases: None });
        self
    }

    /// Adds a user that may sign in with one of these aliases or with none.
    pub fn user_with_aliases<I>(
        mut self,
        username: impl Into<String>,
        password: impl Into<String>,
        aliases: I,
    ) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let aliases = Some(aliases.into_iter().map(Into::into).collect());
        self.users.insert(username.into(), User { password: password.into(), aliases });
        self
    }

    /// How long an access token lives; 3600 s by default. Answers say it in whole seconds.
    pub fn access_token_life(mut self, life: Duration) -> Self {
        self.lives.access = life;
        self
    }

    /// How long a refresh token lives; by default 24 hours, rounded up to midnight US Eastern time.
    pub fn refresh_token_life(mut self, life: Duration) -> Self {
        self.lives.refresh = Some(life);
        self
    }

    /// Whether the answer to a refresh carries a new refresh token; none by default. The old one
    /// stays good either way.
    pub fn rotate_refresh_tokens(mut self, rotate: bool) -> Self {
        self.rotates_refresh_tokens = rotate;
        self
    }

    /// Whether a new access token ends those before it of the same user and alias; they stay good
    /// by default.
    pub fn supersede_access_tokens(mut self, supersede: bool) -> Self {
        self.supersedes_access_tokens = supersede;
        self
    }

    /// Adds a route that wants a good access token, for instance `"/policies"`.
    ///
    /// Any method with a good one gets a 200 that says whose it is, as
    /// `{"username": …, "useralias": …}`. An unknown, expired, revoked or superseded token, and
    /// none, get a 401 with `WWW-Authenticate`. The path is exact, below the
    /// [path prefix](Self::path_prefix); a query is ignored. Requests are recorded as
    /// [`Operation::Protected`](crate::Operation::Protected), with the owner of their token.
    pub fn protected_route(mut self, path: impl Into<String>) -> Self {
        self.routes.push((path.into(), None));
        self
    }

    /// Adds a route like [`protected_route`](Self::protected_route) that answers a good token with
    /// this JSON.
    pub fn protected_route_with_json(
        mut self,
        path: impl Into<String>,
        json: impl Into<Bytes>,
    ) -> Self {
        self.routes.push((path.into(), Some(json.into())));
        self
    }

    /// The clock to live by, for instance one that several emulators share; by default one that
    /// shows the system's time.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The loopback address to listen on; 127.0.0.1 by default.
    pub fn address(mut self, address: impl Into<IpAddr>) -> Self {
        self.address = address.into();
        self
    }

    /// The port to listen on; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Serves the API below a path, as a gateway does: `"/gateway"`. Empty by default.
    ///
    /// It is an absolute path that every client reads alike, as in a base URL of `point-auth`: the
    /// characters of RFC 3986, and no segment that is empty, `.` or `..`. One slash at its end is
    /// dropped. The whole base URL may have 2,048 bytes.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = prefix.into();
        self
    }

    /// The versions of HTTP to speak; both by default.
    pub fn http(mut self, versions: HttpVersions) -> Self {
        self.versions = versions;
        self
    }

    /// Speaks TLS (1.2 and 1.3) with a valid certificate of a throw-away authority.
    pub fn with_tls(self) -> Self {
        self.tls(Certificate::Valid)
    }

    /// Speaks TLS with the certificate of one's choice.
    pub fn tls(mut self, certificate: Certificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Adds a name that the certificate is good for, besides `localhost`, `127.0.0.1` and `::1`.
    pub fn host_name(mut self, name: impl Into<String>) -> Self {
        self.host_names.push(name.into());
        self
    }

    /// Refuses clients that do not show a certificate of the emulator's own authority
    /// ([`Emulator::authority`] issues them). Turns TLS on if it is not.
    pub fn require_client_certificate(mut self) -> Self {
        self.requires_client_certificate = true;
        self.certificate.get_or_insert_default();
        self
    }

    /// Whether requests are kept to be looked at and counted; they are by default. For an emulator
    /// that runs for days.
    pub fn record_requests(mut self, record: bool) -> Self {
        self.records_requests = record;
        self
    }

    /// Takes larger requests than the API does; more gets a 413.
    #[cfg(feature = "conformance")]
    pub(crate) fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// Speaks this version of TLS and no other.
    #[cfg(feature = "conformance")]
    pub(crate) fn tls_version(mut self, version: TlsVersion) -> Self {
        self.tls_version = Some(version);
        self
    }

    /// Lets clients that resume a TLS session send before the handshake is over. What comes is
    /// counted and goes no further.
    #[cfg(feature = "conformance")]
    pub(crate) fn take_early_data(mut self) -> Self {
        self.takes_early_data = true;
        self
    }

    /// Starts the emulator on a thread of its own; it listens when this returns.
    ///
    /// # Errors
    /// [`Error`] if the port is taken, the address is not loopback, the prefix is not a path that
    /// every client reads alike, a protected route's path is not one or is taken, or a host name
    /// cannot stand in a certificate.
    pub fn start(self) -> Result<Emulator, Error> {
        let routes = Routes::new(self.routes)?;
        let prefix = path_prefix::normal(&self.path_prefix)?;
        let dropped_bytes = self.path_prefix.len() - prefix.len();
        let authority = CertificateAuthority::new()?;
        let versions = self.versions;
        let tls = match self.certificate {
            Some(certificate) => {
                let settings = TlsSettings {
                    certificate,
                    host_names: self.host_names,
                    requires_client_certificate: self.requires_client_certificate,
                    versions,
                    version: self.tls_version,
                    takes_early_data: self.takes_early_data,
                };
                Some(settings.acceptor(&authority)?)
            }
            None => None,
        };
        let mut accounts = Accounts::new(self.users, self.lives).map_err(|_| Error::Random)?;
        accounts.supersede_access_tokens(self.supersedes_access_tokens);
        let shared = Arc::new(Shared {
            api: Api {
                prefix,
                accounts: Mutex::new(accounts),
                clock: self.clock,
                rotates_refresh_tokens: self.rotates_refresh_tokens,
                routes,
            },
            script: Mutex::default(),
            record: Arc::new(Record::default()),
            records_requests: self.records_requests,
            max_request_bytes: self.max_request_bytes,
            tls,
            versions,
        });
        let address = SocketAddr::new(self.address, self.port);
        let for_connections = Arc::clone(&shared);
        let server = ServerThread::start("point-auth-emulator", address, move |tcp| {
            connection::serve(Arc::clone(&for_connections), tcp)
        })?;
        let emulator = Emulator { shared, authority, server };
        if emulator.base_url().len() + dropped_bytes > path_prefix::MOST_URL_BYTES {
            return Err(Error::PathPrefix);
        }
        Ok(emulator)
    }
}

impl fmt::Debug for EmulatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatorBuilder")
            .field("users", &self.users.len())
            .field("lives", &self.lives)
            .field("certificate", &self.certificate)
            .field("versions", &self.versions)
            .finish_non_exhaustive()
    }
}
