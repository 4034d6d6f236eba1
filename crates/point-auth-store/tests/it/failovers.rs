//! A store whose clock goes back, as after a failover to another machine.

use std::time::Duration;

use point_auth_core::session::SignInResult;
use point_auth_store::{Intent, Refusal, Verdict};
use pollster::block_on;

use crate::fleet::{Fleet, denial, granted, jane, password};

const HOUR: u64 = 3600;

#[track_caller]
fn left(verdict: Verdict) -> u64 {
    match verdict {
        Verdict::InUse(left) | Verdict::Busy(left) => left.as_secs(),
        Verdict::Rejected(Refusal::Held(Some(left)) | Refusal::TooManyUnknown(left)) => {
            left.as_secs()
        }
        other => panic!("nothing to wait for: {other:?}"),
    }
}

#[test]
fn a_permit_lasts_no_longer_than_it_was_given_for_whatever_the_clock_does() {
    let fleet = Fleet::new();
    let (mut one, other) = (fleet.worker(), fleet.worker());
    let grant = granted(one.sign_in(&password("right")));
    one.renewed(grant, "first");
    drop(granted(one.refresh()));
    fleet.fails_over(HOUR);
    let ask = || {
        let asking = other.shared.consult(jane(), Intent::Refresh, one.known, other.wall);
        block_on(asking).unwrap().verdict
    };
    assert_eq!(left(ask()), 42);
    fleet.passes(41);
    assert_eq!(left(ask()), 1);
    fleet.passes(1);
    let _ = granted(ask());
}

#[test]
fn the_permit_of_a_sign_in_neither() {
    let fleet = Fleet::new();
    drop(granted(fleet.worker().sign_in_as("ann", &password("right"))));
    fleet.fails_over(HOUR);
    let other = fleet.worker();
    assert!(left(other.sign_in_as("bob", &password("right"))) <= 44);
    fleet.passes(45);
    let _ = granted(other.sign_in_as("bob", &password("right")));
}

#[test]
fn a_hold_lasts_no_longer_for_a_clock_that_has_gone_back() {
    let fleet = Fleet::new();
    let wrong = password("wrong");
    for number in 0..3 {
        let worker = fleet.worker();
        let grant = granted(worker.sign_in_as(&format!("alias-{number}"), &wrong));
        worker.settle(grant, SignInResult::Denied(&denial()), None);
    }
    fleet.fails_over(10 * HOUR);
    let worker = fleet.worker();
    assert_eq!(left(worker.sign_in_as("alias-3", &wrong)), HOUR);
    fleet.passes(HOUR);
    let _ = granted(worker.sign_in_as("alias-3", &wrong));
}

#[test]
fn the_hold_after_unknown_outcomes_neither() {
    let fleet = Fleet::new();
    for _ in 0..3 {
        drop(granted(fleet.worker().sign_in(&password("right"))));
        fleet.passes(45);
    }
    assert_eq!(left(fleet.worker().sign_in(&password("right"))), 600);
    fleet.fails_over(HOUR);
    assert_eq!(left(fleet.worker().sign_in_as("ann", &password("right"))), 600);
    fleet.passes(600);
    let _ = granted(fleet.worker().sign_in_as("ann", &password("right")));
}

#[test]
fn a_denial_counts_for_all_after_the_store_has_lost_a_reset() {
    let fleet = Fleet::new();
    let (one, mut other) = (fleet.worker(), fleet.worker());
    let wrong = password("wrong");
    other.known.epoch = Some(block_on(other.shared.reset(jane())).unwrap());
    fleet.store.clear();
    let grant = granted(one.sign_in(&wrong));
    one.settle(grant, SignInResult::Denied(&denial()), None);
    for _ in 0..2 {
        // Also for a process that knows of the reset, and whatever that writes.
        let verdict = other.sign_in(&wrong);
        assert!(matches!(verdict, Verdict::Rejected(Refusal::Denied(_))), "{verdict:?}");
    }
}

#[test]
fn a_token_from_the_future_is_not_taken_up_as_a_young_one() {
    let fleet = Fleet::new();
    let mut one = fleet.worker();
    let grant = granted(one.sign_in(&password("right")));
    one.renewed(grant, "first");
    fleet.passes(HOUR);
    fleet.fails_over(2 * HOUR);
    let Verdict::Newer(found) = fleet.worker().sign_in(&password("right")) else {
        panic!("it is gone")
    };
    // A session ignores a token that was asked for after its own time.
    let json = found.tokens.expose_json();
    let json: serde_json::Value = serde_json::from_slice(json.as_ref()).unwrap();
    let asked_at = Duration::from_secs(json["asked_at"].as_u64().unwrap());
    assert!(asked_at > one.wall.duration_since(std::time::UNIX_EPOCH).unwrap());
}
