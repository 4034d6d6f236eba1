//! A fleet at its full size, and what it takes in Redis.

use std::env;
use std::sync::Arc;
use std::time::{Duration, Instant};

use point_auth_core::Credentials;
use point_auth_core::session::SignInResult;
use point_auth_store::{AnyStore, Intent, Known, Settled, Settlement, StoreKey, Verdict};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::server::{Server, connect, query, tell};
use crate::store::{RUNTIME, open};
use crate::worker::{Advanced, Clock, Worker, credentials, granted, owner, shared, tokens, wall};

const WORKERS: usize = 1000;
const CONNECTIONS: usize = 8;
const AT_ONCE: usize = 64;
const LIVES: u64 = 20;

#[test]
fn a_thousand_workers_exchange_once_in_a_life_of_their_token() {
    let Some(server) = Server::start() else { return };
    let (key, clock) = (StoreKey::generate().unwrap(), Arc::<Clock>::default());
    let stores: Vec<_> = (0..CONNECTIONS).map(|_| open(&server.url(), key.clone())).collect();
    let store = |number: usize| Advanced::new(stores[number % CONNECTIONS].clone(), &clock);
    let mut workers: Vec<_> = (0..WORKERS).map(|number| Worker::new(store(number))).collect();
    let start = Instant::now();
    RUNTIME.block_on(async {
        for life in 0..LIVES {
            let now = clock.offset();
            let sign_in = (life == 0).then(|| credentials("right", None));
            let (mut grants, mut waiting) = (Vec::new(), Vec::new());
            for (worker, verdict) in ask(workers, sign_in.as_ref(), now).await {
                match verdict {
                    Verdict::Granted(grant) => grants.push((worker, grant)),
                    // The alias or its login is in use, by what was read first.
                    Verdict::InUse(_) | Verdict::Busy(_) => waiting.push(worker),
                    other => panic!("life {life}: {other:?}"),
                }
            }
            assert_eq!((grants.len(), waiting.len()), (1, WORKERS - 1), "life {life}");
            let (mut holder, grant) = grants.pop().unwrap();
            assert!(matches!(holder.renew(grant, life, now).await, Settled::InTime(_)));
            workers = vec![holder];
            for (mut worker, verdict) in ask(waiting, sign_in.as_ref(), now).await {
                worker.take(verdict);
                workers.push(worker);
            }
            clock.advance(3600);
        }
    });
    #[expect(clippy::cast_precision_loss, reason = "a number to print")]
    let each = clock.calls() as f64 / (WORKERS as f64 * LIVES as f64);
    let seconds = start.elapsed().as_secs_f64();
    tell(&format!(
        "{WORKERS} workers, {AT_ONCE} at once, {LIVES} lives: {each:.2} store calls a worker and \
         life, {seconds:.1} s"
    ));
}

/// All of them, as many at once as a busy machine answers in time.
async fn ask(
    workers: Vec<Worker>,
    sign_in: Option<&Credentials>,
    now: Duration,
) -> Vec<(Worker, Verdict)> {
    let mut asking = JoinSet::new();
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    for worker in workers {
        let (sign_in, at_once) = (sign_in.cloned(), Arc::clone(&at_once));
        asking.spawn(async move {
            let _one = at_once.acquire().await.unwrap();
            let intent = sign_in.as_ref().map_or(Intent::Refresh, Intent::SignIn);
            let verdict = worker.consult(intent, now).await;
            (worker, verdict)
        });
    }
    asking.join_all().await
}

/// `POINT_AUTH_ALIASES=100000` for the number of a large company.
#[test]
fn an_alias_takes_little_memory() {
    let Some(server) = Server::start() else { return };
    let count = env::var("POINT_AUTH_ALIASES").map_or(200, |count| count.parse().unwrap());
    let mut admin = connect(&server.url());
    let before = used_memory(&server);
    let start = Instant::now();
    let store = open(&server.url(), StoreKey::generate().unwrap());
    let shared = shared(AnyStore::new(store));
    let now = wall(Duration::ZERO);
    RUNTIME.block_on(async {
        for number in 0..count {
            let alias = format!("first.last-{number:06}");
            let (owner, right) = (owner(Some(&alias)), credentials("right", Some(&alias)));
            let intent = Intent::SignIn(&right);
            let asked = shared.consult(owner, intent, Known::default(), now).await.unwrap();
            let tokens = tokens(number, Some(&alias), now);
            let sign_in = SignInResult::Accepted;
            let settlement = Settlement { tokens: Some(&tokens), sign_in, wall: now };
            shared.settle(granted(asked.verdict), settlement).await.unwrap();
        }
    });
    let seconds = start.elapsed().as_secs_f64();
    let grown = (used_memory(&server) - before) / count;
    let (mut largest, mut longest) = (0, 0);
    for _ in 0..200 {
        let name: String = query(&mut admin, &["RANDOMKEY"]);
        if !name.ends_with(":login") {
            largest = largest.max(query::<u64>(&mut admin, &["MEMORY", "USAGE", &name]));
            longest = longest.max(query::<u64>(&mut admin, &["STRLEN", &name]));
        }
    }
    tell(&format!(
        "{count} aliases: at most {largest} bytes each by MEMORY USAGE ({longest} of them the \
         value), {grown} by used_memory, {seconds:.1} s"
    ));
    assert!(largest <= 1536, "{largest}");
}

fn used_memory(server: &Server) -> u64 {
    let info: String = server.command(&["INFO", "memory"]);
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    used.unwrap().trim().parse().unwrap()
}
