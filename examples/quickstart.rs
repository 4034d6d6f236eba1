//! Signs in over three HTTP stacks, uses the token, refreshes it, and shows what a denial looks like.
//!
//! Without further ado it starts an emulator of the API on this machine, with TLS. With `POINT_AUTH_BASE_URL`,
//! `POINT_AUTH_USERNAME`, `POINT_AUTH_PASSWORD` and perhaps `POINT_AUTH_USERALIAS` it signs in to that server.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::error::Error;
use std::process::ExitCode;

use point_auth::transport::{AsyncTransport, BlockingTransport};
use point_auth::{Client, Credentials, HyperTransport, ReqwestTransport, TokenSet, UreqTransport, blocking};
use point_auth_examples::{Place, WhoAmI};

/// One line of the table.
struct Row {
    transport: &'static str,
    tokens: TokenSet,
    user: Option<String>,
    refreshed: bool,
    denied: Option<String>,
}

fn main() -> ExitCode {
    let Err(error) = run() else { return ExitCode::SUCCESS };
    // An error and its causes, for people. A denial stops it at the first transport: the others would be denied too.
    eprintln!("{error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}

fn run() -> Result<(), Box<dyn Error>> {
    let place = Place::from_environment()?;
    match &place.emulator {
        Some(_) => println!("Signing in to an emulator of the API at {}, over real TLS.\n", place.base_url),
        None => println!("Signing in to {}, as the environment says.\n", place.base_url),
    }

    let runtime = tokio::runtime::Runtime::new()?;
    let rows = [
        runtime.block_on(signed_in("reqwest", ReqwestTransport::with_settings(&place.settings)?, &place))?,
        runtime.block_on(signed_in("hyper", HyperTransport::with_settings(&place.settings)?, &place))?,
        signed_in_blocking("ureq", UreqTransport::with_settings(&place.settings)?, &place)?,
    ];
    print(&rows);
    if place.emulator.is_none() {
        println!(
            "\nA wrong password and a use of the token are shown with the emulator only: the former counts"
        );
        println!("against a real account, and the latter is a different request on every real system.");
    }
    Ok(())
}

async fn signed_in(
    transport: &'static str,
    client: impl AsyncTransport,
    place: &Place,
) -> Result<Row, Box<dyn Error>> {
    let client = Client::new(client).with_base_url(place.base_url.clone());
    let tokens = client.sign_in(&place.credentials).await?;
    let tokens_again = match tokens.refresh_token() {
        Some(refresh_token) => Some(client.refresh(refresh_token).await?),
        None => None,
    };
    let (mut user, mut denied) = (None, None);
    if place.emulator.is_some() {
        let newest = tokens_again.as_ref().unwrap_or(&tokens);
        user = Some(client.execute(&WhoAmI::new(newest.access_token())).await?);
        denied = client.sign_in(&wrong(&place.credentials)?).await.err().map(|error| error.to_string());
    }
    Ok(Row { transport, tokens, user, refreshed: tokens_again.is_some(), denied })
}

fn signed_in_blocking(
    transport: &'static str,
    client: impl BlockingTransport,
    place: &Place,
) -> Result<Row, Box<dyn Error>> {
    let client = blocking::Client::new(client).with_base_url(place.base_url.clone());
    let tokens = client.sign_in(&place.credentials)?;
    let tokens_again =
        tokens.refresh_token().map(|refresh_token| client.refresh(refresh_token)).transpose()?;
    let (mut user, mut denied) = (None, None);
    if place.emulator.is_some() {
        let newest = tokens_again.as_ref().unwrap_or(&tokens);
        user = Some(client.execute(&WhoAmI::new(newest.access_token()))?);
        denied = client.sign_in(&wrong(&place.credentials)?).err().map(|error| error.to_string());
    }
    Ok(Row { transport, tokens, user, refreshed: tokens_again.is_some(), denied })
}

/// The same person with a slip of the finger.
fn wrong(credentials: &Credentials) -> Result<Credentials, Box<dyn Error>> {
    Ok(Credentials::new(credentials.username(), "incorrect horse")?)
}

fn print(rows: &[Row]) {
    println!(
        "{:<10} {:<12} {:<10} {:<20} {:<10}",
        "transport", "signed in", "scope", "token used as", "refreshed"
    );
    for row in rows {
        let life = format!("for {} s", row.tokens.expires_in().as_secs());
        let scope = row.tokens.scope().map_or("-", |scope| scope.as_str());
        let user = row.user.as_deref().unwrap_or("-");
        let refreshed = if row.refreshed { "yes" } else { "no" };
        println!("{:<10} {life:<12} {scope:<10} {user:<20} {refreshed:<10}", row.transport);
    }
    let denials: Vec<&str> = rows.iter().filter_map(|row| row.denied.as_deref()).collect();
    if let Some(denial) = denials.first() {
        println!("\nWith a wrong password, over each of them alike:\n  {denial}");
        assert!(denials.iter().all(|other| other == denial), "the transports differ");
    }
}
