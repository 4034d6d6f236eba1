//! Credential sources, for sessions that do not hold credentials.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use point_auth::transport::async_trait;
use point_auth::{BoxError, CredentialSource, Credentials, ErrorKind, blocking};
use point_auth_testkit::Fault;

use super::support::{World, many, on_threads, on_tokio, single_thread, texts};
use super::transports::{SmolTransport, wait_until};
use crate::support::{PASSWORD, USERNAME, runtime};

/// The behavior of a vault when it is asked.
#[derive(Clone)]
enum Vault {
    Has(String),
    Fails,
    Panics,
    Hangs,
}

#[derive(Clone)]
struct Source {
    vault: Arc<Mutex<Vault>>,
    asked: Arc<AtomicUsize>,
}

impl Source {
    fn new(vault: Vault) -> Self {
        Self { vault: Arc::new(Mutex::new(vault)), asked: Arc::default() }
    }

    fn right() -> Self {
        Self::new(Vault::Has(PASSWORD.to_owned()))
    }

    fn becomes(&self, vault: Vault) {
        *self.vault.lock().unwrap() = vault;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn ask(&self) -> Vault {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.vault.lock().unwrap().clone()
    }
}

fn answer(vault: Vault) -> Result<Credentials, BoxError> {
    match vault {
        Vault::Has(password) => Ok(Credentials::new(USERNAME, password)?),
        Vault::Panics => panic!("as the test wants it"),
        Vault::Fails | Vault::Hangs => Err("the vault is sealed".into()),
    }
}

#[async_trait]
impl CredentialSource for Source {
    async fn credentials(&self) -> Result<Credentials, BoxError> {
        match self.ask() {
            Vault::Hangs => pending().await,
            vault => answer(vault),
        }
    }
}

impl blocking::CredentialSource for Source {
    fn credentials(&self) -> Result<Credentials, BoxError> {
        answer(self.ask())
    }
}

#[test]
fn it_is_asked_once_for_a_thousand_callers_and_not_again_for_refreshes() {
    for world in [World::new(), World::threads()] {
        let (source, runtime) = (Source::right(), runtime());
        let session = world.builder().with_credential_source(source.clone()).build();
        assert!(on_tokio(&runtime, many(&session, 1000)).iter().all(Result::is_ok));
        for _ in 0..20 {
            world.time.advance(Duration::from_secs(3600));
            assert!(on_tokio(&runtime, many(&session, 10)).iter().all(Result::is_ok));
        }
        assert_eq!((source.asked(), world.sign_ins(), world.refreshes()), (1, 1, 20));
        // The refresh token has certainly expired.
        world.time.advance(Duration::from_secs(50 * 60 * 60));
        assert!(runtime.block_on(session.access_token()).is_ok());
        assert_eq!((source.asked(), world.sign_ins()), (2, 2));
    }
}

#[test]
fn it_is_asked_once_for_two_hundred_threads() {
    let (world, source) = (World::threads(), Source::right());
    let session = world.blocking_builder().with_credential_source(source.clone()).build();
    let threads = on_threads(200, &session, blocking::Session::access_token);
    assert!(threads.into_iter().all(|thread| thread.join().unwrap().is_ok()));
    assert_eq!((source.asked(), world.sign_ins()), (1, 1));
}

#[test]
fn a_source_that_fails_is_asked_again_and_callers_get_its_error() {
    let (world, source, runtime) = (World::new(), Source::new(Vault::Fails), runtime());
    let session = world.builder().with_credential_source(source.clone()).build();
    let waiting = runtime.spawn({
        let session = session.clone();
        async move { session.access_token().await }
    });
    world.pass_until(|| waiting.is_finished());
    let error = runtime.block_on(waiting).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Credentials, true));
    assert!(!error.may_have_been_sent());
    let causes = texts(&error);
    assert!(causes.iter().any(|cause| cause == "the vault is sealed"), "{causes:?}");
    assert_eq!((source.asked(), world.sign_ins()), (3, 0));

    source.becomes(Vault::Has(PASSWORD.to_owned()));
    world.time.advance(Duration::from_secs(1));
    assert!(runtime.block_on(session.access_token()).is_ok());
}

#[test]
fn a_source_that_panics_fails_its_callers_and_does_not_block_the_session() {
    for world in [World::new(), World::threads(), World::threads()] {
        let (source, runtime) = (Source::new(Vault::Panics), runtime());
        let session =
            world.builder_over(SmolTransport).with_credential_source(source.clone()).build();
        let waiting: Vec<_> =
            many(&session, 10).into_iter().map(|one| runtime.spawn(one)).collect();
        world.pass_until(|| waiting.iter().all(tokio::task::JoinHandle::is_finished));
        for one in waiting {
            let error = runtime.block_on(one).unwrap().unwrap_err();
            assert!(error.is_retryable() && !error.may_have_been_sent(), "{error:?}");
            assert_eq!(error.kind(), ErrorKind::Credentials);
            let said = texts(&error);
            assert!(said.contains(&"it panicked".to_owned()), "{said:?}");
        }
        source.becomes(Vault::Has(PASSWORD.to_owned()));
        world.time.advance(Duration::from_secs(1));
        assert!(runtime.block_on(session.access_token()).is_ok());
        assert_eq!(world.sign_ins(), 1);
    }
}

