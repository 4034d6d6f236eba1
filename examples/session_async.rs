//! A service: fifty tasks call the API with one session's token. A background task keeps it fresh,
//! and a file keeps it across restarts.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs, io, process};

use point_auth::session::{Outcome, StoredTokens};
use point_auth::{AccessToken, Client, Observer, ReqwestTransport, SecretBody, Session};
use point_auth_examples::{Place, WhoAmI};
use point_auth_testkit::Operation;
use tokio::task::JoinSet;

// ANCHOR: store
/// Keeps the tokens in a file. They are as secret as a password, so no other user may read its
/// directory.
#[derive(Clone)]
struct TokenFile(PathBuf);

impl TokenFile {
    /// Returns the stored tokens, if they can be read. Otherwise the session signs in.
    fn load(&self) -> Option<StoredTokens> {
        // Wiped on drop.
        let json = SecretBody::new(fs::read(&self.0).ok()?);
        StoredTokens::from_json(json.as_ref()).ok()
    }

    fn save(&self, tokens: Option<&StoredTokens>) -> io::Result<()> {
        let Some(tokens) = tokens else { return fs::remove_file(&self.0) };
        // Written to another file first, so that a reader always finds a complete one, even after a
        // crash.
        let new = self.0.with_extension("new");
        fs::write(&new, tokens.expose_json())?;
        fs::rename(&new, &self.0)
    }
}

impl Observer for TokenFile {
    fn exchange_ended(&self, _user_alias: Option<&str>, outcome: &Outcome) {
        match outcome {
            Outcome::Renewed { kind, .. } => println!("  {kind:?}: a new token"),
            Outcome::Denied { denial, .. } => println!("  an operator must look: {denial}"),
            Outcome::Failed { error, .. } => println!("  no token, backing off: {error}"),
            _ => {}
        }
    }

    fn tokens_changed(&self, _user_alias: Option<&str>, tokens: Option<&StoredTokens>) {
        if let Err(error) = self.save(tokens) {
            eprintln!("the tokens are not stored: {error}");
        }
    }
}
// ANCHOR_END: store

// ANCHOR: session
fn start(client: Client<ReqwestTransport>, place: &Place, file: &TokenFile) -> Session {
    let session = Session::builder(client)
        .with_credentials(place.credentials.clone())
        .with_observer(file.clone())
        .build();
    if let Some(tokens) = file.load()
        && let Err(error) = session.restore(tokens)
    {
        eprintln!("{error}, so that it signs in");
    }
    // Ends with the last clone of the session.
    tokio::spawn(session.keep_fresh());
    session
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
    let file =
        TokenFile(env::temp_dir().join(format!("point-auth-example-{}.json", process::id())));

    println!("The service starts.");
    let session = start(client.clone(), &place, &file);
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
    let session = start(client, &place, &file);
    println!("  {} was answered from what was stored", ask(&session).await?);
    if let Some(emulator) = &place.emulator {
        println!("In all there was {} sign-in.", emulator.count(Operation::SignIn));
    }
    fs::remove_file(&file.0)?;
    Ok(())
}
