//! Tower: an existing stack of a program sends the sign-ins, and a layer sets the token on the
//! program's own requests.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use point_auth::http::Request;
use point_auth::tower::{AuthorizeLayer, TowerTransport};
use point_auth::{Client, Session};
use point_auth_examples::{Place, tower_stack};
use tower::{Layer, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let place = Place::emulator().map_err(|error| error.to_string())?;
    let tls = place.settings.tls();

    // ANCHOR: use
    // Any service that takes a request and returns a response is a transport.
    let transport = TowerTransport::new(tower_stack::stack(tls)?);
    let client = Client::new(transport).with_base_url(place.base_url.clone());
    let session = Session::new(client, place.credentials.clone());

    // A layer authorizes the requests of the program, and retries once if the API answers 401.
    let api = AuthorizeLayer::new(session.clone()).layer(tower_stack::stack::<Full<Bytes>>(tls)?);
    // ANCHOR_END: use

    let url = format!("{}/point-auth-emulator/whoami", place.base_url);
    for round in ["with a new token", "with the same"] {
        let request = Request::post(&url)
            .header("content-type", "application/json")
            .body(Full::from(Bytes::from_static(b"{}")))?;
        let response = api.clone().oneshot(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        println!("{round}: {status} {}", String::from_utf8_lossy(&body).trim());
    }
    println!("{:?}", session.snapshot().counts);
    Ok(())
}
