//! The two clocks: suspend stops one, the other may be set, and both have limits that nothing may
//! overflow.

use std::time::{Duration, SystemTime};

use point_auth_core::BaseUrl;
use point_auth_core::session::{Action, Call, Failure, Moment, Now, Policy, SessionMachine, State};

use crate::scenario::{Scenario, jane, new_year};

#[test]
fn a_token_is_over_after_a_long_sleep() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(10).sleeps_for(3600).new_caller().refreshes();
    scenario.server().is_unavailable().new_caller().waits();
}

#[test]
fn a_sleep_into_the_advisory_window_is_noticed() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(10).sleeps_for(3500).new_caller().refreshes_beside("first");
}

#[test]
fn a_token_is_over_by_the_monotonic_clock_when_the_wall_clock_was_set_back() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(10).wall_clock_goes_back(1_000_000);
    scenario.at(3000).new_caller().gets("first");
    scenario.at(3595).new_caller().refreshes();
}

#[test]
fn a_token_is_over_by_the_monotonic_clock_when_the_wall_clock_stands_still() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.wall_clock_stands_still_for(3595).new_caller().refreshes();
}

#[test]
fn a_step_forth_and_back_of_the_wall_clock_costs_no_token() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(10).sleeps_for(600).new_caller().gets("first");
    scenario.wall_clock_goes_back(600).new_caller().gets("first");
    scenario.at(3000).new_caller().gets("first").has_sent(1, 0);
}

#[test]
fn a_wall_clock_set_back_does_not_revive_a_token_that_was_over() {
    let mut scenario = Scenario::refreshable("first", 3600);
    let before = scenario.session.stored_version();
    scenario.at(10).sleeps_for(7200).new_caller().refreshes();
    // A token that is over is neither stored nor restored.
    assert_ne!(scenario.session.stored_version(), before);
    let stored = scenario.stored_tokens().unwrap();
    assert!(
        String::from_utf8_lossy(stored.expose_json().as_ref()).contains(r#""access_token":null"#)
    );
    scenario.wall_clock_goes_back(5400).server().is_unavailable().new_caller().waits();
    assert_eq!(scenario.state(), State::Waiting);
}

#[test]
fn a_wall_clock_set_back_makes_no_stored_token_look_younger() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3000).wall_clock_goes_back(5400);
    let stored = scenario.stored_tokens().unwrap();
    let mut other = Scenario::new();
    other.now = scenario.now;
    other.session.restore(stored, other.now).unwrap();
    other.at(3000).new_caller().gets("first");
    other.at(3700).new_caller().refreshes();
}

#[test]
fn a_store_does_not_revive_a_token_that_was_over() {
    let mut scenario = Scenario::refreshable("first", 3600);
    let stored = scenario.stored_tokens().unwrap();
    scenario.at(10).sleeps_for(7200).new_caller().refreshes();
    scenario.wall_clock_goes_back(5400);
    scenario.session.restore(stored, scenario.now).unwrap();
    scenario.new_caller().waits().server().gives("second", 3600).new_caller().gets("second");
}

#[test]
fn a_sleep_during_an_exchange_counts_against_the_lifetime() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.after(1).sleeps_for(3000).server().gives_refreshable("first", 3600);
    scenario.new_caller().gets("first");
    scenario.at(598).new_caller().refreshes();
}

#[test]
fn a_wall_clock_set_back_during_an_exchange_adds_no_lifetime() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.after(10).wall_clock_goes_back(5000).server().gives_refreshable("first", 3600);
    scenario.new_caller().gets("first");
    // By the clock that was set back, the time left is not longer either.
    scenario.sleeps_for(3584).new_caller().refreshes();
    scenario.server().is_unavailable().new_caller().gets("first");
    scenario.sleeps_for(1).new_caller().refreshes();
}

#[test]
fn a_sleep_during_a_backoff_ends_it() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.server().is_busy("600").backs_off_as_asked_for(600).no_caller_sends();
    scenario.sleeps_for(660).new_caller().signs_in();
}

#[test]
fn a_wall_clock_set_back_during_a_backoff_does_not_prolong_it() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.server().is_busy("600").wall_clock_goes_back(1_000_000);
    scenario.backs_off_as_asked_for(600).after_the_backoff().new_caller().signs_in();
}

#[test]
fn a_wall_clock_set_back_between_attempts_delays_no_caller() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.server().is_unavailable().wall_clock_goes_back(1_000_000);
    assert!(scenario.caller("ann").wait() <= Duration::from_millis(250));
    scenario.after(0.25).caller("ann").signs_in();
}

#[test]
fn a_sleep_between_attempts_counts_as_waiting() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.server().is_unavailable();
    let delay = scenario.caller("ann").wait();
    scenario.sleeps_for(0.1).caller("ann").waits_for(delay - Duration::from_millis(100));
}

#[test]
fn a_date_of_retry_after_far_ahead_of_a_wall_clock_set_wrong_is_an_hour() {
    let mut scenario = Scenario::new();
    scenario.now.wall = SystemTime::UNIX_EPOCH;
    scenario.new_caller().signs_in();
    scenario.server().is_busy("Thu, 01 Jan 2026 00:00:30 GMT").backs_off_as_asked_for(3600);
}

