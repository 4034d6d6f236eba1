//! Raw hyper: the adapter, and then core alone with the request and the response in your own code.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use point_auth::transport::{AsyncTransport, SendLimits};
use point_auth::{Client, HyperTransport, Operation, SignIn};
use point_auth_examples::Place;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let place = Place::from_environment()?;
    let transport = HyperTransport::with_settings(&place.settings)?;

    // ANCHOR: sign_in
    let client = Client::new(transport.clone()).with_base_url(place.base_url.clone());
    let tokens = client.sign_in(&place.credentials).await?;
    println!("signed in for {} s", tokens.expires_in().as_secs());
    // ANCHOR_END: sign_in

    // ANCHOR: by_hand
    // The steps of the client. Any HTTP stack can do the middle one.
    let sign_in = SignIn::new(&place.credentials);
    let request = sign_in.to_request(&place.base_url)?;
    println!("{} {}, with {:?}", request.method(), request.uri(), request.body());
    let response = transport.send(request, &SendLimits::new()).await?;
    println!("{} over {:?}", response.status(), response.version());
    let tokens = sign_in.parse_response(&response)?;
    println!("signed in for {} s", tokens.expires_in().as_secs());
    // ANCHOR_END: by_hand
    Ok(())
}
