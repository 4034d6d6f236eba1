//! A program whose adapters have no crypto provider: no transport is built, unless the program
//! brings a configuration.

use std::error::Error;
use std::sync::Arc;

use point_auth::transport::{ProxySettings, Roots, SettingsError, TlsSettings, TransportSettings};
use point_auth::{BaseUrl, Credentials, HyperTransport, ReqwestTransport, UreqTransport, blocking};
use point_auth_testkit::Emulator;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder().user("jane.doe", "correct horse").with_tls().start()?;
    let ours = TlsSettings::new()
        .with_roots(Roots::ExtraOnly)
        .with_extra_roots_pem(emulator.ca_pem().as_bytes())?;
    let settings = TransportSettings::new().with_tls(ours).with_proxy(ProxySettings::none());
    for refused in [
        HyperTransport::with_settings(&settings).err(),
        ReqwestTransport::with_settings(&settings).err(),
        UreqTransport::with_settings(&settings).err(),
    ] {
        if !matches!(refused, Some(SettingsError::NoCryptoProvider)) {
            return Err(format!("not refused for want of a provider: {refused:?}").into());
        }
    }

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(emulator.ca_der().to_vec()))?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let own = TlsSettings::new().with_rustls_config(Arc::new(config));
    let settings = settings.with_tls(own);
    HyperTransport::with_settings(&settings)?;
    ReqwestTransport::with_settings(&settings)?;
    let client = blocking::Client::new(UreqTransport::with_settings(&settings)?);
    let credentials = Credentials::new("jane.doe", "correct horse")?;
    client.with_base_url(BaseUrl::parse(&emulator.base_url())?).sign_in(&credentials)?;
    println!("{:?}", default_provider().key_provider);
    Ok(())
}
