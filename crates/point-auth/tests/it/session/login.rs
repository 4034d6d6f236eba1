//! One login for many aliases: what is known of it, and how the aliases follow its changes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use point_auth::session::StoredTokens;
use point_auth::transport::async_trait;
use point_auth::{
    AccessToken, BoxError, CredentialSource, Credentials, Error, ErrorKind, Observer, Sessions,
};
use point_auth_testkit::{Emulator, Fault, Operation, RecordedRequest};

use super::support::{World, on_tokio};
use super::transports::wait_until;
use crate::support::{PASSWORD, USERNAME, credentials, runtime};

const OTHER: &str = "other@example.com";

/// A server that knows two users with one password.
fn world() -> World {
    let emulator =
        Emulator::builder().user(USERNAME, PASSWORD).user(OTHER, PASSWORD).start().unwrap();
    World::of(emulator, point_auth::TokioRuntime::new())
}

fn asking(
    sessions: &Sessions,
    count: usize,
) -> Vec<impl Future<Output = Result<AccessToken, Error>> + Send + use<>> {
    let one = |number| {
        let sessions = sessions.clone();
        async move { sessions.access_token(&format!("person-{number}")).await }
    };
    (0..count).map(one).collect()
}

fn wrong() -> Credentials {
    Credentials::new(USERNAME, "wrong").unwrap()
}

/// Returns how often a password was sent.
fn sent(world: &World, password: &str) -> usize {
    let quoted = format!("\"{password}\"");
    let has_it =
        |request: &RecordedRequest| String::from_utf8_lossy(request.body()).contains(&quoted);
    world
        .emulator
        .count_where(|request| request.operation() == Operation::SignIn && has_it(request))
}

/// Returns the credentials of a test, one after another.
#[derive(Clone)]
struct Vault {
    given: Arc<Mutex<Vec<Credentials>>>,
    asked: Arc<AtomicUsize>,
}

impl Vault {
    fn of(given: Vec<Credentials>) -> Self {
        Self { given: Arc::new(Mutex::new(given)), asked: Arc::default() }
    }
}

#[async_trait]
impl CredentialSource for Vault {
    async fn credentials(&self) -> Result<Credentials, BoxError> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let given = self.given.lock().unwrap();
        Ok(given[asked % given.len()].clone())
    }
}

#[test]
fn a_source_that_rotates_to_a_wrong_password_sends_that_at_most_three_times() {
    let (world, runtime) = (world(), runtime());
    let vault = Vault::of(vec![credentials()]);
    let sessions = world.sessions_builder().with_credential_source(vault.clone()).build();
    assert!(on_tokio(&runtime, asking(&sessions, 1)).iter().all(Result::is_ok));
    *vault.given.lock().unwrap() = vec![wrong()];
    let got = on_tokio(&runtime, asking(&sessions, 100));
    assert_eq!(got.iter().filter(|one| one.is_ok()).count(), 1);
    assert!(sent(&world, "wrong") <= 3);
}

#[test]
fn a_source_with_one_stale_replica_sends_the_stale_password_at_most_three_times() {
    let (world, runtime) = (world(), runtime());
    let vault = Vault::of(vec![wrong(), credentials()]);
    let sessions = world.sessions_builder().with_credential_source(vault).build();
    for _ in 0..20 {
        let _got = on_tokio(&runtime, asking(&sessions, 20));
        world.time.advance(Duration::from_secs(61));
    }
    assert!(sent(&world, "wrong") <= 3, "{}", sent(&world, "wrong"));
    assert!(on_tokio(&runtime, asking(&sessions, 20)).iter().any(Result::is_ok));
}

