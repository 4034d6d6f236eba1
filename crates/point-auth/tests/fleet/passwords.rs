//! A wrong password in a fleet.

use std::time::Duration;

use point_auth_testkit::{Emulator, Fault, Operation};

use crate::place::Place;
use crate::process::{Fleet, Got, Process, Setup, WRONG, emulator};

const PROCESSES: usize = 8;
const SESSIONS: usize = 125;

/// A server that takes its time, so that all of them are waiting for its answer.
fn slow_emulator() -> Emulator {
    let emulator = emulator();
    emulator.always_for(Operation::SignIn, Fault::pass().delay(Duration::from_millis(500)));
    emulator
}

fn one_alias(place: &Place) {
    let emulator = slow_emulator();
    let mut fleet = Fleet::start(&emulator, place, &Setup::of(WRONG, SESSIONS), PROCESSES);
    let got = fleet.get();
    assert_eq!(got, Got { denied: 1000, ..Got::default() });
    assert_eq!(emulator.count(Operation::SignIn), 1);
    // Also not by one that starts later.
    let mut later = Process::start(&emulator, place, &Setup::of(WRONG, 1), 0);
    assert_eq!(later.get(), Got { denied: 1, ..Got::default() });
    assert_eq!(emulator.count(Operation::SignIn), 1);
}

#[test]
fn a_wrong_password_is_sent_once_by_a_thousand_sessions_over_files() {
    one_alias(&Place::files());
}

#[test]
fn a_wrong_password_is_sent_once_by_a_thousand_sessions_over_redis() {
    let Some(redis) = Place::redis() else { return };
    one_alias(&redis);
}

/// The denied session gives its denial to the store when its exchange ends, and once more when a
/// caller asks again. Here no caller does, and the process is gone.
fn killed_after_its_denial(place: &Place) {
    let emulator = emulator();
    let mut first = Process::start(&emulator, place, &Setup::of(WRONG, 1), 0);
    first.tell("ask-once");
    assert_eq!(first.says(), "asked");
    first.kill();
    assert_eq!(emulator.count(Operation::SignIn), 1);
    let mut later = Process::start(&emulator, place, &Setup::of(WRONG, 10), 0);
    assert_eq!(later.get(), Got { denied: 10, ..Got::default() });
    assert_eq!(emulator.count(Operation::SignIn), 1);
}

#[test]
fn a_denial_outlives_its_process_over_files() {
    killed_after_its_denial(&Place::files());
}

#[test]
fn a_denial_outlives_its_process_over_redis() {
    let Some(redis) = Place::redis() else { return };
    killed_after_its_denial(&redis);
}

fn many_aliases(place: &Place) {
    let emulator = slow_emulator();
    let setup = Setup { has_aliases: true, ..Setup::of(WRONG, SESSIONS) };
    let mut fleet = Fleet::start(&emulator, place, &setup, PROCESSES);
    let got = fleet.get();
    let (denied, held, timed_out) = (3, got.held, got.timed_out);
    assert_eq!(got, Got { denied, held, timed_out, ..Got::default() });
    assert_eq!(denied + held + timed_out, 1000);
    assert_eq!(emulator.count(Operation::SignIn), 3);
    // Also not by aliases that come later.
    let mut later = Process::start(&emulator, place, &setup, PROCESSES);
    assert_eq!(later.get().denied, 0);
    assert_eq!(emulator.count(Operation::SignIn), 3);
}

#[test]
fn a_wrong_password_of_a_thousand_aliases_is_sent_three_times_over_files() {
    many_aliases(&Place::files());
}

#[test]
fn a_wrong_password_of_a_thousand_aliases_is_sent_three_times_over_redis() {
    let Some(redis) = Place::redis() else { return };
    many_aliases(&redis);
}
