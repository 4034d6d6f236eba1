//! Observers, which store tokens, and sessions that start with stored tokens.

use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use point_auth::session::{ExchangeKind, Outcome, StoredTokens, StoredTokensError};
use point_auth::{Credentials, Observer, Session};
use point_auth_testkit::{Fault, Operation};

use super::support::{World, getting, many, on_tokio};
use super::transports::{LONG, wait_until};
use crate::support::{USERNAME, credentials, runtime};

/// Records its notifications.
#[derive(Clone, Default)]
struct Notes {
    exchanges: Arc<Mutex<Vec<String>>>,
    /// The access tokens to store, in order.
    stored: Arc<Mutex<Vec<Option<String>>>>,
    last: Arc<Mutex<Option<StoredTokens>>>,
}

fn access_token(tokens: &StoredTokens) -> String {
    let stored: serde_json::Value = serde_json::from_slice(tokens.expose_json().as_ref()).unwrap();
    stored["access_token"].as_str().unwrap_or_default().to_owned()
}

impl Observer for Notes {
    fn exchange_ended(&self, user_alias: Option<&str>, outcome: &Outcome) {
        let what = match outcome {
            Outcome::Renewed { kind: ExchangeKind::SignIn, .. } => "signed in",
            Outcome::Renewed { .. } => "refreshed",
            Outcome::Denied { .. } => "denied",
            Outcome::RefreshRefused { .. } => "refused",
            Outcome::Retrying { .. } => "retrying",
            Outcome::Failed { .. } => "failed",
            _ => "ignored",
        };
        let whose = user_alias.map_or(String::new(), |alias| format!("{alias} "));
        self.exchanges.lock().unwrap().push(format!("{whose}{what}"));
    }

    fn tokens_changed(&self, _: Option<&str>, tokens: Option<&StoredTokens>) {
        self.stored.lock().unwrap().push(tokens.map(access_token));
        *self.last.lock().unwrap() = tokens.cloned();
    }
}

fn observed(world: &World, credentials: Credentials) -> (Session, Notes) {
    let notes = Notes::default();
    let builder = world.builder().with_credentials(credentials).with_observer(notes.clone());
    (builder.build(), notes)
}

#[test]
fn it_is_notified_once_of_each_exchange_with_many_waiters() {
    for world in [World::new(), World::threads()] {
        let (session, notes) = observed(&world, credentials());
        let runtime = runtime();
        for _ in 0..3 {
            assert!(on_tokio(&runtime, many(&session, 100)).iter().all(Result::is_ok));
            world.time.advance(Duration::from_secs(3600));
        }
        world.emulator.always_for(Operation::Refresh, Fault::respond(404));
        world
            .emulator
            .push_fault_for(Operation::SignIn, Fault::respond(429).header("retry-after", "5"));
        assert!(on_tokio(&runtime, many(&session, 100)).iter().all(Result::is_err));
        let expected = ["signed in", "refreshed", "refreshed", "refused", "failed"];
        wait_until("the last note", || notes.exchanges.lock().unwrap().len() == expected.len());
        assert_eq!(*notes.exchanges.lock().unwrap(), expected);
    }
}

#[test]
fn it_is_notified_of_a_denial_with_its_alias() {
    let world = World::new();
    let wrong =
        Credentials::new(USERNAME, "incorrect horse").unwrap().with_user_alias("jane").unwrap();
    let (session, notes) = observed(&world, wrong);
    assert!(runtime().block_on(session.access_token()).is_err());
    wait_until("the note", || !notes.exchanges.lock().unwrap().is_empty());
    assert_eq!(*notes.exchanges.lock().unwrap(), ["jane denied"]);
    assert!(notes.stored.lock().unwrap().is_empty());
}

#[test]
fn it_is_notified_of_tokens_in_order_and_of_their_loss() {
    let world = World::new();
    let (session, notes) = observed(&world, credentials());
    let runtime = runtime();
    let mut expected = Vec::new();
    for number in 1..=10 {
        let token = runtime.block_on(session.access_token()).unwrap();
        expected.push(Some(token.expose().to_owned()));
        wait_until("the token", || notes.stored.lock().unwrap().len() == expected.len());
        world.time.advance(Duration::from_secs(60));
        // Many at once, of which one changes something.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| session.invalidate(&token));
            }
        });
        // The refresh token is still there.
        expected.push(Some(String::new()));
        wait_until("the change", || notes.stored.lock().unwrap().len() == expected.len());
        assert_eq!(*notes.stored.lock().unwrap(), expected, "{number}");
    }
}

