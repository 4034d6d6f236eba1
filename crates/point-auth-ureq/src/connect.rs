//! Connects to a URL: name lookup, TCP, proxy and TLS, all within the connect limit.
//!
//! ureq's own resolver looks up the name. The rest is a connector of our own, for three reasons.
//! ureq cannot combine the platform's roots with extra ones. It looks names up outside of the
//! connect limit. It also restarts a limit for each byte that a proxy sends and for each part of a
//! write.

mod tcp;
mod tunnel;

use std::io;

use http::Uri;
use point_auth_transport::{Proxy, ProxyResolver, SettingsError, TransportSettings};
use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, Transport};

use self::tcp::Tcp;
pub(crate) use self::tunnel::PROXY_WANTS_CREDENTIALS;
use crate::tls::Tls;
use crate::wire::Wire;

/// Makes all connections of our own agent.
#[derive(Debug)]
pub(crate) struct Connect {
    resolver: DefaultResolver,
    proxy: ProxyResolver,
    tls: Tls,
}

impl Connect {
    pub(crate) fn new(
        settings: &TransportSettings,
        proxy: ProxyResolver,
    ) -> Result<Self, SettingsError> {
        Ok(Self { resolver: DefaultResolver::default(), proxy, tls: Tls::new(settings.tls())? })
    }

    pub(crate) fn has_tls(&self) -> bool {
        !matches!(self.tls, Tls::None)
    }

    /// Opens a TCP connection to the first hop: the proxy, or the host itself.
    fn dial(&self, to: &Uri, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, Error> {
        let addrs =
            self.resolver.resolve(to, details.config, time_left(details)?).map_err(unknown_host)?;
        let tcp = Tcp::connect(&addrs, time_left(details)?, details.config)?;
        Ok(Wire::boxed(tcp))
    }
}

impl Connector for Connect {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let proxy = self.proxy.proxy_for(details.uri);
        let mut connection = self.dial(proxy.map_or(details.uri, Proxy::uri), details)?;
        if let Some(proxy) = proxy {
            connection = tunnel::open(connection, proxy, details)?;
        }
        if details.needs_tls() {
            connection = self.tls.secure(connection, details)?;
        }
        Ok(Some(connection))
    }
}

/// Returns the time that is left of the connect limit.
pub(crate) fn time_left(details: &ConnectionDetails<'_>) -> Result<NextTimeout, Error> {
    let mut timeout = details.timeout;
    if let (Duration::Exact(limit), Instant::Exact(start), Instant::Exact(now)) =
        (timeout.after, details.now, (details.current_time)())
    {
        timeout.after = Duration::Exact(limit.saturating_sub(now.saturating_duration_since(start)));
    }
    if timeout.after.is_zero() { Err(Error::Timeout(timeout.reason)) } else { Ok(timeout) }
}

/// Marks a failed lookup. It has neither a kind nor an OS error number, so no later code can
/// recognize it.
fn unknown_host(error: Error) -> Error {
    match error {
        Error::Io(error)
            if error.raw_os_error().is_none() && error.kind() != io::ErrorKind::TimedOut =>
        {
            Error::HostNotFound
        }
        error => error,
    }
}

/// Resolves nothing. [`Connect`] looks up the proxy or the host, within the connect limit.
#[derive(Debug)]
pub(crate) struct Deferred;

impl Resolver for Deferred {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}
