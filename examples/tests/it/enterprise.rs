//! libcurl, over plain HTTP, TLS and HTTP/2, with proxies and client certificates.

mod conformance;
mod corporate;

use point_auth::transport::{ProxySettings, SettingsError};
use point_auth_examples::enterprise::{Enterprise, Settings};
use point_auth_testkit::conformance::{ProxyChoice, Setup};

fn enterprise(setup: &Setup) -> Result<Enterprise, SettingsError> {
    let proxy = match setup.proxy() {
        ProxyChoice::Url(url) => ProxySettings::url(url)?,
        ProxyChoice::Environment => ProxySettings::from_environment(),
        _ => ProxySettings::none(),
    };
    let proxy = match setup.no_proxy() {
        Some(list) => proxy.with_no_proxy(list),
        None => proxy,
    };
    let mut settings = Settings::new().with_proxy(proxy);
    if let Some(pem) = setup.root_certificate_pem() {
        settings = settings.with_private_ca_pem(pem.as_bytes());
    }
    if let Some((certificate, key)) = setup.identity_pem() {
        settings = settings.with_identity_pem(certificate.as_bytes(), key.as_bytes());
    }
    Enterprise::with_settings(&settings)
}
