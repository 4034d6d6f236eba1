//! Signs in over hyper's pooling client, with point-auth.

use std::env;
use std::error::Error;

use point_auth::{Client, Credentials, HyperTransport};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(sign_in())
}

async fn sign_in() -> Result<(), Box<dyn Error>> {
    let (username, password) = (env::var("SIGN_IN_USERNAME")?, env::var("SIGN_IN_PASSWORD")?);
    let client = Client::new(HyperTransport::new()?);
    let tokens = client.sign_in(&Credentials::new(username, password)?).await?;
    let (length, life) = (tokens.access_token().expose().len(), tokens.expires_in().as_secs());
    println!("a token of {length} bytes for {life} s");
    Ok(())
}
