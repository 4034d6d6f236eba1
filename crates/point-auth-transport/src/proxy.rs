//! Selects the proxy of a request, in one place for all adapters.

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

/// Proxy configuration: the proxy from the environment (the default), no proxy, or a given proxy.
///
/// Only `http://` proxies are supported. They are asked to `CONNECT` and then see only TLS.
/// Loopback hosts and plain `http://` URLs never go through a proxy. `Debug` shows no user name and
/// no password.
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
    /// Uses the proxy that the environment names when the transport is built.
    ///
    /// The variables are `https_proxy`, `HTTPS_PROXY`, `all_proxy` and `ALL_PROXY`, in this order;
    /// the first that is not empty counts. `no_proxy`, or else `NO_PROXY`, lists the hosts to reach
    /// without a proxy: see [`with_no_proxy`](Self::with_no_proxy).
    pub fn from_environment() -> Self {
        Self::default()
    }

    /// Uses no proxy, and ignores the environment.
    pub fn none() -> Self {
        Self { source: Source::None, no_proxy: None }
    }

    /// Uses this proxy, and ignores the environment, `NO_PROXY` included.
    ///
    /// The form is `http://user:password@proxy.example:3128`. The default scheme is `http`, the
    /// default port 80. User name and password are optional and percent-decoded.
    ///
    /// # Errors
    /// [`SettingsError::ProxyScheme`] for a scheme other than `http`, and
    /// [`SettingsError::ProxyUrl`] for a URL that cannot be parsed.
    pub fn url(url: &str) -> Result<Self, SettingsError> {
        Ok(Self { source: Source::Url(Proxy::parse(url, None)?), no_proxy: None })
    }

    /// Sets the hosts to reach without the proxy, in place of the list in the environment.
    ///
    /// Entries are separated by commas or white space:
    ///
    /// - `*` matches every host.
    /// - `example.com`, `.example.com` and `*.example.com` each match that host and all hosts below
    ///   it.
    /// - An IP address, in brackets or not, matches itself.
    /// - `10.0.0.0/8` matches a network. Names are not looked up for that.
    ///
    /// Every entry but a network may end in a `:port`, and then matches that port alone. Case does
    /// not matter. Any other entry matches nothing.
    pub fn with_no_proxy(mut self, list: &str) -> Self {
        self.no_proxy = Some(NoProxy::parse(list));
        self
    }

    /// Reads the environment once, if the settings use it.
    ///
    /// # Errors
    /// [`SettingsError::Environment`] when a variable is not Unicode, and the errors of
    /// [`url`](Self::url) for its value.
    pub fn resolve(&self) -> Result<ProxyResolver, SettingsError> {
        self.resolve_with(|variable| env::var_os(variable))
    }

    /// Resolves the settings like [`resolve`](Self::resolve), with `lookup` in place of the
    /// environment.
    ///
    /// `lookup` returns the value of a variable.
    ///
    /// # Errors
    /// The errors of [`resolve`](Self::resolve).
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

/// Returns the first variable that is not empty, and its value.
///
/// A shell disables a variable for one command by setting it to an empty string.
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

/// Selects the proxy of each request.
///
/// Cheap to clone. `Debug` shows no user name and no password.
#[derive(Clone)]
pub struct ProxyResolver(Arc<Resolved>);

struct Resolved {
    proxy: Option<Proxy>,
    no_proxy: NoProxy,
}

impl ProxyResolver {
    /// Returns the proxy for a request to `uri`, if there is one.
    ///
    /// There is none for a plain `http` URL, for loopback (127.0.0.0/8, `::1`, `localhost` and all
    /// names below it), or for the hosts in [`NO_PROXY`](ProxySettings::with_no_proxy).
    pub fn proxy_for(&self, uri: &Uri) -> Option<&Proxy> {
        let proxy = self.0.proxy.as_ref()?;
        let host = uri.host()?;
        let is_https = uri.scheme_str().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let port = uri.port_u16().unwrap_or(443);
        (is_https && !is_loopback(host) && !self.0.no_proxy.matches(host, port)).then_some(proxy)
    }

    /// Returns the proxy for the requests that go through one.
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
