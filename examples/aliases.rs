//! One login that five hundred people share: a session for each alias, and one wrong password that
//! is sent once.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use point_auth::{Client, Credentials, HyperTransport, Sessions};
use point_auth_examples::{Place, WhoAmI};
use point_auth_testkit::Operation;
use tokio::task::JoinSet;

// ANCHOR: aliases
/// The request of one person. The session is created on the first use of its alias, and dropped
/// when it is idle.
async fn work(sessions: Sessions, user_alias: String) -> Result<String, point_auth::Error> {
    let session = sessions.session(&user_alias)?;
    session.execute(&WhoAmI::default()).await
}
// ANCHOR_END: aliases

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let place = Place::emulator()?;
    let Some(emulator) = &place.emulator else { return Ok(()) };
    let client = Client::new(HyperTransport::with_settings(&place.settings)?)
        .with_base_url(place.base_url.clone());

    // ANCHOR: sessions
    let sessions = Sessions::builder(client)
        .with_credentials(Credentials::new("user@example.com", "incorrect horse")?)
        // At most this many sign in at once, in order of arrival.
        .with_max_concurrent_sign_ins(4)
        .build();
    // ANCHOR_END: sessions

    let all = async || {
        let before = emulator.count(Operation::SignIn);
        let mut tasks = JoinSet::new();
        for person in 0..500 {
            tasks.spawn(work(sessions.clone(), format!("person-{person}@example.com")));
        }
        let answers = tasks.join_all().await;
        let served = answers.iter().filter(|answer| answer.is_ok()).count();
        let sent = emulator.count(Operation::SignIn) - before;
        println!("{served} of {} were served, by {sent} sign-ins", answers.len());
        answers.into_iter().find_map(Result::err)
    };

    println!("With a wrong password:");
    if let Some(error) = all().await {
        println!("  the first of the errors: {error}");
    }

    println!("With the right one:");
    sessions.set_credentials(Credentials::new("user@example.com", "correct horse")?);
    all().await;
    println!("And again:");
    all().await;
    println!("{} sessions", sessions.len());
    Ok(())
}
