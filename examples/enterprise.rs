//! Through a corporate network: a proxy with credentials, a private certificate authority and a
//! client certificate.
//!
//! The transport is `src/enterprise.rs`, over libcurl. Proxy, authority and server run on this
//! machine.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use point_auth::blocking::Client;
use point_auth::transport::ProxySettings;
use point_auth::{BaseUrl, Credentials};
use point_auth_examples::enterprise::{Enterprise, Settings};
use point_auth_testkit::{ConnectProxy, Emulator};

fn main() -> Result<(), Box<dyn Error>> {
    // A server that only the proxy can resolve, and that requires a client certificate.
    let server = Emulator::builder()
        .user("user@example.com", "correct horse")
        .with_tls()
        .host_name("api.example.test")
        .require_client_certificate()
        .start()?;
    let proxy = ConnectProxy::builder()
        .map("api.example.test:443", server.addr())
        .credentials("employee", "proxy password")
        .start()?;
    let certificate = server.authority().issue_client("branch office 7")?;

    // ANCHOR: sign_in
    let settings = Settings::new()
        .with_proxy(ProxySettings::url(&proxy.url_with_userinfo("employee:proxy%20password"))?)
        .with_private_ca_pem(server.ca_pem().as_bytes())
        .with_identity_pem(
            certificate.certificate_pem().as_bytes(),
            certificate.private_key_pem().as_bytes(),
        );
    let client = Client::new(Enterprise::with_settings(&settings)?)
        .with_base_url(BaseUrl::parse("https://api.example.test")?);
    let tokens = client.sign_in(&Credentials::new("user@example.com", "correct horse")?)?;
    // ANCHOR_END: sign_in

    println!("signed in for {} s", tokens.expires_in().as_secs());
    for request in server.requests() {
        let certificate =
            request.client_certificate().map_or("no certificate", |_| "our certificate");
        println!(
            "the server saw one {} over {:?}, with {certificate}",
            request.method(),
            request.version()
        );
    }
    for connect in proxy.connects() {
        println!(
            "the proxy saw {} and the credentials are {:?}",
            connect.authority(),
            connect.credentials()
        );
    }
    Ok(())
}
