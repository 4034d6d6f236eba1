//! Twenty threads and one session with an outdated password, which is sent once. Then an operator
//! sets the new one.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::thread;
use std::time::Duration;

use point_auth::blocking::{Client, Session};
use point_auth::{Credentials, ErrorKind, UreqTransport};
use point_auth_examples::{Place, WhoAmI};
use point_auth_testkit::Operation;

// ANCHOR: session
fn start(place: &Place) -> Result<Session, Box<dyn Error>> {
    let transport = UreqTransport::with_settings(&place.settings)?;
    let client = Client::new(transport).with_base_url(place.base_url.clone());
    let session = Session::new(client, place.credentials.clone());

    // A thread that keeps the token fresh. It ends when all other clones of the session are
    // dropped.
    let keeper = session.clone();
    thread::Builder::new().name("token".to_owned()).spawn(|| keeper.keep_fresh())?;
    Ok(session)
}
// ANCHOR_END: session

// ANCHOR: work
fn work(session: &Session) -> String {
    // For a caller that cannot wait for the policy's 15 seconds. While there is a good token, no
    // caller waits at all.
    if let Err(error) = session.access_token_within(Duration::from_secs(5)) {
        return explain(&error);
    }
    session.execute(&WhoAmI::default()).unwrap_or_else(|error| explain(&error))
}

fn explain(error: &point_auth::Error) -> String {
    match error.kind() {
        // Nothing is sent until the credentials change.
        ErrorKind::Denied => format!("an operator must act: {error}"),
        // The text has the time of the session's next attempt.
        _ => error.to_string(),
    }
}
// ANCHOR_END: work

fn main() -> Result<(), Box<dyn Error>> {
    let place = Place::emulator()?;
    let Some(emulator) = &place.emulator else { return Ok(()) };
    // The password was changed at the server, and this program has the old one.
    emulator.change_password("user@example.com", "battery staple");
    let session = start(&place)?;

    let all = |when: &str| {
        let mut answers: Vec<String> = thread::scope(|scope| {
            let threads: Vec<_> = (0..20).map(|_| scope.spawn(|| work(&session))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        let count = answers.len();
        answers.dedup();
        println!("{when}, {count} threads: {}", answers.join(", "));
        println!("  sign-ins so far: {}", emulator.count(Operation::SignIn));
    };

    all("With the old password");
    all("Once more");

    // ANCHOR: new_credentials
    let new = Credentials::new("user@example.com", "battery staple")?.with_user_alias("jane")?;
    session.set_credentials(new);
    // ANCHOR_END: new_credentials
    all("With the new one");
    println!("{:?}", session.snapshot().counts);
    Ok(())
}
