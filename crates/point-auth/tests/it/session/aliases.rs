//! One login for many aliases: how many sign in at once, in which order, and which are kept.

use std::time::Duration;

use point_auth::session::{State, StoredTokensError};
use point_auth::{AccessToken, Credentials, Error, ErrorKind, Sessions, blocking};
use point_auth_testkit::{Emulator, Fault, Operation};

use super::support::{ByHand, World, on_tokio};
use super::transports::wait_until;
use crate::support::{PASSWORD, USERNAME, credentials, runtime};

fn asking(
    sessions: &Sessions,
    alias: String,
) -> impl Future<Output = Result<AccessToken, Error>> + Send + use<> {
    let sessions = sessions.clone();
    async move { sessions.access_token(&alias).await }
}

#[test]
fn at_most_three_sign_in_at_once_but_only_one_until_the_password_is_proven() {
    let (world, runtime) = (World::new(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    world.control.hold();
    let tasks: Vec<_> = (0..200)
        .map(|number| runtime.spawn(asking(&sessions, format!("person-{number}"))))
        .collect();
    world.control.wait_for_in_flight(1);
    wait_until("all to sleep", || world.time.sleepers() >= 200);
    assert_eq!(world.control.begun(), 1);
    world.emulator.always(Fault::pass().delay(Duration::from_millis(5)));
    world.control.release();
    for task in tasks {
        assert!(runtime.block_on(task).unwrap().is_ok());
    }
    assert_eq!((world.control.most(), world.sign_ins()), (3, 200));
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
fn waiting_sessions_sign_in_in_order_of_arrival() {
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
fn refreshes_wait_for_no_permit() {
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
fn a_caller_that_is_canceled_while_it_waits_for_a_permit_delays_no_other() {
    {
        let (world, runtime) = (World::new(), runtime());
        let builder = world.sessions_builder().with_credentials(credentials());
        let sessions = builder.with_max_concurrent_sign_ins(1).build();
        world.control.hold();
        let first = runtime.spawn(asking(&sessions, "first".to_owned()));
        world.control.wait_for_in_flight(1);
        let _in_tokio = runtime.enter();
        for number in 0..10 {
            let mut canceled = ByHand::new(asking(&sessions, format!("canceled-{number}")));
            assert!(canceled.poll().is_pending());
        }
        let last = runtime.spawn(asking(&sessions, "last".to_owned()));
        world.control.release();
        assert!(runtime.block_on(first).unwrap().is_ok());
        assert!(runtime.block_on(last).unwrap().is_ok());
    }
}

/// A server where only the aliases that begin with `good` are enabled.
fn with_bad_aliases() -> World {
    let good = (0..1_000).map(|number| format!("good-{number}"));
    let emulator = Emulator::builder().user_with_aliases(USERNAME, PASSWORD, good).start().unwrap();
    World::of(emulator, point_auth::TokioRuntime::new())
}

/// Returns the maximum number of times that any alias was sent.
fn most_sent(world: &World) -> usize {
    let mut sent = std::collections::BTreeMap::<String, usize>::new();
    for request in world.emulator.requests() {
        *sent.entry(request.user_alias().unwrap_or_default().to_owned()).or_default() += 1;
    }
    sent.into_values().max().unwrap_or(0)
}

fn kinds(got: &[Result<AccessToken, Error>]) -> (usize, usize, usize) {
    let count = |kind: ErrorKind| {
        let is_so = |one: &&Result<_, Error>| matches!(one, Err(error) if error.kind() == kind);
        got.iter().filter(is_so).count()
    };
    let good = got.iter().filter(|one| one.is_ok()).count();
    (good, count(ErrorKind::Denied), count(ErrorKind::Held))
}

#[test]
fn every_good_alias_gets_its_token_among_bad_ones_and_each_bad_one_is_sent_once() {
    let (world, runtime) = (with_bad_aliases(), super::support::single_thread());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    let ask = |alias: String| runtime.block_on(asking(&sessions, alias));
    // The first of all is a bad one.
    let denied = ask("bad-0".to_owned()).unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied);
    let tasks = (1..1_000).map(|number| {
        let alias =
            if number % 10 == 0 { format!("bad-{number}") } else { format!("good-{number}") };
        asking(&sessions, alias)
    });
    // In another order, three bad ones in a row would start a hold.
    let mut got = on_tokio(&runtime, tasks);
    got.push(ask("bad-0".to_owned()));
    assert_eq!(kinds(&got), (900, 100, 0));
    assert_eq!((world.sign_ins(), most_sent(&world)), (1_000, 1));
    let snapshot = sessions.snapshot();
    assert_eq!((snapshot.in_state(State::Good), snapshot.in_state(State::Denied)), (900, 100));
    assert_eq!((snapshot.ledger.worked, snapshot.ledger.denied), (900, 100));
}

#[test]
fn invented_aliases_are_sent_three_times_in_ten_minutes_and_hold_none_that_has_worked() {
    let (world, runtime) = (with_bad_aliases(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    for number in 0..10 {
        runtime.block_on(asking(&sessions, format!("good-{number}"))).unwrap();
    }
    let made_up = |from: usize| {
        let tasks = (from..from + 500).map(|number| asking(&sessions, format!("made-up-{number}")));
        on_tokio(&runtime, tasks)
    };
    assert_eq!(kinds(&made_up(0)), (0, 3, 497));
    assert_eq!(kinds(&made_up(500)), (0, 0, 500));
    assert_eq!(world.sign_ins(), 13);
    // Aliases that have worked sign in freely, also while the others are held.
    for number in 0..10 {
        let session = sessions.session(&format!("good-{number}")).unwrap();
        session.invalidate(&session.current_token().unwrap());
        world.time.advance(Duration::from_secs(30));
        runtime.block_on(session.access_token()).unwrap();
    }
    let held = runtime.block_on(asking(&sessions, "good-10".to_owned())).unwrap_err();
    assert_eq!((held.kind(), held.is_retryable()), (ErrorKind::Held, true));
    assert!(held.denial().is_none(), "the denial of another alias");
    world.time.advance(Duration::from_secs(600));
    assert_eq!(kinds(&made_up(1_000)), (0, 1, 499));
}

#[test]
fn a_wrong_password_is_sent_three_times_for_a_thousand_aliases_and_all_fail_at_once() {
    let (world, runtime) = (World::new(), runtime());
    let wrong = Credentials::new(USERNAME, "wrong").unwrap();
    let sessions = world.sessions_builder().with_credentials(wrong).build();
    let ask = || {
        let tasks = (0..1_000).map(|number| asking(&sessions, format!("person-{number}")));
        on_tokio(&runtime, tasks)
    };
    // No time passes: the others fail without waiting for anything but the three.
    assert_eq!(kinds(&ask()), (0, 3, 997));
    assert_eq!((world.sign_ins(), world.control.most()), (3, 1));
    for (hours, sent) in [(1, 4), (2, 5), (4, 6), (1_000, 6)] {
        world.time.advance(Duration::from_secs(hours * 3600));
        assert_eq!(ask().iter().filter(|one| one.is_ok()).count(), 0);
        assert_eq!(world.sign_ins(), sent);
    }
    let error = ask().pop().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Held, false));
    // The reset of one alias does not reset the login.
    sessions.session("person-999").unwrap().reset();
    assert_eq!(ask().iter().filter(|one| one.is_ok()).count() + world.sign_ins(), 6);
    sessions.set_credentials(credentials());
    assert!(ask().iter().all(Result::is_ok));
}

#[test]
fn a_password_that_is_changed_at_the_server_is_denied_at_most_three_times() {
    let (world, runtime) = (World::new(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    let ask = || {
        let tasks = (0..1_000).map(|number| asking(&sessions, format!("person-{number}")));
        on_tokio(&runtime, tasks)
    };
    assert!(ask().iter().all(Result::is_ok));
    assert!(world.emulator.change_password(USERNAME, "another"));
    // The refresh tokens have expired, so all must sign in again.
    world.time.advance(Duration::from_secs(50 * 3600));
    assert_eq!(kinds(&ask()), (0, 3, 997));
    assert_eq!(world.sign_ins(), 1_003);
    for (minutes, sent) in [(10, 1_004), (20, 1_005)] {
        world.time.advance(Duration::from_secs(minutes * 60));
        assert_eq!(ask().iter().filter(|one| one.is_ok()).count(), 0);
        assert_eq!(world.sign_ins(), sent);
    }
    sessions.set_credentials(Credentials::new(USERNAME, "another").unwrap());
    assert!(ask().iter().all(Result::is_ok));
}

#[test]
fn a_trial_that_works_ends_the_hold_for_all_at_once() {
    let (world, runtime) = (World::new(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    runtime.block_on(asking(&sessions, "first".to_owned())).unwrap();
    assert!(world.emulator.change_password(USERNAME, "another"));
    let ask = || {
        let tasks = (0..100).map(|number| asking(&sessions, format!("person-{number}")));
        on_tokio(&runtime, tasks)
    };
    assert_eq!(kinds(&ask()), (0, 3, 97));
    // The server accepts the password again. A hold ends with the first trial that shows it.
    assert!(world.emulator.change_password(USERNAME, PASSWORD));
    world.time.advance(Duration::from_secs(601));
    assert_eq!(kinds(&ask()), (97, 3, 0));
    sessions.reset();
    assert!(ask().iter().all(Result::is_ok));
}

#[test]
fn aliases_that_have_worked_go_first() {
    let (world, runtime) = (World::new(), super::support::single_thread());
    let builder = world.sessions_builder().with_credentials(credentials());
    let sessions = builder.with_max_concurrent_sign_ins(1).build();
    runtime.block_on(asking(&sessions, "old".to_owned())).unwrap();
    world.time.advance(Duration::from_secs(50 * 3600));
    world.control.hold();
    let first = runtime.spawn(asking(&sessions, "new-0".to_owned()));
    runtime.block_on(async { tokio::task::yield_now().await });
    world.control.wait_for_in_flight(1);
    let aliases = ["new-1", "new-2", "old"];
    let rest: Vec<_> =
        aliases.map(|alias| runtime.spawn(asking(&sessions, alias.to_owned()))).into();
    runtime.block_on(async { tokio::task::yield_now().await });
    world.control.release();
    for task in std::iter::once(first).chain(rest) {
        runtime.block_on(task).unwrap().unwrap();
    }
    let order = world.emulator.requests();
    let order: Vec<_> = order.iter().filter_map(|request| request.user_alias()).collect();
    assert_eq!(order, ["old", "new-0", "old", "new-1", "new-2"]);
}

#[test]
fn sessions_can_be_listed_and_removed() {
    let (world, runtime) = (World::new(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    for alias in ["ann", "bob", "cyd"] {
        runtime.block_on(asking(&sessions, alias.to_owned())).unwrap();
    }
    let mut all = sessions.all();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    let aliases: Vec<_> = all.iter().map(|(alias, _)| alias.as_str()).collect();
    assert_eq!(aliases, ["ann", "bob", "cyd"]);
    assert!(all.iter().all(|(alias, session)| session.user_alias().as_ref() == Some(alias)));
    let bob = all.remove(1).1;
    assert!(sessions.remove("bob") && !sessions.remove("bob"));
    assert_eq!((sessions.len(), sessions.snapshot().sessions()), (2, 2));
    assert_eq!(sessions.snapshot().counts.sign_ins, 2);
    // A session that is held continues.
    assert!(bob.current_token().is_some());
    runtime.block_on(asking(&sessions, "bob".to_owned())).unwrap();
    assert_eq!(world.sign_ins(), 4);
}

#[test]
fn a_reset_applies_to_all_sessions() {
    let (world, runtime) = (World::new(), runtime());
    let sessions = world.sessions_builder().with_credentials(credentials()).build();
    world.emulator.always(Fault::respond(429).header("retry-after", "600"));
    let jane = sessions.session("jane").unwrap();
    let joe = sessions.session("joe").unwrap();
    for session in [&jane, &joe] {
        assert!(runtime.block_on(session.access_token()).is_err());
        assert_eq!(session.snapshot().state, State::BackingOff);
    }
    world.emulator.clear_faults();
    sessions.reset();
    for session in [&jane, &joe] {
        assert!(runtime.block_on(session.access_token()).is_ok());
    }
}

#[test]
fn idle_sessions_are_dropped_and_held_ones_never() {
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
    // With some tolerance for how evenly they spread.
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
fn an_invalid_alias_is_refused_and_nothing_is_sent() {
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
fn threads_share_a_login_too() {
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
    assert!(world.control.most() <= 3, "{}", world.control.most());
    assert_eq!(sessions.len(), 30);
}

/// Two sign-ins with unknown outcome count for the login, whichever aliases they were for.
#[test]
fn unknown_sign_ins_are_counted_together() {
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