#[test]
fn a_late_answer_to_the_old_password_does_not_affect_the_new_one() {
    let (world, runtime) = (world(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    world.control.hold();
    let first = on_the_way(&world, &runtime, &sessions);
    sessions.set_credentials(wrong());
    let others: Vec<_> =
        asking(&sessions, 50).into_iter().skip(1).map(|task| runtime.spawn(task)).collect();
    world.control.release();
    assert!(runtime.block_on(first).unwrap().is_ok());
    for other in others {
        let kind = runtime.block_on(other).unwrap().unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Denied | ErrorKind::Held), "{kind:?}");
    }
    assert!(sent(&world, "wrong") <= 3);
}

type Task = tokio::task::JoinHandle<Result<AccessToken, Error>>;

fn on_the_way(world: &World, runtime: &tokio::runtime::Runtime, sessions: &Sessions) -> Task {
    let task = runtime.spawn(asking(sessions, 1).remove(0));
    world.control.wait_for_in_flight(1);
    task
}

#[test]
fn a_source_with_a_wrong_password_is_asked_for_three_aliases_and_not_for_a_thousand() {
    let (world, runtime) = (world(), runtime());
    let vault = Vault::of(vec![wrong()]);
    let sessions = world.sessions_builder().with_credential_source(vault.clone()).build();
    let got = on_tokio(&runtime, asking(&sessions, 1000));
    let denied = got.iter().filter(|one| one.as_ref().unwrap_err().kind() == ErrorKind::Denied);
    assert_eq!(denied.count(), 3);
    let held = got.iter().filter(|one| one.as_ref().unwrap_err().kind() == ErrorKind::Held);
    assert_eq!(held.count(), 997);
    assert_eq!((vault.asked.load(Ordering::SeqCst), world.sign_ins()), (3, 3));
}

