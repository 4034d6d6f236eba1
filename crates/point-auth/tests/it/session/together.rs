//! Without tasks: all who wait share the exchange, an event of it wakes few of them, and any of them drives it on.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use point_auth::session::Now;
use point_auth::{Runtime, Task};
use point_auth_testkit::{Fault, VirtualTime};

use super::support::{ByHand, Getting, Got, World, getting, many};
use super::transports::{OnThread, SmolTransport, Trick, wait_until};
use crate::support::credentials;

fn waiters(world_session: &point_auth::Session, count: usize) -> Vec<ByHand<Getting>> {
    let mut waiters: Vec<_> = many(world_session, count).into_iter().map(ByHand::new).collect();
    for waiter in &mut waiters {
        assert!(waiter.poll().is_pending());
    }
    for waiter in &waiters {
        waiter.was_woken();
    }
    waiters
}

fn woken(waiters: &[ByHand<Getting>]) -> Vec<usize> {
    (0..waiters.len()).filter(|place| waiters[*place].was_woken()).collect()
}

/// Polls whoever is woken, until all have theirs.
fn serve(waiters: &mut Vec<ByHand<Getting>>) -> Vec<Got> {
    let mut got = Vec::new();
    wait_until("a token for all", || {
        waiters.retain_mut(|waiter| match waiter.was_woken().then(|| waiter.poll()) {
            Some(Poll::Ready(result)) => {
                got.push(result);
                false
            }
            _ => true,
        });
        waiters.is_empty()
    });
    got
}

