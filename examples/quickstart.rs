//! A session over each of three HTTP stacks: signs in, renews two expired tokens, and shows a
//! denial.
//!
//! By default it starts an emulator of the API on this machine, with TLS. With
//! `POINT_AUTH_BASE_URL`, `POINT_AUTH_USERNAME`, `POINT_AUTH_PASSWORD` and the optional
//! `POINT_AUTH_USERALIAS` it signs in to that server, and refreshes once.
//!
//! Hours pass at once, because the sessions use virtual time. The requests and responses are real.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use point_auth::session::{Policy, Snapshot};
use point_auth::transport::{AsyncTransport, BlockingTransport};
use point_auth::{
    Client, Credentials, ErrorKind, HyperTransport, ReqwestTransport, Runtime, Session,
    ThreadRuntime, TokioRuntime, UreqTransport, blocking,
};
use point_auth_examples::{Place, WhoAmI};
use point_auth_testkit::{Clock, Operation, VirtualTime};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The number of concurrent callers.
const MANY: usize = 1000;

/// One line of the table.
struct Row {
    transport: &'static str,
    /// The state after each call.
    snapshots: Vec<Snapshot>,
    user: Option<String>,
}

fn main() -> ExitCode {
    let Err(error) = run() else { return ExitCode::SUCCESS };
    // Prints an error and its causes. A denial stops the program at the first transport: the others
    // would be denied too.
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
        Some(_) => {
            println!(
                "Signing in to an emulator of the API at {}, over real TLS.\n",
                place.base_url
            );
        }
        None => println!("Signing in to {}, as the environment says.\n", place.base_url),
    }

    let runtime = tokio::runtime::Runtime::new()?;
    let reqwest = ReqwestTransport::with_settings(&place.settings)?;
    let rows = [
        runtime.block_on(lived("reqwest", reqwest.clone(), &place))?,
        runtime.block_on(lived(
            "hyper",
            HyperTransport::with_settings(&place.settings)?,
            &place,
        ))?,
        lived_blocking("ureq", UreqTransport::with_settings(&place.settings)?, &place)?,
    ];
    print(&rows, &place);
    match &place.emulator {
        Some(_) => runtime.block_on(denied(reqwest, &place)),
        None => {
            println!(
                "\nA wrong password and a use of the token are shown with the emulator only: the former counts"
            );
            println!(
                "against a real account, and the latter is a different request on every real system."
            );
            Ok(())
        }
    }
}

/// Asks for a token now and after each hour.
async fn lived(
    transport: &'static str,
    client: impl AsyncTransport + 'static,
    place: &Place,
) -> Result<Row, Box<dyn Error>> {
    let time = time(place, TokioRuntime::new());
    let session = Session::builder(Client::new(client).with_base_url(place.base_url.clone()))
        .with_credentials(place.credentials.clone())
        .with_policy(policy()?)
        .with_runtime(time.clone())
        .build();
    session.access_token().await?;
    let mut snapshots = vec![session.snapshot()];
    for _ in 0..hours(place) {
        time.advance(HOUR);
        session.access_token().await?;
        snapshots.push(session.snapshot());
    }
    let user = match &place.emulator {
        Some(_) => Some(session.execute(&WhoAmI::default()).await?),
        None => None,
    };
    Ok(Row { transport, snapshots, user })
}

/// Asks for a token now and after each hour, without async.
fn lived_blocking(
    transport: &'static str,
    client: impl BlockingTransport + 'static,
    place: &Place,
) -> Result<Row, Box<dyn Error>> {
    let time = time(place, ThreadRuntime::new());
    let session = blocking::Session::builder(
        blocking::Client::new(client).with_base_url(place.base_url.clone()),
    )
    .with_credentials(place.credentials.clone())
    .with_policy(policy()?)
    .with_runtime(time.clone())
    .build();
    session.access_token()?;
    let mut snapshots = vec![session.snapshot()];
    for _ in 0..hours(place) {
        time.advance(HOUR);
        session.access_token()?;
        snapshots.push(session.snapshot());
    }
    let user = place.emulator.as_ref().map(|_| session.execute(&WhoAmI::default())).transpose()?;
    Ok(Row { transport, snapshots, user })
}

/// Many callers use one wrong password. Never done with a real account.
async fn denied(client: ReqwestTransport, place: &Place) -> Result<(), Box<dyn Error>> {
    let Some(emulator) = &place.emulator else { return Ok(()) };
    let wrong = Credentials::new(place.credentials.username(), "incorrect horse")?;
    let session = Session::new(Client::new(client).with_base_url(place.base_url.clone()), wrong);
    let before = emulator.count(Operation::SignIn);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..MANY {
        let session = session.clone();
        tasks.spawn(async move { session.access_token().await.err() });
    }
    let errors: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let denied = errors.iter().filter(|error| error.kind() == ErrorKind::Denied).count();
    let sent = emulator.count(Operation::SignIn) - before;
    println!("\n{MANY} tasks with a wrong password: sent {sent} time, and {denied} were told why:");
    errors.first().into_iter().for_each(|error| println!("  {error}"));
    Ok(())
}

fn print(rows: &[Row], place: &Place) {
    let times = ["at 0:00", "at 1:00", "at 2:00"].iter().take(1 + hours(place));
    let times: String = times.map(|time| format!("{time:<19}")).collect();
    println!("{:<10} {times} token used as", "transport");
    for row in rows {
        let mut before = (0, 0);
        let told = row.snapshots.iter().map(|snapshot| {
            let counts = (snapshot.counts.sign_ins, snapshot.counts.refreshes);
            let what = match counts {
                (sign_ins, _) if sign_ins > before.0 => "signed in",
                (_, refreshes) if refreshes > before.1 => "refreshed",
                _ => "the same",
            };
            before = counts;
            let minutes = snapshot.token_left.unwrap_or_default().as_secs() / 60;
            format!("{:<19}", format!("{what}, {minutes} min"))
        });
        println!(
            "{:<10} {} {}",
            row.transport,
            told.collect::<String>(),
            row.user.as_deref().unwrap_or("-")
        );
    }
}

/// A virtual time: that of the emulator, or with a real server a local one.
fn time(place: &Place, tasks: impl Runtime) -> VirtualTime {
    let clock =
        place.emulator.as_ref().map_or_else(Clock::running, |emulator| emulator.clock().clone());
    VirtualTime::new(&clock, tasks)
}

/// A real server gets only one refresh. Its clock is not virtual.
fn hours(place: &Place) -> usize {
    if place.emulator.is_some() { 2 } else { 1 }
}

/// The default, but without retries, which would wait for the virtual clock.
fn policy() -> Result<Policy, Box<dyn Error>> {
    Ok(Policy::builder().with_attempts(1).build()?)
}
