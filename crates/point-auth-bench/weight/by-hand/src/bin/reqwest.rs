//! Signs in over reqwest, by hand.

use std::env;
use std::error::Error;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;
use serde::{Deserialize, Serialize};

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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(sign_in())
}

async fn sign_in() -> Result<(), Box<dyn Error>> {
    let (username, password) = (env::var("SIGN_IN_USERNAME")?, env::var("SIGN_IN_PASSWORD")?);
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .connect_timeout(Duration::from_secs(10))
        .tls_backend_preconfigured(ClientConfig::with_platform_verifier()?)
        .build()?;
    let url =
        "https://api.pointservices.com/user-management-services-ws/oauth2/002/signInWithPassword";
    let sign_in = SignIn { username: &username, password: &password };
    let response = client.post(url).json(&sign_in).send().await?.error_for_status()?;
    let tokens: Tokens = response.json().await?;
    println!("a token of {} bytes for {} s", tokens.access_token.len(), tokens.expires_in);
    Ok(())
}
