//! Signs in over hyper's pooling client, by hand.

use std::env;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
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
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(30), sign_in()).await? })
}

async fn sign_in() -> Result<(), Box<dyn Error>> {
    let (username, password) = (env::var("SIGN_IN_USERNAME")?, env::var("SIGN_IN_PASSWORD")?);
    drop(rustls::crypto::ring::default_provider().install_default());
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(ClientConfig::with_platform_verifier()?)
        .https_only()
        .enable_http1()
        .enable_http2()
        .build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(connector);
    let body = serde_json::to_vec(&SignIn { username: &username, password: &password })?;
    let url =
        "https://api.pointservices.com/user-management-services-ws/oauth2/002/signInWithPassword";
    let request = Request::post(url)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let response = client.request(request).await?;
    if response.status() != StatusCode::OK {
        return Err(response.status().to_string().into());
    }
    let tokens: Tokens = serde_json::from_slice(&response.into_body().collect().await?.to_bytes())?;
    println!("a token of {} bytes for {} s", tokens.access_token.len(), tokens.expires_in);
    Ok(())
}
