//! Eight processes with one login, which share their tokens in a store.
//!
//! `cargo run --example fleet` keeps them in files, and `cargo run --example fleet -- --redis
//! redis://127.0.0.1:6379` in Redis. Tokens live for six seconds here, so that a few lives pass.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process};

use point_auth::session::{ExchangeKind, Outcome};
use point_auth::{
    BaseUrl, Client, Credentials, FileStore, HyperTransport, Observer, RedisStore, Session,
    SessionBuilder, StoreKey,
};
use point_auth_testkit::{Emulator, Operation};
use tokio::task::JoinSet;

const PROCESSES: usize = 8;
const SESSIONS: usize = 25;
const TIME: Duration = Duration::from_secs(15);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["worker", base_url, "--file", directory] => {
            let store = FileStore::open(directory)?;
            work(base_url, |builder| Ok(builder.with_store(store.clone())))
        }
        ["worker", base_url, "--redis", url] => work(base_url, |builder| {
            let key = StoreKey::from_env("POINT_AUTH_STORE_KEY")?;
            Ok(builder.with_store(RedisStore::from_url(url, key)?))
        }),
        [] | ["--file"] => {
            let directory = env::temp_dir().join(format!("point-auth-fleet-{}", process::id()));
            let result = start(&["--file", &directory.to_string_lossy()]);
            fs::remove_dir_all(directory)?;
            result
        }
        ["--redis", url] => start(&["--redis", url]),
        _ => Err("usage: fleet [--file | --redis URL]".into()),
    }
}

/// Starts the processes, and prints what the server has seen of them.
fn start(store: &[&str]) -> Result<(), Box<dyn Error>> {
    let life = Duration::from_secs(6);
    let emulator = Emulator::builder()
        .user("user@example.com", "correct horse")
        .access_token_life(life)
        .start()?;
    let key = StoreKey::generate()?;
    let start = |_| {
        Command::new(env::current_exe()?)
            .args(["worker", &emulator.base_url()])
            .args(store)
            .env("POINT_AUTH_STORE_KEY", &*key.expose())
            .stdout(Stdio::piped())
            .spawn()
    };
    println!("{PROCESSES} processes with {SESSIONS} sessions each, for {} s:", TIME.as_secs());
    let processes = (0..PROCESSES).map(start).collect::<Result<Vec<Child>, _>>()?;
    for process in processes {
        let id = process.id();
        let output = process.wait_with_output()?;
        print!("  process {id}: {}", String::from_utf8_lossy(&output.stdout));
        if !output.status.success() {
            return Err(format!("process {id}: {}", output.status).into());
        }
    }
    let (sign_ins, refreshes) =
        (emulator.count(Operation::SignIn), emulator.count(Operation::Refresh));
    println!(
        "the server: {sign_ins} sign-ins and {refreshes} refreshes in {} lives",
        TIME.as_secs() / life.as_secs()
    );
    Ok(())
}

/// One process: many sessions, each as if it were a process of its own.
#[tokio::main]
async fn work(
    base_url: &str,
    share: impl Fn(SessionBuilder) -> Result<SessionBuilder, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let credentials = Credentials::new("user@example.com", "correct horse")?;
    let client = Client::new(HyperTransport::new()?).with_base_url(BaseUrl::parse(base_url)?);
    let counts = Arc::new(Counts::default());
    let mut tasks = JoinSet::new();
    for _ in 0..SESSIONS {
        // ANCHOR: session
        let builder = Session::builder(client.clone())
            .with_credentials(credentials.clone())
            .with_observer(Counting(Arc::clone(&counts)));
        let session = share(builder)?.build();
        // ANCHOR_END: session
        let counts = Arc::clone(&counts);
        tasks.spawn(async move {
            let end = Instant::now() + TIME;
            while Instant::now() < end {
                session.access_token().await?;
                counts.reads.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok::<(), point_auth::Error>(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    println!(
        "{} tokens read, {} sign-ins and {} refreshes sent, {} times tokens of others taken up",
        count(&counts.reads),
        count(&counts.sign_ins),
        count(&counts.refreshes),
        count(&counts.adopted),
    );
    Ok(())
}

#[derive(Default)]
struct Counts {
    reads: AtomicUsize,
    sign_ins: AtomicUsize,
    refreshes: AtomicUsize,
    adopted: AtomicUsize,
}

struct Counting(Arc<Counts>);

impl Observer for Counting {
    fn exchange_ended(&self, _: Option<&str>, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Renewed { kind: ExchangeKind::SignIn, .. } => &self.0.sign_ins,
            Outcome::Renewed { .. } => &self.0.refreshes,
            Outcome::Adopted { .. } => &self.0.adopted,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
