//! The clock by itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use point_auth_testkit::Clock;

#[test]
fn a_running_clock_starts_as_the_systems_time() {
    let before = SystemTime::now();
    assert!(Clock::running().now() >= before);
}

#[test]
fn a_clock_that_was_set_stands_still() {
    let clock = Clock::running();
    clock.set(UNIX_EPOCH);
    assert_eq!(clock.now(), UNIX_EPOCH);
    clock.advance(Duration::from_secs(5));
    assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(5));
}

#[test]
fn a_clock_that_runs_keeps_running_when_it_is_advanced() {
    let clock = Clock::running();
    let day = Duration::from_secs(24 * 3600);
    let before = clock.now();
    clock.advance(day);
    assert!(clock.now() >= before + day);
    clock.stop();
    let stopped = clock.now();
    assert_eq!(clock.now(), stopped);
    clock.run();
    assert!(clock.now() >= stopped);
}

#[test]
fn clones_are_the_same_clock() {
    let clock = Clock::stopped_at(UNIX_EPOCH);
    clock.clone().advance(Duration::from_secs(1));
    assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(1));
}

#[test]
fn a_clock_at_the_end_of_time_stays_there() {
    let clock = Clock::stopped_at(UNIX_EPOCH);
    clock.advance(Duration::MAX);
    assert_eq!(clock.now(), UNIX_EPOCH);
}
