//! Random histories of a fleet come out the same on Redis and in memory.

use std::sync::Arc;

use point_auth_core::Credentials;
use point_auth_core::session::SignInResult;
use point_auth_store::{
    AnyStore, Fence, Grant, Intent, Known, Look, MemoryStore, NewerTokens, Settled, Settlement,
    SharedTokens, StoreKey, Verdict,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::server::Server;
use crate::store::{RUNTIME, open};
use crate::worker::{Advanced, Clock, credentials, denial, owner, shared, tokens, wall};

const WORKERS: usize = 3;
const ALIASES: [Option<&str>; 5] = [None, Some("ann"), Some("bob"), Some("cid"), Some("dot")];
const PASSWORDS: [&str; 2] = ["right", "wrong"];

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A worker asks, with a password to sign in.
    Consult {
        worker: usize,
        alias: usize,
        password: Option<usize>,
    },
    /// Again, as after a lost reply.
    ConsultTwice {
        worker: usize,
        alias: usize,
        password: Option<usize>,
    },
    /// A worker settles a grant, perhaps late.
    Settle {
        grant: usize,
        result: Came,
    },
    /// A worker ends with a grant.
    Crash {
        worker: usize,
    },
    /// With a password that the worker knows to be denied, perhaps.
    Look {
        worker: usize,
        alias: usize,
        denied: Option<usize>,
    },
    Reset,
    /// The store loses all that it has.
    Lose,
    ResetAlias {
        alias: usize,
    },
    /// Seconds pass.
    Pass(u64),
}

#[derive(Clone, Copy, Debug)]
enum Came {
    Tokens,
    Denied,
    Unknown,
    Inconclusive,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let worker = || 0..WORKERS;
    let alias = || 0..ALIASES.len();
    let password = || prop::option::weighted(0.8, 0..PASSWORDS.len());
    let came = prop_oneof![
        2 => Just(Came::Tokens),
        4 => Just(Came::Denied),
        1 => Just(Came::Unknown),
        1 => Just(Came::Inconclusive),
    ];
    // Permits last 42 seconds; holds ten minutes, and an hour and more.
    let seconds = prop_oneof![1..60u64, Just(600), Just(3600), Just(24 * 3600)];
    let consult = (worker(), alias(), password());
    let look = (worker(), alias(), prop::option::of(0..PASSWORDS.len()));
    let twice = (worker(), alias(), password());
    let step = prop_oneof![
        40 => consult.prop_map(|(worker, alias, password)| Step::Consult { worker, alias, password }),
        4 => twice
            .prop_map(|(worker, alias, password)| Step::ConsultTwice { worker, alias, password }),
        40 => (0..4usize, came)
            .prop_map(|(grant, result)| Step::Settle { grant, result }),
        2 => worker().prop_map(|worker| Step::Crash { worker }),
        4 => look.prop_map(|(worker, alias, denied)| Step::Look { worker, alias, denied }),
        1 => Just(Step::Reset),
        1 => Just(Step::Lose),
        2 => alias().prop_map(|alias| Step::ResetAlias { alias }),
        8 => seconds.prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..100)
}

#[test]
fn redis_and_memory_say_the_same_in_every_history() {
    let Some(server) = Server::start() else { return };
    let store = open(&server.url(), StoreKey::generate().unwrap());
    let seen = std::cell::Cell::new([0u32; 4]);
    let mut runner =
        TestRunner::new(Config { cases: 128, failure_persistence: None, ..Config::default() });
    let result = runner.run(&steps(), |steps| {
        server.command::<()>(&["FLUSHALL"]);
        let clock = Arc::new(Clock::recording());
        let redis = Fleet::new(AnyStore::new(Advanced::new(store.clone(), &clock)));
        // It is asked in the same order, so that it gives the times that Redis gave.
        let times = Arc::clone(&clock);
        let memory = MemoryStore::new().unwrap().with_clock(move || times.next_time().unwrap());
        let in_memory = memory.clone();
        let memory = Fleet::new(AnyStore::blocking(memory));
        let [mut redis, mut memory] = [redis, memory];
        for (number, step) in steps.iter().enumerate() {
            if let Step::Pass(seconds) = step {
                clock.advance(*seconds);
                continue;
            }
            if let Step::Lose = step {
                server.command::<()>(&["FLUSHALL"]);
                in_memory.clear();
                continue;
            }
            let ours = redis.step(*step, &clock);
            let theirs = memory.step(*step, &clock);
            prop_assert_eq!(&ours, &theirs, "step {}: {:?}", number, step);
            let mut counts = seen.get();
            let words = ["Granted", "Newer", "Rejected(Denied", "Rejected(Held"];
            for (count, word) in counts.iter_mut().zip(words) {
                *count += u32::from(ours.contains(word));
            }
            seen.set(counts);
            prop_assert!(clock.next_time().is_none(), "Redis was asked more often");
        }
        Ok(())
    });
    result.unwrap();
    // The histories are not all of one kind.
    assert!(seen.get().iter().all(|count| *count > 0), "{:?}", seen.get());
}

