//! One login for many aliases: how many sign in at once, in which order, and which of them are kept.

use std::time::Duration;

use point_auth::session::{State, StoredTokensError};
use point_auth::{AccessToken, Credentials, Error, ErrorKind, Sessions, blocking};
use point_auth_testkit::{Fault, Operation};

use super::support::{ByHand, World, on_tokio};
use super::transports::wait_until;
use crate::support::{USERNAME, credentials, runtime};

fn asking(
    sessions: &Sessions,
    alias: String,
) -> impl Future<Output = Result<AccessToken, Error>> + Send + use<> {
    let sessions = sessions.clone();
    async move { sessions.access_token(&alias).await }
}

#[test]
fn at_most_four_sign_in_at_once_and_one_until_the_password_is_proven() {
    let (world, runtime) = (World::new(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    world.control.hold();
    let tasks: Vec<_> = (0..200)
        .map(|number| runtime.spawn(asking(&sessions, format!("person-{number}"))))
        .collect();
    world.control.wait_for_in_flight(1);
    wait_until("all to sleep", || world.time.sleepers() >= 399);
    assert_eq!(world.control.begun(), 1);
    world.emulator.always(Fault::pass().delay(Duration::from_millis(5)));
    world.control.release();
    for task in tasks {
        assert!(runtime.block_on(task).unwrap().is_ok());
    }
    assert_eq!((world.control.most(), world.sign_ins()), (4, 200));
}

#[test]
fn how_many_may_sign_in_at_once_is_a_setting() {
    for most in [1, 7] {
        let (world, runtime) = (World::new(), runtime());
        let builder = world.sessions_builder().with_credentials(credentials());
        let sessions = builder.with_max_concurrent_sign_ins(most).build();
        runtime.block_on(sessions.access_token("first")).unwrap();
        world.control.hold();
        let tasks: Vec<_> = (0..50)
            .map(|number| runtime.spawn(asking(&sessions, format!("person-{number}"))))
            .collect();
        world.control.wait_for_in_flight(most);
        world.control.release();
        for task in tasks {
            assert!(runtime.block_on(task).unwrap().is_ok());
        }
        assert_eq!(world.control.most(), most);
    }
}

#[test]
fn those_who_wait_sign_in_in_the_order_of_their_coming() {
    let (world, runtime) = (World::new(), super::support::single_thread());
    let builder = world.sessions_builder().with_credentials(credentials());
    let sessions = builder.with_max_concurrent_sign_ins(1).build();
    let tasks = (0..50).map(|number| asking(&sessions, format!("person-{number}")));
    assert!(on_tokio(&runtime, tasks).iter().all(Result::is_ok));
    let order: Vec<_> = world.emulator.requests();
    let order: Vec<_> = order.iter().filter_map(|request| request.user_alias()).collect();
    assert_eq!(order, (0..50).map(|number| format!("person-{number}")).collect::<Vec<_>>());
}

#[test]
fn refreshes_wait_for_no_turn() {
    let (world, runtime) = (World::new(), runtime());
    let builder = world.sessions_builder().with_credentials(credentials());
    let sessions = builder.with_max_concurrent_sign_ins(1).build();
    let all = |sessions: &Sessions| {
        (0..20).map(|number| asking(sessions, format!("person-{number}"))).collect::<Vec<_>>()
    };
    assert!(on_tokio(&runtime, all(&sessions)).iter().all(Result::is_ok));
    world.time.advance(Duration::from_secs(3600));
    world.control.hold();
    let tasks: Vec<_> = all(&sessions).into_iter().map(|task| runtime.spawn(task)).collect();
    world.control.wait_for_in_flight(20);
    world.control.release();
    for task in tasks {
        assert!(runtime.block_on(task).unwrap().is_ok());
    }
    assert_eq!((world.sign_ins(), world.refreshes()), (20, 20));
}

#[test]
fn one_who_is_cancelled_while_it_waits_for_its_turn_holds_nobody_up() {
    for is_neutral in [false, true] {
        let world = if is_neutral { World::neutral() } else { World::new() };
        let runtime = runtime();
        let builder = world.sessions_builder().with_credentials(credentials());
        let sessions = builder.with_max_concurrent_sign_ins(1).build();
        world.control.hold();
        let first = runtime.spawn(asking(&sessions, "first".to_owned()));
        world.control.wait_for_in_flight(1);
        let _in_tokio = runtime.enter();
        for number in 0..10 {
            let mut cancelled = ByHand::new(asking(&sessions, format!("cancelled-{number}")));
            assert!(cancelled.poll().is_pending());
        }
        let last = runtime.spawn(asking(&sessions, "last".to_owned()));
        world.control.release();
        assert!(runtime.block_on(first).unwrap().is_ok());
        assert!(runtime.block_on(last).unwrap().is_ok());
    }
}

#[test]
fn a_password_that_is_no_longer_taken_is_sent_at_most_four_times() {
    let (world, runtime) = (World::new(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    runtime.block_on(sessions.access_token("first")).unwrap();
    assert!(world.emulator.change_password(USERNAME, "another"));
    let tasks = (0..1000).map(|number| asking(&sessions, format!("person-{number}")));
    let got = on_tokio(&runtime, tasks);
    assert!(got.into_iter().all(|got| got.unwrap_err().kind() == ErrorKind::Denied));
    assert!(world.sign_ins() <= 5, "{}", world.sign_ins());
    // Who has a token keeps it.
    assert!(runtime.block_on(sessions.access_token("first")).is_ok());

    sessions.set_credentials(Credentials::new(USERNAME, "another").unwrap());
    let tasks = (0..100).map(|number| asking(&sessions, format!("person-{number}")));
    assert!(on_tokio(&runtime, tasks).iter().all(Result::is_ok));
}

#[test]
fn a_reset_reaches_all_of_them() {
    let (world, runtime) = (World::new(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    world.emulator.always(Fault::respond(429).header("retry-after", "600"));
    let jane = sessions.session("jane").unwrap();
    let joe = sessions.session("joe").unwrap();
    for session in [&jane, &joe] {
        assert!(runtime.block_on(session.access_token()).is_err());
        assert_eq!(session.snapshot().state, State::Paused);
    }
    world.emulator.clear_faults();
    sessions.reset();
    for session in [&jane, &joe] {
        assert!(runtime.block_on(session.access_token()).is_ok());
    }
}

#[test]
fn idle_ones_are_dropped_and_held_ones_never() {
    let (world, runtime) = (World::new(), runtime());
    let builder = world.sessions_builder().with_credentials(credentials());
    let sessions = builder.with_max_sessions(640).with_idle_time(Duration::from_secs(60)).build();
    let held: Vec<_> =
        (0..30).map(|number| sessions.session(&format!("held-{number}")).unwrap()).collect();
    for session in &held {
        runtime.block_on(session.access_token()).unwrap();
    }
    for number in 0..10_000 {
        sessions.session(&format!("passing-{number}")).unwrap();
    }
    // Give or take how evenly they spread.
    assert!((500..=670).contains(&sessions.len()), "{}", sessions.len());
    world.time.advance(Duration::from_secs(59));
    sessions.drop_idle();
    assert!(sessions.len() > 500);
    world.time.advance(Duration::from_secs(1));
    sessions.drop_idle();
    assert_eq!(sessions.len(), held.len());
    world.time.advance(Duration::from_secs(1000));
    for (number, session) in held.iter().enumerate() {
        let again = sessions.session(&format!("held-{number}")).unwrap();
        assert_eq!(again.current_token(), session.current_token());
        assert!(again.current_token().is_some());
    }
    assert_eq!(world.sign_ins(), held.len());
    drop(held);
    world.time.advance(Duration::from_secs(60));
    sessions.drop_idle();
    assert!(sessions.is_empty());
}

#[test]
fn stored_tokens_find_the_session_of_their_alias() {
    let (world, runtime) = (World::new(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    let token = runtime.block_on(sessions.access_token("jane")).unwrap();
    let stored = sessions.session("jane").unwrap().stored_tokens().unwrap();

    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    sessions.restore(stored.clone()).unwrap();
    assert_eq!(runtime.block_on(sessions.access_token("jane")).unwrap(), token);
    assert_eq!(world.sign_ins(), 1);
    assert_ne!(runtime.block_on(sessions.access_token("joe")).unwrap(), token);

    let other = Credentials::new("other@example.com", "password").unwrap();
    let refused = world.sessions_builder().with_credentials(other).build().restore(stored);
    assert!(matches!(refused, Err(StoredTokensError::OtherUsername)), "{refused:?}");
    let session = world.session();
    runtime.block_on(session.access_token()).unwrap();
    let of_no_alias = session.stored_tokens().unwrap();
    let refused = sessions.restore(of_no_alias);
    assert!(matches!(refused, Err(StoredTokensError::OtherUserAlias)), "{refused:?}");
}

#[test]
fn an_alias_that_cannot_be_one_is_refused_and_nothing_is_sent() {
    let (world, runtime) = (World::new(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    for alias in ["", &"a".repeat(100_000)] {
        assert!(sessions.session(alias).is_err());
        let error = runtime.block_on(sessions.access_token(alias)).unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Credentials, false));
    }
    assert!(sessions.is_empty());
    assert_eq!(world.control.begun(), 0);
}

#[test]
fn threads_share_a_login_as_well() {
    let world = World::threads();
    let sessions = blocking::Sessions::builder(world.blocking_client())
        .with_credentials(credentials())
        .with_runtime(world.time.clone())
        .build();
    let threads: Vec<_> = (0..60)
        .map(|number| {
            let sessions = sessions.clone();
            std::thread::spawn(move || sessions.access_token(&format!("person-{}", number % 30)))
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap().is_ok()));
    assert_eq!(world.emulator.count(Operation::SignIn), 30);
    assert!(world.control.most() <= 4, "{}", world.control.most());
    assert_eq!(sessions.len(), 30);
}

/// Two sign-ins of which nobody knows whether they counted are two of the login, whoever's they were.
#[test]
fn lost_sign_ins_are_counted_together() {
    let (world, runtime) = (World::new(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    world.emulator.always(Fault::close_after_request());
    let tasks = (0..100).map(|number| asking(&sessions, format!("person-{number}")));
    let got = on_tokio(&runtime, tasks);
    assert!(got.iter().all(Result::is_err));
    assert_eq!(world.sign_ins(), 3);
    world.emulator.clear_faults();
    world.time.advance(Duration::from_secs(9 * 60));
    assert!(runtime.block_on(sessions.access_token("person-1")).is_err());
    assert_eq!(world.sign_ins(), 3);
    world.time.advance(Duration::from_secs(61));
    assert!(runtime.block_on(sessions.access_token("person-1")).is_ok());
}