/// Waits until a caller has its result.
#[derive(Clone, Default)]
struct Patient {
    answered: Arc<(Mutex<bool>, Condvar)>,
    /// Whether the result came while it waited.
    saw: Arc<Mutex<Vec<bool>>>,
}

impl Observer for Patient {
    fn exchange_ended(&self, _: Option<&str>, _: &Outcome) {
        let (answered, changed) = &*self.answered;
        let waits = |answered: &mut bool| !*answered;
        let (answered, _timeout) =
            changed.wait_timeout_while(answered.lock().unwrap(), LONG, waits).unwrap();
        self.saw.lock().unwrap().push(*answered);
    }
}

#[test]
fn callers_have_their_result_before_it_is_notified() {
    let world = World::new();
    let runtime = runtime();
    let donor = world.session();
    runtime.block_on(donor.access_token()).unwrap();
    let denial = Fault::respond(400).json(r#"{"error": "invalid_grant"}"#);
    for fault in [Fault::pass(), denial.clone(), Fault::respond(404)] {
        // Without credentials, a refusal is final.
        let patient = Patient::default();
        let session = world.builder().with_observer(patient.clone()).build();
        session.restore(donor.stored_tokens().unwrap()).unwrap();
        world.time.advance(Duration::from_secs(3600));
        world.emulator.push_fault_for(Operation::Refresh, fault);
        let _got = runtime.block_on(session.access_token());
        *patient.answered.0.lock().unwrap() = true;
        patient.answered.1.notify_all();
        wait_until("the note", || !patient.saw.lock().unwrap().is_empty());
        assert_eq!(*patient.saw.lock().unwrap(), [true]);
    }
}

/// Notified during a notification, by an observer that changes the session itself.
#[test]
fn it_may_change_the_session_that_notifies_it() {
    #[derive(Clone, Default)]
    struct Meddling {
        session: Arc<OnceLock<Session>>,
        notified: Arc<Mutex<usize>>,
    }

    impl Observer for Meddling {
        fn tokens_changed(&self, _: Option<&str>, _: Option<&StoredTokens>) {
            *self.notified.lock().unwrap() += 1;
            let session = self.session.get().unwrap();
            session.reset();
            assert!(session.stored_tokens().is_some());
            if let Some(token) = session.current_token() {
                session.invalidate(&token);
            }
        }
    }

    let world = World::new();
    let meddling = Meddling::default();
    let session =
        world.builder().with_credentials(credentials()).with_observer(meddling.clone()).build();
    assert!(meddling.session.set(session.clone()).is_ok());
    // The token may be dropped before the caller sees it.
    let _got = runtime().block_on(session.access_token());
    wait_until("both changes", || *meddling.notified.lock().unwrap() == 2);
}

#[test]
fn a_restart_from_stored_tokens_makes_no_exchange() {
    let world = World::new();
    let (session, notes) = observed(&world, credentials());
    let runtime = runtime();
    let token = runtime.block_on(session.access_token()).unwrap();
    wait_until("the tokens", || notes.last.lock().unwrap().is_some());
    let json = notes.last.lock().unwrap().take().unwrap().expose_json();
    drop(session);
    world.time.advance(Duration::from_secs(1800));

    let (session, notes) = observed(&world, credentials());
    session.restore(StoredTokens::from_json(json.as_ref()).unwrap()).unwrap();
    assert_eq!(session.current_token(), Some(token.clone()));
    assert_eq!(runtime.block_on(session.access_token()).unwrap(), token);
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 0));
    // It continues with the refresh token from where it was.
    world.time.advance(Duration::from_secs(1800));
    assert_ne!(runtime.block_on(session.access_token()).unwrap(), token);
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 1));
    wait_until("the note", || !notes.exchanges.lock().unwrap().is_empty());
}

