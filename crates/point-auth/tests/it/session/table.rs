//! The figures that users measure: how many exchanges many callers cause, and how callers are
//! affected when one fails.

use std::time::Duration;

use point_auth::ErrorKind;
use point_auth_testkit::Fault;

use super::support::{
    ByHand, EXECUTORS, Executor, Maybe, World, getting, many, on_tokio, single_thread,
};
use super::transports::Trick;
use crate::support::runtime;

#[test]
fn ten_thousand_tasks_on_an_empty_session_cause_one_exchange() {
    for executor in EXECUTORS {
        let world = executor.world();
        let session = world.session_over(executor.transport());
        world.emulator.always(Fault::pass().delay(Duration::from_millis(50)));
        let got = executor.run(many(&session, 10_000));
        let first = got[0].as_ref().unwrap();
        assert!(got.iter().all(|got| got.as_ref().unwrap() == first), "{executor:?}");
        assert_eq!((world.sign_ins(), world.refreshes()), (1, 0), "{executor:?}");
    }
}

/// Time stands still, so that no caller can be waiting for it.
#[test]
fn the_first_caller_is_canceled_and_the_others_are_served_by_its_exchange_without_delay() {
    for executor in EXECUTORS {
        for suspensions in 0..4 {
            for polls in 0..6 {
                let world = executor.world();
                let session = world.session_over(executor.transport());
                world.control.play(Trick::Suspend(suspensions));
                let first = getting(&session);
                let canceled = async move {
                    let mut first = ByHand::new(first);
                    for _ in 0..polls {
                        if first.poll().is_ready() {
                            break;
                        }
                        smol::future::yield_now().await;
                    }
                    None
                };
                let canceled: Maybe = Box::pin(canceled);
                let others = many(&session, 20)
                    .into_iter()
                    .map(|other| -> Maybe { Box::pin(async move { Some(other.await) }) });
                let got = executor.run(std::iter::once(canceled).chain(others));
                assert!(got.into_iter().flatten().all(|got| got.is_ok()), "{executor:?} {polls}");
                assert_eq!(
                    world.sign_ins(),
                    1,
                    "{executor:?}, {suspensions} suspensions, {polls} polls"
                );
            }
        }
    }
}

#[test]
fn the_first_caller_is_never_polled_again_and_the_others_are_served_without_delay() {
    for executor in EXECUTORS {
        let world = executor.world();
        let session = world.session_over(executor.transport());
        world.control.play(Trick::Suspend(3));
        world.control.hold();
        let runtime = runtime();
        let _in_tokio =
            matches!(executor, Executor::Tokio | Executor::TokioOne).then(|| runtime.enter());
        let mut first = ByHand::new(getting(&session));
        assert!(first.poll().is_pending());
        drop(_in_tokio);
        world.control.release();
        let got = executor.run(many(&session, 100));
        assert!(got.iter().all(Result::is_ok), "{executor:?}");
        assert_eq!(world.sign_ins(), 1, "{executor:?}");
        drop(first);
    }
}

#[test]
fn the_first_exchange_fails_and_all_callers_succeed_after_the_second() {
    for executor in EXECUTORS {
        let world = executor.world();
        let session = world.session_over(executor.transport());
        world.emulator.push_fault(Fault::respond(500));
        let callers = many(&session, 1000);
        let running = std::thread::spawn(move || executor.run(callers));
        world.pass_until(|| running.is_finished());
        assert!(running.join().unwrap().iter().all(Result::is_ok), "{executor:?}");
        assert_eq!(world.sign_ins(), 2, "{executor:?}");
    }
}

#[test]
fn a_server_that_keeps_failing_is_sent_at_most_four_exchanges_in_two_seconds_and_all_callers_return()
 {
    for executor in EXECUTORS {
        let world = executor.world();
        let session = world.session_over(executor.transport());
        world.emulator.always(Fault::respond(500));
        // Callers that retry at once, up to three times.
        let callers: Vec<_> = (0..1000)
            .map(|_| {
                let session = session.clone();
                async move {
                    for _ in 0..2 {
                        let _failed = session.access_token().await;
                    }
                    session.access_token().await
                }
            })
            .collect();
        let running = std::thread::spawn(move || executor.run(callers));
        let passed = world.pass_until(|| running.is_finished());
        for got in running.join().unwrap() {
            let error = got.unwrap_err();
            assert_eq!(
                (error.kind(), error.is_retryable()),
                (ErrorKind::Unexpected, true),
                "{executor:?}"
            );
            assert!(error.retry_after().is_some());
        }
        let left = Duration::from_secs(2).saturating_sub(passed);
        if !left.is_zero() {
            world.pass(left);
        }
        // Time passes while callers are kept from running: four for each two seconds of it.
        let spans = usize::try_from(passed.as_secs() / 2).unwrap() + 1;
        assert!(world.sign_ins() <= 4 * spans, "{executor:?}: {} in {passed:?}", world.sign_ins());
    }
}

#[test]
fn a_thread_that_started_the_exchange_may_leave_and_later_callers_are_served() {
    let world = World::new();
    let session = world.session();
    world.control.hold();
    let runtime = single_thread();
    runtime.block_on(async {
        let mut first = ByHand::new(getting(&session));
        assert!(first.poll().is_pending());
        tokio::task::yield_now().await;
    });
    assert_eq!(world.control.in_flight(), 1);
    world.control.release();
    assert!(on_tokio(&runtime, many(&session, 10)).iter().all(Result::is_ok));
    assert_eq!(world.sign_ins(), 1);
}
