//! From a URL to a connection: name look-up, TCP, proxy and TLS, all within the connect limit.
//!
//! ureq's own resolver does the first. A connector of our own is there because ureq has no setting
//! for the platform's roots plus extra ones, looks names up outside of the connect limit, and gives
//! a limit anew to each byte that a proxy sends and to each part of a write.

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

/// Makes every connection of our own agent.
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

    /// A TCP connection to where the request goes first: to the proxy, or to the host itself.
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

/// What is left of the connect limit.
pub(crate) fn time_left(details: &ConnectionDetails<'_>) -> Result<NextTimeout, Error> {
    let mut timeout = details.timeout;
    if let (Duration::Exact(limit), Instant::Exact(start), Instant::Exact(now)) =
        (timeout.after, details.now, (details.current_time)())
    {
        timeout.after = Duration::Exact(limit.saturating_sub(now.saturating_duration_since(start)));
    }
    if timeout.after.is_zero() { Err(Error::Timeout(timeout.reason)) } else { Ok(timeout) }
}

/// A failed look-up has neither a kind nor a number of the operating system, so here is the one
/// place to tell it.
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

/// Looks up nothing: [`Connect`] does it, for the proxy or for the host, when the connect limit
/// runs.
#[derive(Debug)]
pub(crate) struct Deferred;

impl Resolver for Deferred {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}
