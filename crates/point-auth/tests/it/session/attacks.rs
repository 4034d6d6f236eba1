//! Hostile orders of events: many aliases, credentials that change during an exchange, callers that
//! come and go at any moment.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use point_auth::session::Now;
use point_auth::{
    AccessToken, BoxError, Credentials, Error, ErrorKind, Runtime, Sessions, Task, blocking,
};
use point_auth_testkit::{Emulator, Operation, VirtualTime};

use super::support::{ByHand, World, on_tokio};
use super::transports::wait_until;
use crate::support::{PASSWORD, USERNAME, credentials, runtime};

fn asking(
    sessions: &Sessions,
    alias: &str,
) -> impl Future<Output = Result<AccessToken, Error>> + Send + use<> {
    let (sessions, alias) = (sessions.clone(), alias.to_owned());
    async move { sessions.access_token(&alias).await }
}

fn wrong() -> Credentials {
    Credentials::new(USERNAME, "wrong").unwrap()
}

/// Returns how often this password was sent.
fn sent(world: &World, password: &str) -> usize {
    let quoted = format!("\"{password}\"");
    world.emulator.count_where(|request| {
        request.operation() == Operation::SignIn
            && String::from_utf8_lossy(request.body()).contains(&quoted)
    })
}

type Act = Box<dyn FnOnce() + Send>;

/// A clock that runs an action when it is read for the n-th time, without any lock of a session
/// held. At each such moment another thread may intervene.
#[derive(Clone)]
struct Interrupted {
    time: VirtualTime,
    act: Arc<Mutex<Option<(usize, Act)>>>,
}

impl Interrupted {
    fn new(world: &World) -> Self {
        Self { time: world.time.clone(), act: Arc::default() }
    }

    fn after(&self, reads: usize, act: impl FnOnce() + Send + 'static) {
        *self.act.lock().unwrap() = Some((reads, Box::new(act)));
    }

    /// Removes the pending action. Returns whether it had run.
    fn was_done(&self) -> bool {
        self.act.lock().unwrap().take().is_none()
    }
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupted")
    }
}

impl Runtime for Interrupted {
    fn now(&self) -> Now {
        let mut act = self.act.lock().unwrap();
        let due = match &mut *act {
            Some((0, _)) => act.take(),
            Some((reads, _)) => {
                *reads -= 1;
                None
            }
            None => None,
        };
        drop(act);
        if let Some((_, act)) = due {
            act();
        }
        self.time.now()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        self.time.sleep_until(time)
    }

    fn spawn(&self, task: Task) {
        self.time.spawn(task);
    }
}

/// More than all clock reads in any of these tests.
const MOST_READS: usize = 1_000;

#[test]
fn a_caller_that_comes_at_any_moment_while_an_unneeded_permit_is_returned_is_served() {
    let runtime = runtime();
    let _in_tokio = runtime.enter();
    for reads in 0..MOST_READS {
        let world = World::new();
        let time = Interrupted::new(&world);
        let builder = world.sessions_builder().with_credentials(credentials());
        let sessions = builder.with_runtime(time.clone()).build();
        world.control.hold();
        let first = runtime.spawn(asking(&sessions, "first"));
        world.control.wait_for_in_flight(1);
        let mut left = ByHand::new(asking(&sessions, "late"));
        assert!(left.poll().is_pending());
        drop(left);
        let late = Arc::new(Mutex::new(None));
        let (slot, sessions) = (Arc::clone(&late), sessions.clone());
        time.after(reads, move || {
            let mut late = ByHand::new(asking(&sessions, "late"));
            assert!(late.poll().is_pending());
            *slot.lock().unwrap() = Some(late);
        });
        world.control.release();
        assert!(runtime.block_on(first).unwrap().is_ok());
        // The exchange may have a few steps left after its caller has its token.
        wait_until("the end of the exchange", || {
            world.control.rest();
            world.control.in_flight() == 0
        });
        if time.was_done() {
            let mut late = late.lock().unwrap().take().unwrap();
            // No time passes, so that only a wake-up helps.
            wait_until("the late caller to be served", || {
                late.was_woken() && late.poll().is_ready()
            });
        } else {
            return;
        }
    }
    panic!("the time is read without end");
}

