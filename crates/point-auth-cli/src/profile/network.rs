//! How the API is reached: proxy, TLS and time limits.

use std::path::PathBuf;
use std::time::Duration;

use point_auth::transport::{ProxySettings, Roots, SettingsError, TlsSettings, TransportSettings};

use super::time;
use crate::config::{Found, Settings};
use crate::failure::{Failure, Result};
use crate::secret_file::{self, Others};

/// No certificate or key file is longer.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The settings of a transport, as they were written.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    proxy: Option<Found<ProxySettings>>,
    roots: Roots,
    ca_file: Option<Found<PathBuf>>,
    certificate_file: Option<Found<PathBuf>>,
    key_file: Option<Found<PathBuf>>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) total_timeout: Option<Duration>,
}

impl Network {
    pub(super) fn read(settings: &Settings) -> Result<Self> {
        let roots = match settings.text("tls.roots")? {
            None => Roots::Platform,
            Some(found) => match found.value.as_str() {
                "platform" => Roots::Platform,
                "bundled" if cfg!(feature = "bundled-roots") => Roots::Bundled,
                "bundled" => return Err(found.refused("this program was built without them")),
                "ca-file" => Roots::ExtraOnly,
                _ => return Err(found.refused("it is none of platform, bundled and ca-file")),
            },
        };
        let network = Self {
            proxy: proxy(settings)?,
            roots,
            ca_file: settings.path("tls.ca_file")?,
            certificate_file: settings.path("tls.certificate_file")?,
            key_file: settings.path("tls.key_file")?,
            connect_timeout: time(settings, "connect_timeout")?,
            total_timeout: time(settings, "total_timeout")?,
        };
        let (certificate, key) = (&network.certificate_file, &network.key_file);
        match (certificate, key) {
            (Some(alone), None) => Err(alone.refused("it needs tls.key_file")),
            (None, Some(alone)) => Err(alone.refused("it needs tls.certificate_file")),
            _ if network.roots == Roots::ExtraOnly && network.ca_file.is_none() => {
                Err(Failure::usage("tls.roots = \"ca-file\" needs tls.ca_file"))
            }
            _ => Ok(network),
        }
    }

    /// Reads the files, and returns the settings of a transport.
    pub(crate) fn transport_settings(&self) -> Result<TransportSettings> {
        Ok(TransportSettings::new().with_tls(self.tls()?).with_proxy(self.proxy_settings()))
    }

    pub(crate) fn proxy_settings(&self) -> ProxySettings {
        self.proxy
            .as_ref()
            .map_or_else(ProxySettings::from_environment, |found| found.value.clone())
    }

    pub(crate) fn tls(&self) -> Result<TlsSettings> {
        let mut tls = TlsSettings::new().with_roots(self.roots);
        if let Some(found) = &self.ca_file {
            let pem = read(found, Others::MayRead)?;
            tls = tls.with_extra_roots_pem(&pem).map_err(refused(found))?;
        }
        if let (Some(certificate), Some(key)) = (&self.certificate_file, &self.key_file) {
            let chain = read(certificate, Others::MayRead)?;
            let key = read(key, Others::MayNothing)?;
            tls = tls.with_identity_pem(&chain, &key).map_err(refused(certificate))?;
        }
        Ok(tls)
    }
}

fn proxy(settings: &Settings) -> Result<Option<Found<ProxySettings>>> {
    let Some(found) = settings.text("proxy")? else { return Ok(None) };
    let is_variable = found.origin.starts_with("POINT_AUTH_");
    if !is_variable && has_password(&found.value) {
        return Err(found.refused("a password may not stand here: set POINT_AUTH_PROXY"));
    }
    let value = match found.value.as_str() {
        "none" => ProxySettings::none(),
        url => ProxySettings::url(url).map_err(|error| found.refused(error))?,
    };
    Ok(Some(Found { value, origin: found.origin }))
}

/// Whether there is a password before the host of a URL.
pub(super) fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty())
}

fn read(found: &Found<PathBuf>, others: Others) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    let bytes = secret_file::read(&found.value, &found.origin, others, MOST_BYTES)?;
    bytes.ok_or_else(|| found.refused(format!("{} is missing", found.value.display())))
}

fn refused(found: &Found<PathBuf>) -> impl Fn(SettingsError) -> Failure + '_ {
    |error| found.refused(error)
}