#[test]
fn a_session_without_credentials_uses_stored_tokens_until_it_needs_a_sign_in() {
    let world = World::threads();
    let session = world.blocking_session();
    session.access_token().unwrap();
    let stored = session.stored_tokens().unwrap();
    let session = world.blocking_builder().build();
    assert_eq!(session.access_token().unwrap_err().kind(), point_auth::ErrorKind::SignInNeeded);
    session.restore(stored).unwrap();
    session.access_token().unwrap();
    world.time.advance(Duration::from_secs(3600));
    session.access_token().unwrap();
    world.time.advance(Duration::from_secs(50 * 60 * 60));
    let error = session.access_token().unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (point_auth::ErrorKind::SignInNeeded, false));
    assert_eq!((world.sign_ins(), world.refreshes()), (1, 1));
}

#[test]
fn the_tokens_of_another_user_are_refused() {
    let world = World::new();
    let session = world.session();
    runtime().block_on(session.access_token()).unwrap();
    let stored = session.stored_tokens().unwrap();
    let other = Credentials::new("other@example.com", "password").unwrap();
    let refused = world.builder().with_credentials(other).build().restore(stored.clone());
    assert!(matches!(refused, Err(StoredTokensError::OtherUsername)), "{refused:?}");
    let aliased = credentials().with_user_alias("jane").unwrap();
    let refused = world.builder().with_credentials(aliased).build().restore(stored.clone());
    assert!(matches!(refused, Err(StoredTokensError::OtherUserAlias)), "{refused:?}");
    let elsewhere = World::new();
    let refused = elsewhere.session().restore(stored.clone());
    assert!(matches!(refused, Err(StoredTokensError::OtherBaseUrl)), "{refused:?}");
    assert!(world.session().restore(stored).is_ok());
}

/// Records which exchanges begin.
#[derive(Clone, Default)]
struct Starts(Arc<Mutex<Vec<(ExchangeKind, u32)>>>);

impl Observer for Starts {
    fn exchange_began(&self, _: Option<&str>, kind: ExchangeKind, attempt: u32) {
        self.0.lock().unwrap().push((kind, attempt));
    }
}

/// Panics at each call.
struct Panics;

impl Observer for Panics {
    fn exchange_began(&self, _: Option<&str>, _: ExchangeKind, _: u32) {
        panic!("an observer of the test");
    }

    fn exchange_ended(&self, _: Option<&str>, _: &Outcome) {
        panic!("an observer of the test");
    }
}

#[test]
fn several_observers_are_notified_although_one_panics() {
    let world = World::new();
    let (first, last) = (Notes::default(), Notes::default());
    let builder = world.builder().with_credentials(credentials());
    let builder = builder.with_observer(first.clone()).with_observer(Panics);
    let session = builder.with_observer(last.clone()).build();
    assert!(on_tokio(&runtime(), many(&session, 1))[0].is_ok());
    for notes in [first, last] {
        wait_until("the note", || !notes.exchanges.lock().unwrap().is_empty());
        assert_eq!(*notes.exchanges.lock().unwrap(), ["signed in"]);
        assert_eq!(notes.stored.lock().unwrap().len(), 1);
    }
}

#[test]
fn each_exchange_is_announced_before_it_is_sent_with_the_number_of_its_attempt() {
    let world = World::new();
    let starts = Starts::default();
    let builder = world.builder().with_credentials(credentials());
    let session = builder.with_observer(starts.clone()).build();
    let runtime = runtime();
    assert!(on_tokio(&runtime, many(&session, 10)).iter().all(Result::is_ok));
    world.time.advance(Duration::from_secs(3600));
    world.emulator.push_fault_for(Operation::Refresh, Fault::respond(503));
    world.emulator.push_fault_for(Operation::Refresh, Fault::respond(404));
    let task = runtime.spawn(getting(&session));
    world.pass_until(|| task.is_finished());
    runtime.block_on(task).unwrap().unwrap();
    let expected = [
        (ExchangeKind::SignIn, 1),
        (ExchangeKind::Refresh, 1),
        (ExchangeKind::Refresh, 2),
        (ExchangeKind::SignIn, 2),
    ];
    assert_eq!(*starts.0.lock().unwrap(), expected);
}