#[test]
fn other_credentials_that_come_at_any_moment_reach_every_alias() {
    let runtime = runtime();
    let _in_tokio = runtime.enter();
    for reads in 0..MOST_READS {
        let world = World::new();
        let time = Interrupted::new(&world);
        let sessions =
            world.sessions_builder().with_credentials(wrong()).with_runtime(time.clone()).build();
        let other = sessions.clone();
        time.after(reads, move || other.set_credentials(credentials()));
        let ask = || {
            let tasks = (0..6).map(|number| asking(&sessions, &format!("person-{number}")));
            on_tokio(&runtime, tasks)
        };
        ask();
        if !time.was_done() {
            return;
        }
        // Far less than a hold.
        let mut rounds = 0;
        while !ask().iter().all(Result::is_ok) {
            rounds += 1;
            assert!(rounds < 20, "after {reads} reads: {:?}", ask());
            world.time.advance(Duration::from_secs(5));
        }
        assert!(sent(&world, "wrong") <= 3);
    }
    panic!("the time is read without end");
}

#[test]
fn a_reset_at_any_moment_leaves_no_alias_held() {
    let runtime = runtime();
    let _in_tokio = runtime.enter();
    for reads in 0..MOST_READS {
        let world = Arc::new(World::new());
        let time = Interrupted::new(&world);
        let sessions =
            world.sessions_builder().with_credentials(wrong()).with_runtime(time.clone()).build();
        let (other, server) = (sessions.clone(), Arc::clone(&world));
        time.after(reads, move || {
            assert!(server.emulator.change_password(USERNAME, "wrong"));
            other.reset();
        });
        let ask = || {
            let tasks = (0..6).map(|number| asking(&sessions, &format!("person-{number}")));
            on_tokio(&runtime, tasks)
        };
        ask();
        if !time.was_done() {
            return;
        }
        // An alias whose denial was in flight is denied nevertheless.
        let is_fine = |got: &Result<_, Error>| match got {
            Ok(_) => true,
            Err(error) => error.kind() == ErrorKind::Denied,
        };
        let mut rounds = 0;
        while !ask().iter().all(is_fine) {
            rounds += 1;
            assert!(rounds < 20, "after {reads} reads: {:?}", ask());
            world.time.advance(Duration::from_secs(5));
        }
    }
    panic!("the time is read without end");
}

/// The credentials of a source: first those set for each call by its number, then the rest. A call
/// for which nothing is set waits.
#[derive(Clone, Default)]
struct Vault(Arc<(Mutex<VaultState>, Condvar)>);

#[derive(Default)]
struct VaultState {
    asked: usize,
    given: Vec<(usize, Credentials)>,
    rest: Option<Credentials>,
}

impl Vault {
    fn gives(&self, call: usize, credentials: Credentials) {
        self.0.0.lock().unwrap().given.push((call, credentials));
        self.0.1.notify_all();
    }

    fn gives_from_now_on(&self, credentials: Credentials) {
        self.0.0.lock().unwrap().rest = Some(credentials);
        self.0.1.notify_all();
    }

    fn asked(&self) -> usize {
        self.0.0.lock().unwrap().asked
    }
}

impl blocking::CredentialSource for Vault {
    fn credentials(&self) -> Result<Credentials, BoxError> {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        let call = state.asked;
        state.asked += 1;
        loop {
            if let Some((_, given)) = state.given.iter().find(|(number, _)| *number == call) {
                return Ok(given.clone());
            }
            if let Some(rest) = &state.rest {
                return Ok(rest.clone());
            }
            state = changed.wait(state).unwrap();
        }
    }
}

fn with_vault(world: &World, vault: &Vault) -> blocking::Sessions {
    blocking::Sessions::builder(world.blocking_client())
        .with_credential_source(vault.clone())
        .with_runtime(world.time.clone())
        .build()
}

#[test]
fn an_alias_that_was_denied_gets_a_token_once_the_source_has_another_password() {
    let (world, vault) = (World::threads(), Vault::default());
    let sessions = with_vault(&world, &vault);
    vault.gives_from_now_on(wrong());
    let error = sessions.access_token("jane").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    vault.gives_from_now_on(credentials());
    world.time.advance(Duration::from_secs(61));
    assert!(sessions.access_token("jane").is_ok());
    assert_eq!((sent(&world, "wrong"), vault.asked()), (1, 2));
}

