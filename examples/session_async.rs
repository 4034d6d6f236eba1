//! A service: fifty tasks call the API with one session's token. A background task keeps it fresh,
//! and a folder keeps it across restarts (on Unix).
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::path::Path;
use std::{env, fs, process};

use point_auth::session::Outcome;
use point_auth::{AccessToken, Client, FileStore, Observer, ReqwestTransport, Session};
use point_auth_examples::{Place, WhoAmI};
use point_auth_testkit::Operation;
use tokio::task::JoinSet;

// ANCHOR: observer
/// Says what came of each exchange.
struct Log;

impl Observer for Log {
    fn exchange_ended(&self, _user_alias: Option<&str>, outcome: &Outcome) {
        match outcome {
            Outcome::Renewed { kind, .. } => println!("  {kind:?}: a new token"),
            Outcome::Adopted { .. } => println!("  found in the store: a token"),
            Outcome::Denied { denial, .. } => println!("  an operator must look: {denial}"),
            Outcome::Failed { error, .. } => println!("  no token, backing off: {error}"),
            _ => {}
        }
    }
}
// ANCHOR_END: observer

// ANCHOR: session
fn start(
    client: Client<ReqwestTransport>,
    place: &Place,
    folder: &Path,
) -> Result<Session, Box<dyn Error>> {
    let session = Session::builder(client)
        .with_credentials(place.credentials.clone())
        .with_store(FileStore::open(folder)?)
        .with_observer(Log)
        .build();
    // Ends with the last clone of the session.
    tokio::spawn(session.keep_fresh());
    Ok(session)
}
// ANCHOR_END: session

// ANCHOR: work
/// Runs an operation of your own, such as `WhoAmI`, over the session's client. After a 401 it is
/// run once more with another token.
async fn ask(session: &Session) -> Result<String, point_auth::Error> {
    session.execute(&WhoAmI::default()).await
}

/// Authorizes a request for a client of your own. If the API answers 401, pass this token to
/// `session.invalidate`.
async fn authorized(session: &Session, place: &Place) -> Result<AccessToken, Box<dyn Error>> {
    let mut request =
        http::Request::post(format!("{}/policies", place.base_url)).body(r#"{"number": 1}"#)?;
    Ok(session.authorize(&mut request).await?)
}
// ANCHOR_END: work

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let place = Place::emulator()?;
    let client = Client::new(ReqwestTransport::with_settings(&place.settings)?)
        .with_base_url(place.base_url.clone());
    let folder = env::temp_dir().join(format!("point-auth-example-{}", process::id()));

    println!("The service starts.");
    let session = start(client.clone(), &place, &folder)?;
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let session = session.clone();
        tasks.spawn(async move { ask(&session).await });
    }
    let answers: Vec<String> = tasks.join_all().await.into_iter().collect::<Result<_, _>>()?;
    println!(
        "  {} tasks were answered as {}",
        answers.len(),
        answers.first().map_or("", |name| name)
    );
    authorized(&session, &place).await?;
    println!("  {:?}", session.snapshot().counts);

    println!("It starts again.");
    drop(session);
    let session = start(client, &place, &folder)?;
    println!("  {} was answered from what was stored", ask(&session).await?);
    if let Some(emulator) = &place.emulator {
        println!("In all there was {} sign-in.", emulator.count(Operation::SignIn));
    }
    fs::remove_dir_all(&folder)?;
    Ok(())
}
