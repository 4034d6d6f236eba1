//! Which proxy a request goes through, decided here for every adapter alike.

mod no_proxy;
mod url;

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use http::Uri;

use self::no_proxy::{NoProxy, is_loopback};
pub use self::url::Proxy;
use crate::SettingsError;

/// Which proxy is used: the one that the environment names (the default), none, or this one.
///
/// Only `http://` proxies are supported: they are asked to `CONNECT` and then see only TLS.
/// Loopback hosts are never reached through a proxy, and nor is a plain `http://` URL. `Debug`
/// shows no user name and no password.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ProxySettings {
    source: Source,
    no_proxy: Option<NoProxy>,
}

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    Environment,
    None,
    Url(Proxy),
}

impl ProxySettings {
    /// The proxy that the environment names when the transport is built.
    ///
    /// Read are, in this order, `https_proxy`, `HTTPS_PROXY`, `all_proxy` and `ALL_PROXY`; the
    /// first that is not empty counts. `no_proxy`, or else `NO_PROXY`, lists what is reached
    /// without it: see [`with_no_proxy`](Self::with_no_proxy).
    pub fn from_environment() -> Self {
        Self::default()
    }

    /// No proxy, whatever the environment says.
    pub fn none() -> Self {
        Self { source: Source::None, no_proxy: None }
    }

    /// This proxy, whatever the environment says, `NO_PROXY` included.
    ///
    /// The form is `http://user:password@proxy.example:3128`. Without a scheme it is `http`,
    /// without a port it is 80; user name and password are percent-decoded and may be left out.
    ///
    /// # Errors
    /// [`SettingsError::ProxyScheme`] for a scheme other than `http`, and
    /// [`SettingsError::ProxyUrl`] when the URL cannot be understood.
    pub fn url(url: &str) -> Result<Self, SettingsError> {
        Ok(Self { source: Source::Url(Proxy::parse(url, None)?), no_proxy: None })
    }

    /// Sets what is reached without the proxy, in place of what the environment lists.
    ///
    /// The list is separated by commas or white space. `*` is everything. `example.com`,
    /// `.example.com` and `*.example.com` are all that host and every host below it. An IP address
    /// (in brackets or not) is itself, and `10.0.0.0/8` a whole network; names are not looked up
    /// for that. Each but a network may end in a `:port` and then stands for that port alone. Case
    /// does not matter. An entry that is none of these stands for nothing.
    pub fn with_no_proxy(mut self, list: &str) -> Self {
        self.no_proxy = Some(NoProxy::parse(list));
        self
    }

    /// Reads the environment, if it counts, once.
    ///
    /// # Errors
    /// [`SettingsError::Environment`] when a variable that counts is not Unicode, and as
    /// [`url`](Self::url) for what it holds.
    pub fn resolve(&self) -> Result<ProxyResolver, SettingsError> {
        self.resolve_with(|variable| env::var_os(variable))
    }

    /// As [`resolve`](Self::resolve), with an environment of the caller's own: `lookup` answers the
    /// value of a variable.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn resolve_with(
        &self,
        lookup: impl Fn(&str) -> Option<OsString>,
    ) -> Result<ProxyResolver, SettingsError> {
        let proxy = match &self.source {
            Source::None => None,
            Source::Url(proxy) => Some(proxy.clone()),
            Source::Environment => {
                match first_set(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"], &lookup)?
                {
                    Some((variable, url)) => Some(Proxy::parse(&url, Some(variable))?),
                    None => None,
                }
            }
        };
        let no_proxy = match (&self.no_proxy, &self.source, &proxy) {
            (Some(no_proxy), ..) => no_proxy.clone(),
            (None, Source::Environment, Some(_)) => first_set(&["no_proxy", "NO_PROXY"], &lookup)?
                .map(|(_, list)| NoProxy::parse(&list))
                .unwrap_or_default(),
            _ => NoProxy::default(),
        };
        Ok(ProxyResolver(Arc::new(Resolved { proxy, no_proxy })))
    }
}

/// The first variable that is set to something, and its value.
///
/// A shell unsets a variable for one command by setting it to nothing.
fn first_set(
    variables: &[&'static str],
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<(&'static str, String)>, SettingsError> {
    for &variable in variables {
        match lookup(variable).map(OsString::into_string) {
            None => {}
            Some(Ok(value)) if value.trim().is_empty() => {}
            Some(Ok(value)) => return Ok(Some((variable, value))),
            Some(Err(_)) => return Err(SettingsError::Environment { variable }),
        }
    }
    Ok(None)
}

/// Says for each request which proxy it goes through. Cheap to clone; `Debug` shows no user name
/// and no password.
#[derive(Clone)]
pub struct ProxyResolver(Arc<Resolved>);

struct Resolved {
    proxy: Option<Proxy>,
    no_proxy: NoProxy,
}

impl ProxyResolver {
    /// The proxy for a request to `uri`, or none.
    ///
    /// There is none for a plain `http` URL, for loopback (127.0.0.0/8, `::1`, `localhost` and
    /// every name below it), and for what [`NO_PROXY`](ProxySettings::with_no_proxy) lists.
    pub fn proxy_for(&self, uri: &Uri) -> Option<&Proxy> {
        let proxy = self.0.proxy.as_ref()?;
        let host = uri.host()?;
        let is_https = uri.scheme_str().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let port = uri.port_u16().unwrap_or(443);
        (is_https && !is_loopback(host) && !self.0.no_proxy.matches(host, port)).then_some(proxy)
    }

    /// The proxy, for requests that go through one.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.0.proxy.as_ref()
    }
}

impl fmt::Debug for ProxyResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyResolver")
            .field("proxy", &self.0.proxy)
            .field("no_proxy", &self.0.no_proxy)
            .finish()
    }
}