#[test]
fn a_source_is_not_asked_again_and_again_while_another_new_password_is_tried() {
    let (world, vault) = (World::threads(), Vault::default());
    let sessions = with_vault(&world, &vault);
    let ask = |alias: &'static str| {
        let sessions = sessions.clone();
        std::thread::spawn(move || sessions.access_token(alias))
    };
    vault.gives(0, credentials());
    sessions.access_token("first").unwrap();
    world.control.hold();
    // Two get a permit before either has its credentials: a new password, and then the old one.
    let threads = [ask("ann"), ask("bob")];
    wait_until("both to fetch", || vault.asked() == 3);
    vault.gives(1, wrong());
    world.control.wait_for_in_flight(1);
    vault.gives(2, credentials());
    world.control.wait_for_in_flight(2);
    // A third gets the new one too, which is being tried.
    vault.gives_from_now_on(wrong());
    let third = ask("cyd");
    wait_until("the third to fetch", || vault.asked() >= 4);
    (0..50).for_each(|_| world.control.rest());
    assert!(vault.asked() <= 5, "asked {} times", vault.asked());
    world.control.release();
    for thread in threads.into_iter().chain([third]) {
        drop(thread.join().unwrap());
    }
    assert!(sent(&world, "wrong") <= 3);
}

/// A small random generator, so that a run can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

const GOOD: usize = 12;

/// Returns one of the aliases, of which every fifth is a bad one.
fn any_alias(dice: &mut Dice) -> String {
    match dice.roll(5) {
        0 => format!("bad-{}", dice.roll(20)),
        _ => format!("good-{}", dice.roll(GOOD as u64)),
    }
}

/// Asks over and over, and leaves early from time to time.
async fn come_and_go(sessions: Sessions, mut dice: Dice, turns: usize) {
    for _ in 0..turns {
        let alias = any_alias(&mut dice);
        match dice.roll(8) {
            0..=3 => match sessions.access_token(&alias).await {
                Ok(_) => assert!(alias.starts_with("good")),
                Err(error) if error.kind() == ErrorKind::Denied => {
                    assert!(alias.starts_with("bad"), "{alias} got the denial of another alias");
                }
                Err(_) => {}
            },
            4 | 5 => {
                let mut waiting = ByHand::new(asking(&sessions, &alias));
                for _ in 0..dice.roll(4) {
                    if waiting.poll().is_ready() {
                        break;
                    }
                    smol::future::yield_now().await;
                }
            }
            6 => {
                let session = sessions.session(&alias).unwrap();
                if let Some(token) = session.current_token() {
                    session.invalidate(&token);
                }
            }
            _ => drop(sessions.remove(&alias)),
        }
        smol::future::yield_now().await;
    }
}

#[test]
fn with_any_callers_each_bad_alias_is_sent_once_and_each_good_one_gets_its_token() {
    for seed in [1, 0x5eed, 0xdead_beef, 0xca11, 0xbad] {
        let good = (0..GOOD).map(|number| format!("good-{number}"));
        let emulator =
            Emulator::builder().user_with_aliases(USERNAME, PASSWORD, good).start().unwrap();
        let world = World::of(emulator, point_auth::TokioRuntime::new());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(8)
            .enable_all()
            .build()
            .unwrap();
        let sessions = {
            let _in_tokio = runtime.enter();
            world
                .sessions_builder()
                .with_credentials(credentials())
                .with_max_sessions(10)
                .with_idle_time(Duration::ZERO)
                .with_runtime(world.time.clone())
                .build()
        };
        let tasks: Vec<_> = (0..40)
            .map(|number| {
                let dice = Dice(seed + 7919 * (number + 1));
                runtime.spawn(come_and_go(sessions.clone(), dice, 25))
            })
            .collect();
        let mut dice = Dice(seed);
        world.pass_until(|| {
            // A hold passes too, but no exchange counts as abandoned.
            if dice.roll(40) == 0 && world.control.in_flight() == 0 {
                world.time.advance(Duration::from_secs(600));
            }
            tasks.iter().all(tokio::task::JoinHandle::is_finished)
        });
        for task in tasks {
            runtime.block_on(task).unwrap();
        }
        // Callers that were held, timed out or had a young token rejected are served later.
        for number in 0..GOOD {
            let last = runtime.spawn(asking(&sessions, &format!("good-{number}")));
            world.pass_until(|| last.is_finished());
            if let Err(error) = runtime.block_on(last).unwrap() {
                assert!(error.is_retryable(), "{error:?}");
                world.time.advance(Duration::from_secs(3600));
                assert!(runtime.block_on(asking(&sessions, &format!("good-{number}"))).is_ok());
            }
        }
        let mut bad: Vec<_> = world.emulator.requests();
        bad.retain(|request| request.user_alias().is_some_and(|alias| alias.starts_with("bad")));
        let count = bad.len();
        let aliases: std::collections::BTreeSet<_> =
            bad.iter().filter_map(|request| request.user_alias()).collect();
        assert_eq!(aliases.len(), count, "seed {seed}: a bad alias was sent twice");
        wait_until("all permits to be given back", || sessions.snapshot().ledger.permits == 0);
    }
}