#[test]
fn another_username_drops_the_tokens_of_all_aliases() {
    let (world, runtime) = (world(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    let old = on_tokio(&runtime, asking(&sessions, 5));
    let stored = sessions.session("person-0").unwrap().stored_tokens().unwrap();
    // A change by one of them or by all changes the login.
    let one = sessions.session("person-0").unwrap();
    one.set_credentials(Credentials::new(OTHER, PASSWORD).unwrap());
    assert!((0..5).all(|number| {
        sessions.session(&format!("person-{number}")).unwrap().current_token().is_none()
    }));
    let new = on_tokio(&runtime, asking(&sessions, 5));
    assert!(old.iter().zip(&new).all(|(old, new)| old.as_ref().unwrap() != new.as_ref().unwrap()));
    assert_eq!(world.emulator.count_for(OTHER, Operation::SignIn), 5);
    assert!(sessions.restore(stored).is_err());
    assert_eq!(
        sessions.session("person-0").unwrap().stored_tokens().unwrap().username(),
        Some(OTHER)
    );
}

#[test]
fn equal_credentials_end_no_backoff() {
    let (world, runtime) = (world(), runtime());
    world.emulator.always(Fault::respond(503).header("retry-after", "600"));
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    for _ in 0..20 {
        assert!(on_tokio(&runtime, asking(&sessions, 1)).remove(0).is_err());
        sessions.set_credentials(credentials());
    }
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn a_corrected_password_is_used_for_all() {
    let (world, runtime) = (world(), runtime());
    let sessions = world.sessions_builder().with_credentials(wrong()).build();
    assert!(on_tokio(&runtime, asking(&sessions, 10)).iter().all(Result::is_err));
    sessions.session("person-3").unwrap().set_credentials(credentials());
    assert!(on_tokio(&runtime, asking(&sessions, 10)).iter().all(Result::is_ok));
    assert_eq!(world.sign_ins(), 13);
}

#[test]
fn sessions_without_credentials_accept_some_later_and_keep_their_aliases() {
    let (world, runtime) = (world(), runtime());
    let sessions = world.sessions_builder().build();
    let session = sessions.session("person-0").unwrap();
    let error = runtime.block_on(session.access_token()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SignInNeeded);
    session.set_credentials(credentials().with_user_alias("another person").unwrap());
    assert!(on_tokio(&runtime, asking(&sessions, 3)).iter().all(Result::is_ok));
    let aliases: Vec<_> = world
        .emulator
        .requests()
        .iter()
        .filter_map(RecordedRequest::user_alias)
        .map(str::to_owned)
        .collect();
    assert!(
        aliases.len() == 3 && aliases.iter().all(|alias| alias.starts_with("person-")),
        "{aliases:?}"
    );
}

#[test]
fn sessions_within_the_bound_evict_no_other() {
    for most in [10, 100, 500] {
        let (world, runtime) = (world(), runtime());
        let builder = world.sessions_builder().with_credentials(credentials());
        let sessions = builder.with_max_sessions(most).build();
        for _ in 0..3 {
            assert!(on_tokio(&runtime, asking(&sessions, most)).iter().all(Result::is_ok));
        }
        assert_eq!((sessions.len(), world.sign_ins()), (most, most));
        assert!(runtime.block_on(sessions.access_token("one more")).is_ok());
        assert_eq!(sessions.len(), most);
    }
}

/// A source that never answers its first call.
struct Stuck(Arc<AtomicUsize>);

impl point_auth::blocking::CredentialSource for Stuck {
    fn credentials(&self) -> Result<Credentials, BoxError> {
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            std::thread::park();
        }
        Ok(credentials())
    }
}

#[test]
fn a_permit_of_a_hanging_source_expires_and_the_others_continue() {
    let world = World::threads();
    let asked = Arc::new(AtomicUsize::new(0));
    let sessions = point_auth::blocking::Sessions::builder(world.blocking_client())
        .with_credential_source(Stuck(Arc::clone(&asked)))
        .with_runtime(world.time.clone())
        .build();
    let ask = |number: usize| {
        let sessions = sessions.clone();
        std::thread::spawn(move || sessions.access_token(&format!("person-{number}")))
    };
    let first = ask(0);
    wait_until("the source to be asked", || asked.load(Ordering::SeqCst) == 1);
    let others: Vec<_> = (1..5).map(ask).collect();
    wait_until("all to sleep", || world.time.sleepers() >= 5);
    for _ in 0..4 {
        world.time.advance(Duration::from_secs(10));
    }
    // Their time is up by now, but later callers are not delayed.
    assert!(first.join().unwrap().is_err());
    for other in others {
        let _got = other.join().unwrap();
    }
    assert!(ask(6).join().unwrap().is_ok());
}

/// Whose tokens are reported as changed, and their owner.
type Told = (Option<String>, Option<String>);

/// Records whose tokens changed.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Told>>>);

impl Observer for Notes {
    fn tokens_changed(&self, user_alias: Option<&str>, tokens: Option<&StoredTokens>) {
        let owner = tokens.and_then(StoredTokens::user_alias).map(str::to_owned);
        self.0.lock().unwrap().push((user_alias.map(str::to_owned), owner));
    }
}

#[test]
fn an_observer_gets_the_current_owner_of_the_tokens() {
    let (world, runtime, notes) = (world(), runtime(), Notes::default());
    let jane = credentials().with_user_alias("jane").unwrap();
    let session = world.builder().with_credentials(jane).with_observer(notes.clone()).build();
    runtime.block_on(session.access_token()).unwrap();
    wait_until("the first notification", || !notes.0.lock().unwrap().is_empty());
    session.set_credentials(credentials().with_user_alias("bob").unwrap());
    world.time.advance(Duration::from_secs(60));
    runtime.block_on(session.access_token()).unwrap();
    // Waiters are woken before an observer is notified.
    let (jane, bob) = (Some("jane".to_owned()), Some("bob".to_owned()));
    let recorded = || notes.0.lock().unwrap().clone();
    wait_until("both notifications", || {
        recorded().len() >= 2 && recorded().last() == Some(&(bob.clone(), bob.clone()))
    });
    assert_eq!(recorded().first(), Some(&(jane.clone(), jane)));
}