#[test]
fn an_event_wakes_two_of_a_thousand() {
    let world = World::neutral();
    let session = world.session_over(SmolTransport);
    world.control.hold();
    let mut waiters = waiters(&session, 1000);
    for _ in 0..100 {
        world.control.disturb();
        let woken = woken(&waiters);
        assert_eq!(woken.len(), 2, "{woken:?}");
        for place in woken {
            assert!(waiters[place].poll().is_pending());
        }
    }
    world.control.release();
    assert!(serve(&mut waiters).iter().all(Result::is_ok));
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn an_answer_in_many_pieces_wakes_few_of_a_thousand_until_it_is_whole() {
    let world = World::neutral();
    let session = world.session_over(SmolTransport);
    world.emulator.always(Fault::pass().drip(20, Duration::from_millis(1)));
    let mut waiters = waiters(&session, 1000);
    let mut events = 0;
    wait_until("the whole answer", || {
        let woken = woken(&waiters);
        events += usize::from(!woken.is_empty());
        for place in &woken {
            if waiters[*place].poll().is_ready() {
                return true;
            }
        }
        // Events may come while those of the one before are polled.
        assert!(
            woken.len() <= 8 || session.current_token().is_some(),
            "{} were woken",
            woken.len()
        );
        false
    });
    assert!(events > 5, "{events}");
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn more_are_woken_where_the_first_two_are_never_polled() {
    let world = World::neutral();
    let session = world.session_over(SmolTransport);
    world.control.hold();
    let mut waiters = waiters(&session, 1000);
    world.control.release();
    let dead = woken(&waiters);
    assert_eq!(dead.len(), 2);
    world.time.advance(Duration::from_millis(5));
    let more = woken(&waiters);
    assert_eq!(more.len(), 4);
    assert!(more.iter().all(|place| !dead.contains(place)));
    world.time.advance(Duration::from_millis(5));
    let still_more = woken(&waiters);
    assert_eq!(still_more.len(), 8);
    // Now they look, and nobody else is woken for want of them.
    let mut live: Vec<_> = Vec::new();
    for place in (0..waiters.len()).rev() {
        let waiter = waiters.remove(place);
        match still_more.contains(&place) {
            true => live.push(waiter),
            false => drop(waiter),
        }
    }
    for waiter in &mut live {
        assert!(waiter.poll().is_pending());
    }
    world.time.advance(Duration::from_millis(5));
    assert!(serve(&mut live).iter().all(Result::is_ok));
    assert_eq!(world.sign_ins(), 1);
}

/// A time in which 5 ms are over as soon as somebody wants to sleep for so long.
#[derive(Clone, Debug)]
struct Hasty(VirtualTime);

impl Runtime for Hasty {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        match time.saturating_sub(self.now().monotonic) <= Duration::from_millis(5) {
            true => Box::pin(std::future::ready(())),
            false => self.0.sleep_until(time),
        }
    }
}

#[test]
fn all_are_woken_where_none_looks_and_time_is_over_at_once() {
    let world = World::neutral();
    let builder = world.builder_over(SmolTransport).with_credentials(credentials());
    let session = builder.with_runtime(Hasty(world.time.clone())).build();
    world.control.hold();
    let mut waiters = waiters(&session, 1000);
    world.control.release();
    assert_eq!(woken(&waiters).len(), 1000);
    // All but the last are gone; their event is that one's, too.
    drop(waiters.drain(..999));
    assert!(waiters[0].poll().is_pending());
    assert!(serve(&mut waiters).iter().all(Result::is_ok));
    assert_eq!(world.sign_ins(), 1);
}

/// While the token is good nobody waits but one, and another one when that has gone.
#[test]
fn a_refresh_that_its_caller_has_left_goes_on_with_whoever_asks_next() {
    let world = World::neutral();
    let session = world.session_over(SmolTransport);
    let old = pollster::block_on(getting(&session)).unwrap();
    world.time.advance(Duration::from_secs(3500));
    world.control.hold();
    for _ in 0..3 {
        let mut first = ByHand::new(getting(&session));
        assert!(first.poll().is_pending());
        let others = many(&session, 10).into_iter().map(pollster::block_on);
        assert!(others.map(Result::unwrap).all(|token| token == old));
    }
    world.control.release();
    let new = pollster::block_on(getting(&session)).unwrap();
    assert_ne!(new, old);
    assert_eq!(session.current_token(), Some(new));
    assert_eq!((world.refreshes(), session.snapshot().counts.lost), (1, 0));
}

#[test]
fn an_exchange_that_all_have_left_goes_on_with_whoever_comes_next() {
    let world = World::neutral();
    let session = world.session_over(SmolTransport);
    world.control.hold();
    drop(waiters(&session, 10));
    world.control.release();
    assert!(pollster::block_on(getting(&session)).is_ok());
    assert_eq!(world.sign_ins(), 1);
    assert_eq!(session.snapshot().counts.lost, 0);
}

#[test]
fn an_answer_that_came_while_nobody_waited_is_there_for_whoever_comes_next() {
    let world = World::neutral();
    let ureq = point_auth::UreqTransport::new().unwrap();
    let session = world.session_over(OnThread(Arc::new(ureq)));
    let mut first = ByHand::new(getting(&session));
    let _polled = first.poll();
    drop(first);
    assert!(world.emulator.wait_for_requests(1, super::transports::LONG));
    assert!(pollster::block_on(getting(&session)).is_ok());
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn whoever_drives_it_may_leave_at_any_poll() {
    for suspensions in 0..8 {
        for polls in 1..10 {
            let world = World::neutral();
            let session = world.session_over(SmolTransport);
            world.control.play(Trick::Suspend(suspensions));
            let mut first = ByHand::new(getting(&session));
            for _ in 0..polls {
                if first.poll().is_ready() {
                    break;
                }
            }
            let mut others = vec![ByHand::new(getting(&session)), ByHand::new(getting(&session))];
            others.retain_mut(|other| other.poll().is_pending());
            drop(first);
            assert!(serve(&mut others).iter().all(Result::is_ok));
            assert_eq!(world.sign_ins(), 1, "{suspensions} suspensions, {polls} polls");
        }
    }
}

/// From one event of the exchange to the next, for as many as there are.
#[test]
fn whoever_drives_it_may_leave_at_every_await_point() {
    for polls in 1.. {
        let world = World::neutral();
        let session = world.session_over(SmolTransport);
        world.control.play(Trick::Suspend(3));
        let mut first = ByHand::new(getting(&session));
        let mut is_done = first.poll().is_ready();
        for _ in 1..polls {
            wait_until("an event", || first.was_woken());
            is_done = first.poll().is_ready();
            if is_done {
                break;
            }
        }
        drop(first);
        assert!(pollster::block_on(getting(&session)).is_ok());
        assert_eq!(world.sign_ins(), 1, "{polls} polls");
        if is_done {
            assert!(polls > 4, "{polls}");
            break;
        }
    }
}

#[test]
fn an_event_while_it_is_driven_wakes_others_than_the_one_who_drives_it() {
    let world = World::neutral();
    let session = world.session_over(SmolTransport);
    world.control.play(Trick::Suspend(3));
    world.control.hold();
    let mut waiters = waiters(&session, 10);
    world.control.release();
    let first = woken(&waiters)[0];
    // In this poll the exchange suspends and is woken at once.
    assert!(waiters[first].poll().is_pending());
    drop(waiters.drain(..2));
    let others = woken(&waiters);
    assert!(!others.is_empty(), "the event has gone with the one who drove");
    let mut woken: Vec<_> = waiters.drain(others[0]..=others[0]).collect();
    assert!(woken[0].poll().is_pending());
    drop(waiters);
    assert!(serve(&mut woken).iter().all(Result::is_ok));
    assert_eq!(world.sign_ins(), 1);
}
