//! [`Settings`]: what sessions are built from, read and checked once.

use std::time::Duration;

use point_auth::session::Policy;
use point_auth::transport::{ProxySettings, Roots, TlsSettings, TransportSettings};
use point_auth::{BaseUrl, UserAgent};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use zeroize::Zeroizing;

use crate::errors::{invalid, of_settings};

/// The settings of a session.
#[pyclass(frozen, module = "point_auth._native")]
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) base_url: BaseUrl,
    pub(crate) transport: TransportSettings,
    pub(crate) policy: Policy,
    pub(crate) user_agent: UserAgent,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) total_timeout: Option<Duration>,
}

#[pymethods]
impl Settings {
    #[new]
    #[pyo3(signature = (
        base_url,
        *,
        roots = "platform",
        ca_pem = None,
        client_cert_pem = None,
        client_key_pem = None,
        proxy = None,
        no_proxy = None,
        policy = Vec::new(),
        user_agent = None,
        connect_timeout = None,
        total_timeout = None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "each is a setting, by its name")]
    fn new(
        py: Python<'_>,
        base_url: &str,
        roots: &str,
        ca_pem: Option<Vec<u8>>,
        client_cert_pem: Option<Vec<u8>>,
        client_key_pem: Option<Vec<u8>>,
        proxy: Option<String>,
        no_proxy: Option<&str>,
        policy: Vec<(String, f64)>,
        user_agent: Option<&str>,
        connect_timeout: Option<f64>,
        total_timeout: Option<f64>,
    ) -> PyResult<Self> {
        let (key, proxy) = (client_key_pem.map(Zeroizing::new), proxy.map(Zeroizing::new));
        let mut tls = TlsSettings::new().with_roots(match roots {
            "platform" => Roots::Platform,
            "bundled" => Roots::Bundled,
            "extra" => Roots::ExtraOnly,
            _ => return Err(invalid("roots are 'platform', 'bundled' or 'extra'")),
        });
        if let Some(pem) = ca_pem {
            tls = tls.with_extra_roots_pem(&pem).map_err(|error| of_settings(py, &error))?;
        }
        match (client_cert_pem, key) {
            (Some(chain), Some(key)) => {
                let tls_with = tls.with_identity_pem(&chain, &key);
                tls = tls_with.map_err(|error| of_settings(py, &error))?;
            }
            (None, None) => {}
            _ => return Err(invalid("a client certificate and its key belong together")),
        }
        let mut proxies = match proxy.as_deref().map(String::as_str) {
            None => ProxySettings::from_environment(),
            Some("") => ProxySettings::none(),
            Some(url) => ProxySettings::url(url).map_err(|error| of_settings(py, &error))?,
        };
        if let Some(list) = no_proxy {
            proxies = proxies.with_no_proxy(list);
        }
        let user_agent = match user_agent {
            Some(product) => UserAgent::new().with_product(product).map_err(invalid)?,
            None => UserAgent::new(),
        };
        Ok(Self {
            base_url: BaseUrl::parse(base_url).map_err(invalid)?,
            transport: TransportSettings::new().with_tls(tls).with_proxy(proxies),
            policy: read_policy(policy)?,
            user_agent,
            connect_timeout: connect_timeout.map(seconds).transpose()?,
            total_timeout: total_timeout.map(seconds).transpose()?,
        })
    }

    /// The base URL, as it is used.
    #[getter]
    fn base_url(&self) -> &str {
        self.base_url.as_str()
    }

    /// How long a caller waits for a token, in seconds.
    #[getter]
    fn acquire_timeout(&self) -> f64 {
        self.policy.acquire_timeout().as_secs_f64()
    }
}

/// Reads a number of seconds.
pub(crate) fn seconds(seconds: f64) -> PyResult<Duration> {
    let wrong = |_| PyValueError::new_err("a time is a number of seconds, zero or more");
    Duration::try_from_secs_f64(seconds).map_err(wrong)
}

fn read_policy(values: Vec<(String, f64)>) -> PyResult<Policy> {
    let mut policy = Policy::builder();
    for (name, value) in values {
        policy = match name.as_str() {
            "advisory_window" => policy.with_advisory_window(seconds(value)?),
            "mandatory_window" => policy.with_mandatory_window(seconds(value)?),
            "acquire_timeout" => policy.with_acquire_timeout(seconds(value)?),
            "exchange_timeout" => policy.with_exchange_timeout(seconds(value)?),
            "longest_backoff" => policy.with_longest_backoff(seconds(value)?),
            "attempts" if value >= 1.0 && value.fract() == 0.0 && value <= f64::from(u32::MAX) => {
                policy.with_attempts(value as u32)
            }
            "attempts" => return Err(invalid("attempts are a whole number from 1")),
            _ => return Err(invalid(format!("a policy has no `{name}`"))),
        };
    }
    policy.build().map_err(invalid)
}