/// A fleet over one store. Fences are random, and compared by when they were first seen.
struct Fleet {
    shared: SharedTokens,
    workers: [Worker; WORKERS],
    /// Each with its worker and its alias.
    grants: Vec<(usize, usize, Grant)>,
    fences: Vec<Fence>,
    renewals: u64,
}

#[derive(Default)]
struct Worker {
    known: [Known; ALIASES.len()],
}

impl Fleet {
    fn new(store: AnyStore) -> Self {
        let workers = Default::default();
        Self { shared: shared(store), workers, grants: Vec::new(), fences: Vec::new(), renewals: 0 }
    }

    /// Returns what came of it, with all that can be told.
    fn step(&mut self, step: Step, clock: &Clock) -> String {
        let runtime: &Runtime = &RUNTIME;
        runtime.block_on(self.step_async(step, clock))
    }

    async fn step_async(&mut self, step: Step, clock: &Clock) -> String {
        let wall = wall(clock.offset());
        match step {
            Step::Consult { worker, alias, password } => {
                self.consult(worker, alias, password, clock).await
            }
            Step::ConsultTwice { worker, alias, password } => {
                let first = self.consult(worker, alias, password, clock).await;
                let second = self.consult(worker, alias, password, clock).await;
                format!("{first}, {second}")
            }
            Step::Settle { grant, result } => {
                if self.grants.is_empty() {
                    return String::new();
                }
                let (worker, alias, grant) = self.grants.remove(grant % self.grants.len());
                self.renewals += 1;
                let renewed = tokens(self.renewals, ALIASES[alias], wall);
                let denial = denial();
                let sign_in = match result {
                    Came::Tokens => SignInResult::Accepted,
                    Came::Denied => SignInResult::Denied(&denial),
                    Came::Unknown => SignInResult::Unknown,
                    Came::Inconclusive => SignInResult::Inconclusive,
                };
                let tokens = matches!(result, Came::Tokens).then_some(&renewed);
                let settlement = Settlement { tokens, sign_in, wall };
                let settled = self.shared.settle(grant, settlement).await.unwrap();
                match settled {
                    Settled::InTime(version) => {
                        if matches!(result, Came::Tokens) {
                            self.workers[worker].known[alias].version = Some(version);
                        }
                        format!("InTime({})", self.number(Some(version)))
                    }
                    late => format!("{late:?}"),
                }
            }
            Step::Crash { worker } => {
                self.workers[worker] = Worker::default();
                self.grants.retain(|(holder, ..)| *holder != worker);
                String::new()
            }
            Step::Look { worker, alias, denied } => {
                let known = self.workers[worker].known[alias];
                let denied = denied.map(|denied| credentials(PASSWORDS[denied], ALIASES[alias]));
                let (denial, owner) = (denial(), owner(ALIASES[alias]));
                let denied = denied.as_ref().map(|denied| (denied, &denial));
                let look = self.shared.look(owner, denied, known, wall).await.unwrap();
                let Look { newer, epoch, .. } = look;
                let newer = newer.map(|NewerTokens { tokens, version, .. }| {
                    (tokens.expose_json().as_ref().to_vec(), self.number(Some(version)))
                });
                self.workers[worker].known[alias].epoch = epoch;
                format!("{newer:?} {}", self.number(epoch))
            }
            Step::Reset => {
                let epoch = self.shared.reset(owner(None)).await.unwrap();
                self.number(Some(epoch))
            }
            Step::ResetAlias { alias } => {
                self.shared.reset_alias(owner(ALIASES[alias])).await.unwrap();
                String::new()
            }
            Step::Pass(_) | Step::Lose => String::new(),
        }
    }

    async fn consult(
        &mut self,
        worker: usize,
        alias: usize,
        password: Option<usize>,
        clock: &Clock,
    ) -> String {
        let sign_in: Option<Credentials> =
            password.map(|password| credentials(PASSWORDS[password], ALIASES[alias]));
        let intent = sign_in.as_ref().map_or(Intent::Refresh, Intent::SignIn);
        let known = self.workers[worker].known[alias];
        let asked = self.shared.consult(owner(ALIASES[alias]), intent, known, wall(clock.offset()));
        let asked = asked.await.unwrap();
        let epoch = self.number(asked.epoch);
        if asked.epoch.is_some() {
            self.workers[worker].known[alias].epoch = asked.epoch;
        }
        let verdict = match asked.verdict {
            Verdict::Granted(grant) => {
                self.grants.push((worker, alias, grant));
                "Granted".to_owned()
            }
            Verdict::Newer(NewerTokens { tokens, version, .. }) => {
                self.workers[worker].known[alias].version = Some(version);
                format!(
                    "Newer({:?}, {})",
                    tokens.expose_json().as_ref(),
                    self.number(Some(version))
                )
            }
            other => format!("{other:?}"),
        };
        format!("{verdict} {epoch} {:?}", asked.problem)
    }

    fn number(&mut self, fence: Option<Fence>) -> String {
        let Some(fence) = fence else { return "none".to_owned() };
        let found = self.fences.iter().position(|known| *known == fence);
        let number = found.unwrap_or_else(|| {
            self.fences.push(fence);
            self.fences.len() - 1
        });
        number.to_string()
    }
}
