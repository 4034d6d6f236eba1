//! The token on a program's own requests, by a middleware: of reqwest-middleware, and of ureq.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use point_auth::{BaseUrl, Credentials};
use point_auth_testkit::Emulator;

const LOGIN: (&str, &str) = ("user@example.com", "correct horse");

fn main() -> Result<(), Box<dyn Error>> {
    // An API with a route that wants a token.
    let (username, password) = LOGIN;
    let emulator =
        Emulator::builder().user(username, password).protected_route("/policies").start()?;
    let base_url = BaseUrl::parse(&emulator.base_url())?;
    let credentials = Credentials::new(username, password)?;

    tokio::runtime::Runtime::new()?.block_on(over_reqwest(&base_url, &credentials))?;
    over_ureq(&base_url, &credentials)
}

async fn over_reqwest(base_url: &BaseUrl, credentials: &Credentials) -> Result<(), Box<dyn Error>> {
    let policies = format!("{base_url}/policies");
    let (base_url, credentials) = (base_url.clone(), credentials.clone());
    // ANCHOR: reqwest
    use point_auth::{Client, ReqwestTransport, Session};
    use point_auth_reqwest_middleware::Authorize;
    use reqwest::redirect;
    use reqwest_middleware::ClientBuilder;

    let client = Client::new(ReqwestTransport::new()?).with_base_url(base_url);
    let session = Session::new(client, credentials);

    let authorize = Authorize::new(session);
    let client = reqwest::Client::builder()
        // Without the guard, a redirect can take the token to another server.
        .redirect(authorize.guard_redirects(redirect::Policy::default()))
        .build()?;
    let client = ClientBuilder::new(client).with(authorize).build();

    let response = client.get(policies).send().await?;
    // ANCHOR_END: reqwest
    println!("over reqwest: {} {}", response.status(), response.text().await?);
    Ok(())
}

fn over_ureq(base_url: &BaseUrl, credentials: &Credentials) -> Result<(), Box<dyn Error>> {
    let policies = format!("{base_url}/policies");
    let (base_url, credentials) = (base_url.clone(), credentials.clone());
    // ANCHOR: ureq
    use point_auth::blocking::{Client, Sessions};
    use point_auth::{UreqAuthorize, UreqTransport, UserAlias};
    use point_auth_ureq::ureq::Agent;

    let client = Client::new(UreqTransport::new()?).with_base_url(base_url);
    let sessions = Sessions::new(client, credentials);

    let config = Agent::config_builder().middleware(UreqAuthorize::new(sessions)).build();
    let agent = Agent::new_with_config(config);

    // One agent for all aliases: each request says whose token it gets.
    let mut response = agent.get(policies).extension(UserAlias::new("jane")).call()?;
    // ANCHOR_END: ureq
    println!("over ureq: {} {}", response.status(), response.body_mut().read_to_string()?);
    Ok(())
}
