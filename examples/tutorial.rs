//! The program of the book's tutorial: a first token, over reqwest, from an emulator of the API.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

// ANCHOR: tutorial
use std::error::Error;
use std::process::ExitCode;

use point_auth::{BaseUrl, Client, Credentials, ReqwestTransport, Session};
use point_auth_testkit::{Emulator, Operation};

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = run().await else { return ExitCode::SUCCESS };
    eprintln!("{error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}

async fn run() -> Result<(), Box<dyn Error>> {
    // An emulator of the API on this machine, which knows one user.
    let emulator = Emulator::builder().user("user@example.com", "correct horse").start()?;

    // The client sends requests over reqwest, here to the emulator.
    let base_url = BaseUrl::parse(&emulator.base_url())?;
    let client = Client::new(ReqwestTransport::new()?).with_base_url(base_url);

    // The session signs in when it is first asked for a token.
    let credentials = Credentials::new("user@example.com", "correct horse")?;
    let session = Session::new(client, credentials);
    let token = session.access_token().await?;
    println!("{token:?}");

    // A request of this program, with the token in its header. The emulator is on this machine, so
    // no proxy is asked for.
    let http = reqwest::Client::builder().no_proxy().build()?;
    let response = http
        .post(format!("{}/point-auth-emulator/whoami", emulator.base_url()))
        .header("content-type", "application/json")
        .header("authorization", token.header_value())
        .body("{}")
        .send()
        .await?;
    println!("{} {}", response.status(), response.text().await?);

    // The token is still good: asking again sends nothing.
    for _ in 0..1000 {
        session.access_token().await?;
    }
    println!("sign-ins: {}", emulator.count(Operation::SignIn));
    Ok(())
}
// ANCHOR_END: tutorial
