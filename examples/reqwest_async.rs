//! Async, over reqwest: sign in, and set the token on a request of your own.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use point_auth::{Client, ErrorKind, ReqwestTransport};
use point_auth_examples::Place;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let place = Place::from_environment()?;

    // ANCHOR: sign_in
    // `ReqwestTransport::new()` trusts the platform's roots; the emulator's certificate needs
    // custom settings.
    let transport = ReqwestTransport::with_settings(&place.settings)?;
    let client = Client::new(transport).with_base_url(place.base_url.clone());
    let tokens = match client.sign_in(&place.credentials).await {
        Ok(tokens) => tokens,
        // Never retry in a loop: a denial repeats, and the account may be locked.
        Err(error) if error.kind() == ErrorKind::Denied => return Err(error.into()),
        Err(error) if error.is_retryable() => {
            return Err(format!("try again later: {error}").into());
        }
        Err(error) => return Err(error.into()),
    };

    let mut request =
        http::Request::post(format!("{}/policies", place.base_url)).body(r#"{"number": 1}"#)?;
    tokens.access_token().authorize(request.headers_mut());
    // ANCHOR_END: sign_in

    // The header is marked sensitive, so that this does not print the token.
    println!("signed in for {} s", tokens.expires_in().as_secs());
    println!("{request:?}");
    Ok(())
}
