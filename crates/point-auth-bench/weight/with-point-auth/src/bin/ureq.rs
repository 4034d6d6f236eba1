//! Signs in over ureq, with point-auth.

use std::env;
use std::error::Error;

use point_auth::blocking::Client;
use point_auth::{Credentials, UreqTransport};

fn main() -> Result<(), Box<dyn Error>> {
    let (username, password) = (env::var("SIGN_IN_USERNAME")?, env::var("SIGN_IN_PASSWORD")?);
    let client = Client::new(UreqTransport::new()?);
    let tokens = client.sign_in(&Credentials::new(username, password)?)?;
    let (length, life) = (tokens.access_token().expose().len(), tokens.expires_in().as_secs());
    println!("a token of {length} bytes for {life} s");
    Ok(())
}
