//! A program with rustls beside every adapter: signs in over each, and then uses the process's
//! default provider.

use std::error::Error;

use point_auth::transport::{ProxySettings, Roots, TlsSettings, TransportSettings};
use point_auth::{
    BaseUrl, Client, Credentials, HyperTransport, ReqwestTransport, UreqTransport, blocking,
};
use point_auth_testkit::Emulator;
use rustls::{ClientConfig, RootCertStore};

fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder().user("jane.doe", "correct horse").with_tls().start()?;
    let tls = TlsSettings::new()
        .with_roots(Roots::ExtraOnly)
        .with_extra_roots_pem(emulator.ca_pem().as_bytes())?;
    let settings = TransportSettings::new().with_tls(tls).with_proxy(ProxySettings::none());
    let base = BaseUrl::parse(&emulator.base_url())?;
    let credentials = Credentials::new("jane.doe", "correct horse")?;

    let client = blocking::Client::new(UreqTransport::with_settings(&settings)?);
    client.with_base_url(base.clone()).sign_in(&credentials)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::new(HyperTransport::with_settings(&settings)?);
        client.with_base_url(base.clone()).sign_in(&credentials).await?;
        let client = Client::new(ReqwestTransport::with_settings(&settings)?);
        client.with_base_url(base).sign_in(&credentials).await?;
        Ok::<(), Box<dyn Error>>(())
    })?;

    // Panics where two crypto providers are compiled in, or none.
    let config = ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    println!("{:?}", config.crypto_provider().key_provider);
    Ok(())
}
