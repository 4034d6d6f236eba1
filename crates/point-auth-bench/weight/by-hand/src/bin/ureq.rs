//! Signs in over ureq, by hand.

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ureq::tls::{RootCerts, TlsConfig};

#[derive(Serialize)]
struct SignIn<'a> {
    username: &'a str,
    password: &'a str,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    expires_in: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let (username, password) = (env::var("SIGN_IN_USERNAME")?, env::var("SIGN_IN_PASSWORD")?);
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(30)))
        .timeout_connect(Some(Duration::from_secs(10)))
        .tls_config(tls)
        .build()
        .new_agent();
    let url =
        "https://api.pointservices.com/user-management-services-ws/oauth2/002/signInWithPassword";
    let sign_in = SignIn { username: &username, password: &password };
    let tokens: Tokens = agent.post(url).send_json(&sign_in)?.into_body().read_json()?;
    println!("a token of {} bytes for {} s", tokens.access_token.len(), tokens.expires_in);
    Ok(())
}