/// A reader must never get the token of another user.
#[test]
fn the_token_of_the_previous_user_is_dropped_when_the_source_names_another() {
    struct Person(Arc<Mutex<Credentials>>);

    #[async_trait]
    impl CredentialSource for Person {
        async fn credentials(&self) -> Result<Credentials, BoxError> {
            Ok(self.0.lock().unwrap().clone())
        }
    }

    let (world, runtime) = (World::new(), single_thread());
    let person = Arc::new(Mutex::new(Credentials::new("one@example.com", "password").unwrap()));
    let session = world.builder().with_credential_source(Person(Arc::clone(&person))).build();
    world
        .emulator
        .push_fault(Fault::respond(200).json(r#"{"access_token": "of-one", "expires_in": 3600}"#));
    let old = runtime.block_on(session.access_token()).unwrap();
    world.time.advance(Duration::from_secs(3500));
    *person.lock().unwrap() = crate::support::credentials();
    world.control.hold();
    let in_runtime = runtime.enter();
    // The task of the exchange does not run yet, and the others have the token meanwhile.
    assert_eq!(pollster::block_on(session.access_token()).unwrap(), old);
    assert_eq!(session.current_token(), Some(old.clone()));
    drop(in_runtime);
    runtime.block_on(async {
        while world.control.in_flight() == 0 {
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(session.current_token(), None);
    world.control.release();
    assert_ne!(runtime.block_on(session.access_token()).unwrap(), old);
}

#[test]
fn a_source_that_hangs_is_abandoned_after_thirty_seconds_and_asked_again() {
    for world in [World::new(), World::threads()] {
        let (source, runtime) = (Source::new(Vault::Hangs), runtime());
        let session = world.builder().with_credential_source(source.clone()).build();
        let patient = session.clone();
        let patient = runtime
            .spawn(async move { patient.access_token_within(Duration::from_secs(60)).await });
        wait_until("the question", || source.asked() == 1);
        let impatient = session.clone();
        let impatient = runtime.spawn(async move { impatient.access_token().await });
        wait_until("the sleepers", || world.time.sleepers() >= 3);
        world.time.advance(Duration::from_secs(15));
        assert_eq!(runtime.block_on(impatient).unwrap().unwrap_err().kind(), ErrorKind::Timeout);
        source.becomes(Vault::Has(PASSWORD.to_owned()));
        world.time.advance(Duration::from_secs(15));
        world.pass_until(|| patient.is_finished());
        assert!(runtime.block_on(patient).unwrap().is_ok());
        assert_eq!((source.asked(), world.sign_ins()), (2, 1));
    }
}

#[test]
fn a_password_that_was_rotated_is_found_after_the_denial_of_the_old_one() {
    for world in [World::new(), World::threads()] {
        let (source, runtime) = (Source::new(Vault::Has("of last month".to_owned())), runtime());
        let session = world.builder().with_credential_source(source.clone()).build();
        let denied = on_tokio(&runtime, many(&session, 100));
        assert!(denied.into_iter().all(|got| got.unwrap_err().kind() == ErrorKind::Denied));
        // It is asked from time to time, and unchanged credentials are not sent again.
        for _ in 0..10 {
            world.time.advance(Duration::from_secs(60));
            let denied = on_tokio(&runtime, many(&session, 10));
            assert!(denied.into_iter().all(|got| got.unwrap_err().kind() == ErrorKind::Denied));
        }
        assert_eq!((source.asked(), world.sign_ins()), (11, 1));
        source.becomes(Vault::Has(PASSWORD.to_owned()));
        world.time.advance(Duration::from_secs(60));
        assert!(runtime.block_on(session.access_token()).is_ok());
        assert_eq!((source.asked(), world.sign_ins()), (12, 2));
    }
}

/// Any remaining holder of the vault's content would keep this from being dropped.
#[test]
fn a_session_holds_its_source_and_nothing_beyond_its_own_end() {
    let world = World::threads();
    let source = Source::new(Vault::Hangs);
    let probe = Arc::downgrade(&source.asked);
    let session = world.builder().with_credential_source(source).build();
    let mut waiting = super::support::ByHand::new(super::support::getting(&session));
    assert!(waiting.poll().is_pending());
    drop(session);
    assert!(probe.upgrade().is_some());
    drop(waiting);
    // It has its thirty seconds nevertheless.
    world.pass_until(|| probe.upgrade().is_none());
}

#[test]
fn aliases_use_it_too_and_its_own_alias_is_ignored() {
    let source = Source::right();
    let world = World::new();
    let sessions = world.sessions_builder().with_credential_source(source.clone()).build();
    let runtime = runtime();
    for alias in ["jane", "joe"] {
        runtime.block_on(sessions.access_token(alias)).unwrap();
    }
    let sent = world.emulator.requests();
    assert_eq!(
        sent.iter().filter_map(|request| request.user_alias()).collect::<Vec<_>>(),
        ["jane", "joe"]
    );
    assert_eq!(source.asked(), 2);
}
