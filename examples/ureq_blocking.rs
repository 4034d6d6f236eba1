//! Blocking, over ureq: sign in, refresh, and print an error.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use point_auth::blocking::Client;
use point_auth::{Credentials, UreqTransport};
use point_auth_examples::Place;

fn main() -> Result<(), Box<dyn Error>> {
    let place = Place::from_environment()?;

    // ANCHOR: sign_in
    // `UreqTransport::new()` trusts the platform's roots; the emulator's certificate needs custom
    // settings.
    let transport = UreqTransport::with_settings(&place.settings)?;
    let client = Client::new(transport).with_base_url(place.base_url.clone());
    let tokens = client.sign_in(&place.credentials)?;

    // About a minute before its end the access token is refreshed, without the password.
    let tokens = match tokens.refresh_token() {
        Some(refresh_token) => client.refresh(refresh_token)?,
        None => tokens,
    };
    // ANCHOR_END: sign_in
    println!("signed in for {} s", tokens.expires_in().as_secs());

    if place.emulator.is_some() {
        let wrong = Credentials::new(place.credentials.username(), "incorrect horse")?;
        if let Err(error) = client.sign_in(&wrong) {
            println!("{error}");
            println!("kind {:?}, worth another try: {}", error.kind(), error.is_retryable());
        }
    }
    Ok(())
}