/// Runs all steps once at this moment, and once a moment before it.
fn run_through(now: Now) {
    let before = Now::new(
        now.monotonic.saturating_sub(Duration::from_secs(1)),
        now.wall.checked_sub(Duration::from_secs(1)).unwrap_or(now.wall),
    );
    for first in [now, before] {
        for expires_in in ["1", "3600", "1e300"] {
            let mut session =
                SessionMachine::new(BaseUrl::production(), jane(), Policy::default(), 1);
            for now in [first, now, now] {
                let body = format!(
                    r#"{{"access_token":"first","refresh_token":"again","expires_in":{expires_in}}}"#
                );
                let mut call = Call::new();
                if let Ok(Action::Send(exchange)) = session.poll(now, &mut call) {
                    let _ = session.handle_response(exchange.id, now, &http::Response::new(body));
                }
                if let Ok(Action::Ready(lease)) = session.poll(now, &mut call) {
                    session.invalidate(&lease.token, now);
                }
                let _ = format!("{:?}", session.snapshot(now));
                if let Some(stored) = session.stored_tokens(now) {
                    session.restore(stored, now).unwrap();
                }
                if let Ok(Action::Send(exchange)) = session.poll(now, &mut call) {
                    let _ = session.handle_failure(exchange.id, now, &Failure::maybe_sent());
                }
                session.reset(now);
                if let Ok(Action::Send(exchange)) =
                    session.poll(now, &mut Call::until(Duration::MAX))
                {
                    let _outcome = session.handle_failure(exchange.id, now, &Failure::abandoned());
                }
            }
        }
    }
}

/// Returns the last moment that the wall clock can show.
fn end_of_time() -> SystemTime {
    let mut end = SystemTime::UNIX_EPOCH;
    let seconds = (0..64).rev().map(|shift| Duration::from_secs(1 << shift));
    for step in seconds.chain((0..30).rev().map(|shift| Duration::from_nanos(1 << shift))) {
        while let Some(later) = end.checked_add(step) {
            end = later;
        }
    }
    end
}

/// Returns the first moment that the wall clock can show.
fn beginning_of_time() -> SystemTime {
    let mut beginning = SystemTime::UNIX_EPOCH;
    for step in (0..64).rev().map(|shift| Duration::from_secs(1 << shift)) {
        while let Some(earlier) = beginning.checked_sub(step) {
            beginning = earlier;
        }
    }
    beginning
}

#[test]
fn the_ends_of_both_clocks_overflow_nothing() {
    let walls = [beginning_of_time(), SystemTime::UNIX_EPOCH, new_year(), end_of_time()];
    let monotonics = [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::MAX / 2,
        Duration::MAX - Duration::from_secs(1),
        Duration::MAX - Duration::from_nanos(1),
        Duration::MAX,
    ];
    for wall in walls {
        for monotonic in monotonics {
            run_through(Now::new(monotonic, wall));
        }
    }
}

#[test]
fn a_clock_that_jumps_from_one_end_to_the_other_overflows_nothing() {
    let ends = [beginning_of_time(), end_of_time()];
    for (from, to) in [(0, 1), (1, 0)] {
        let mut scenario = Scenario::new();
        scenario.now.wall = ends[from];
        scenario.new_caller().signs_in();
        // Older than the wall clock can show.
        scenario.wall_clock_stands_still_for(10).now.wall = ends[to];
        scenario.server().answers(200, r#"{"access_token":"first","refresh_token":"again"}"#);
        scenario.now.wall = ends[from];
        let _ = scenario.new_caller().reply;
        assert!(scenario.session.snapshot(scenario.now).counts.sign_ins >= 1);
        let stored = scenario.stored_tokens();
        scenario.now.wall = ends[to];
        if let Some(stored) = stored {
            scenario.session.restore(stored, scenario.now).unwrap();
        }
        let _ = scenario.new_caller().reply;
    }
}

#[test]
fn a_token_asked_for_at_the_end_of_time_is_good_by_the_monotonic_clock() {
    let mut scenario = Scenario::new();
    scenario.now.wall = end_of_time();
    scenario.new_caller().signs_in();
    scenario.server().gives_refreshable("first", 3600);
    scenario.new_caller().gets("first");
    assert_eq!(scenario.state(), State::Good);
    scenario.wall_clock_stands_still_for(3595).new_caller().refreshes();
}

#[test]
fn a_monotonic_clock_at_its_end_answers_at_once_and_sends_nothing() {
    let mut scenario = Scenario::new();
    scenario.now.monotonic = Duration::MAX;
    scenario.new_caller().times_out().has_sent(0, 0);
}

#[test]
fn a_moment_is_shown_on_the_wall_clock() {
    let now = Now::new(Duration::from_secs(7), new_year());
    let moment = Moment::after(now, Duration::from_secs(90));
    assert_eq!(moment.to_string(), "Thu, 01 Jan 2026 00:01:30 GMT");
    assert_eq!(moment.time_left(now), Duration::from_secs(90));
    assert_eq!(Moment::NEVER.to_string(), "never");
    // Past what the format can show, and before its start.
    let far = Moment::after(now, Duration::from_secs(300_000_000_000));
    assert_eq!(far.to_string(), "300000000007s on the monotonic clock");
    let before = Now::new(Duration::ZERO, SystemTime::UNIX_EPOCH - Duration::from_secs(60));
    assert_eq!(Moment::after(before, Duration::ZERO).to_string(), "0ns on the monotonic clock");
}
