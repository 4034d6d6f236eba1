//! Good, advisory, mandatory, last use: what callers get as a token grows old, for any lifetime.

use std::time::Duration;

use point_auth_core::session::{AttemptError, Outcome};

use crate::scenario::Scenario;

#[test]
fn the_first_caller_signs_in_and_the_others_wait_and_all_get_the_token() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.caller("bob").waits().caller("cid").waits();
    scenario.after(1).server().gives("first", 3600);
    scenario.caller("bob").gets("first").caller("cid").gets("first").caller("ann").gets("first");
    scenario.has_sent(1, 0);
}

#[test]
fn a_good_token_is_handed_out_and_nothing_is_sent() {
    let mut scenario = Scenario::refreshable("first", 3600);
    for second in [0, 1, 1800, 3299] {
        scenario.at(second).new_caller().gets("first");
    }
    scenario.has_sent(1, 0);
}

#[test]
fn no_caller_needs_to_poll_until_the_advisory_window() {
    let mut scenario = Scenario::refreshable("first", 3600);
    let (scenario, lease) = scenario.new_caller().lease();
    let left = scenario.until(lease.look_again);
    assert!((3300.0..=3450.0).contains(&left), "{left}");
    scenario.at(left - 0.001).new_caller().gets("first");
    assert!(!lease.look_again.has_come(scenario.now));
    scenario.at(left + 0.001).new_caller().refreshes_beside("first");
    assert!(lease.look_again.has_come(scenario.now));
}

#[test]
fn in_the_advisory_window_one_caller_refreshes_and_none_waits() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3500).caller("ann").refreshes_beside("first");
    scenario.caller("ann").gets("first").caller("bob").gets("first");
    scenario.after(1).server().gives("second", 3600);
    scenario.new_caller().gets("second").has_sent(1, 1);
}

#[test]
fn the_lease_of_the_others_lasts_until_a_caller_may_have_to_take_over_or_wait() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3460).new_caller().refreshes_beside("first");
    let fallback = scenario.exchange().fallback.clone().unwrap();
    assert_eq!(scenario.until(fallback.look_again), 32.0);
    let (scenario, lease) = scenario.new_caller().lease();
    assert_eq!(scenario.until(lease.look_again), 32.0);

    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3530).new_caller().refreshes_beside("first");
    let (scenario, lease) = scenario.new_caller().lease();
    assert_eq!(scenario.until(lease.look_again), 10.0);
}

#[test]
fn the_lease_in_a_backoff_lasts_until_its_end_or_the_mandatory_window() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3455).new_caller().refreshes_beside("first");
    scenario.server().is_unavailable();
    let (scenario, lease) = scenario.new_caller().lease();
    assert_eq!(scenario.until(lease.look_again), 20.0);
    scenario.at(3530).new_caller().refreshes_beside("first");
    scenario.server().is_unavailable().backs_off_for(40);
    let (scenario, lease) = scenario.new_caller().lease();
    assert_eq!(scenario.until(lease.look_again), 10.0);
    scenario.at(3545);
    let (scenario, lease) = scenario.new_caller().lease();
    assert_eq!(scenario.until(lease.look_again), 25.0);
}

#[test]
fn the_lease_of_a_token_that_nothing_can_renew_lasts_to_the_next_window() {
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.at(3500).new_caller().signs_in_beside("first");
    scenario.server().denies();
    let (scenario, lease) = scenario.new_caller().lease();
    assert_eq!(scenario.until(lease.look_again), 40.0);
    scenario.at(3550);
    let (scenario, lease) = scenario.new_caller().lease();
    assert_eq!(scenario.until(lease.look_again), 45.0);
}

#[test]
fn in_the_mandatory_window_callers_wait_for_the_exchange_in_flight() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3530).new_caller().refreshes_beside("first");
    scenario.at(3540).caller("bob").waits();
    scenario.after(1).server().gives("second", 3600);
    scenario.caller("bob").gets("second");
}

#[test]
fn in_the_mandatory_window_the_first_caller_refreshes_and_has_nothing_to_use_meanwhile() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3540).caller("ann").refreshes().caller("bob").waits();
    scenario.after(1).server().gives("second", 3600);
    scenario.caller("ann").gets("second").caller("bob").gets("second");
}

#[test]
fn a_temporary_failure_in_the_mandatory_window_leaves_the_token_in_use_until_its_last_use() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3540).caller("ann").refreshes().caller("bob").waits();
    scenario.after(1).server().is_unavailable().gives_up();
    scenario.caller("ann").gets("first").caller("bob").gets("first");
    scenario.at(3561).new_caller().refreshes();
    scenario.server().is_unavailable().gives_up().new_caller().gets("first");
    scenario.at(3594.999).new_caller().gets("first");
    scenario.at(3595).caller("cid").refreshes();
    scenario.server().is_unavailable().retries().caller("cid").waits();
}

#[test]
fn a_caller_that_times_out_in_the_mandatory_window_gets_the_current_token() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3540).new_caller().refreshes();
    scenario.caller("bob").waits_for(15);
    scenario.after(15).caller("bob").gets("first");
    scenario.new_caller_with(3).waits_for(3);
}

#[test]
fn a_caller_without_time_does_not_send_in_the_mandatory_window() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3540).new_caller_with(0).gets("first");
    scenario.new_caller().refreshes();
}

#[test]
fn a_waiter_in_the_mandatory_window_keeps_waiting_past_the_last_use() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3590).new_caller().refreshes();
    scenario.caller("bob").waits();
    scenario.at(3596).caller("bob").waits();
    scenario.server().is_unavailable().retries();
    scenario.caller("bob").waits();
    scenario.after(1).caller("bob").refreshes();
    scenario.server().gives("second", 3600).caller("bob").gets("second");
}

#[test]
fn from_its_last_use_on_no_caller_gets_the_token() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3595).new_caller().refreshes();
    scenario.new_caller().waits();
}

#[test]
fn the_advisory_window_is_between_half_and_all_of_five_minutes_by_the_seed() {
    let mut least = f64::MAX;
    let mut most = 0.0_f64;
    for seed in 0..500 {
        let mut scenario = Scenario::with_seed(seed);
        scenario.new_caller().signs_in();
        scenario.server().gives("first", 3600);
        let (scenario, lease) = scenario.new_caller().lease();
        let before_end = 3600.0 - scenario.until(lease.look_again);
        (least, most) = (least.min(before_end), most.max(before_end));
    }
    assert!(least >= 150.0 && most <= 300.0, "{least} {most}");
    assert!(least < 155.0 && most > 295.0, "too little spread: {least} {most}");
}

#[test]
fn the_same_seed_gives_the_same_moments() {
    let look = |seed| {
        let mut scenario = Scenario::with_seed(seed);
        scenario.new_caller().signs_in();
        scenario.server().gives("first", 3600);
        scenario.new_caller().lease().1.look_again
    };
    assert_eq!(look(3), look(3));
    assert_ne!(look(3), look(4));
}

/// Checks when a token of this lifetime is refreshed at the earliest and latest, when callers wait,
/// and when it is over.
#[track_caller]
fn windows(life: u32, advisory: std::ops::RangeInclusive<f64>, mandatory: f64, last_use: f64) {
    let mut scenario = Scenario::refreshable("first", life);
    let (scenario, lease) = scenario.new_caller().lease();
    let left = scenario.until(lease.look_again);
    assert!(advisory.contains(&left), "advisory after {left}");
    scenario.at(left + 0.001).new_caller().refreshes_beside("first");

    let mut scenario = Scenario::refreshable("first", life);
    scenario.at(mandatory + 0.001).new_caller().refreshes();
    scenario.server().is_unavailable().gives_up();
    scenario.at(last_use - 0.001).new_caller_with(0).gets("first");
    let mut scenario = Scenario::refreshable("first", life);
    scenario.at(last_use + 0.001).new_caller().refreshes();
    scenario.server().is_unavailable().retries();
}

#[test]
fn a_life_of_an_hour_has_windows_of_five_minutes_one_minute_and_five_seconds() {
    windows(3600, 3300.0..=3450.0, 3540.0, 3595.0);
}

#[test]
fn a_life_of_a_minute_has_windows_in_proportion() {
    windows(60, 30.0..=45.0, 45.0, 55.0);
}

#[test]
fn a_life_of_ten_seconds_has_windows_in_proportion() {
    windows(10, 5.0..=7.5, 7.5, 9.0);
}

#[test]
fn a_life_of_one_second_has_windows_in_proportion() {
    windows(1, 0.5..=0.75, 0.75, 0.9);
}

#[test]
fn a_life_of_136_years_overflows_nothing() {
    let mut scenario = Scenario::refreshable("first", u32::MAX);
    let (scenario, lease) = scenario.new_caller().lease();
    assert!(scenario.until(lease.look_again) > 4e9);
    scenario.at(4_000_000_000).new_caller().gets("first");
    scenario.at(u32::MAX).new_caller().signs_in();
}

#[test]
fn a_lifetime_beyond_136_years_counts_as_136_years() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.server().answers(200, r#"{"access_token":"first","expires_in":1e300}"#);
    scenario.at(4_000_000_000).new_caller().gets("first");
    scenario.at(u32::MAX).new_caller().signs_in();
}

#[test]
fn a_life_counts_from_when_the_request_was_sent() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.after(20).server().gives_refreshable("first", 60);
    scenario.new_caller().gets("first");
    scenario.at(46).new_caller().refreshes();
    scenario.server().is_unavailable();
    scenario.at(54.9).new_caller().gets("first");
    scenario.at(55.1).new_caller().refreshes();
}

#[test]
fn a_lifetime_of_zero_is_a_temporary_failure_and_no_busy_loop() {
    for life in ["0", "-5"] {
        let mut scenario = Scenario::new();
        let body = format!(r#"{{"access_token":"dead","expires_in":{life}}}"#);
        let attempts = scenario.round_fails(|scenario| {
            scenario.server().answers(200, &body);
        });
        assert_eq!(attempts, 3);
        assert!(matches!(scenario.new_caller().error().0, AttemptError::EndedOnArrival));
        scenario.backs_off_for(1).has_sent(3, 0);
    }
}

#[test]
fn a_token_that_has_expired_on_arrival_is_a_temporary_failure() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.after(27).server().answers(200, r#"{"access_token":"late","expires_in":30}"#);
    assert!(matches!(
        scenario.outcome,
        Some(Outcome::Retrying { error: AttemptError::EndedOnArrival, .. })
    ));
}

#[test]
fn a_refresh_token_with_an_expired_access_token_is_kept() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    let body = r#"{"access_token":"dead","refresh_token":"alive","expires_in":0}"#;
    scenario.server().answers(200, body).retries();
    scenario.after(1).new_caller().refreshes();
}

#[test]
fn a_waiter_gets_a_token_that_arrives_in_its_mandatory_window() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in().caller("bob").waits();
    scenario.after(8).server().gives_refreshable("short", 10);
    scenario.caller("ann").gets("short").caller("bob").gets("short");
    scenario.new_caller().refreshes();
}

#[test]
fn no_caller_waits_in_the_mandatory_window_for_more_than_one_exchange() {
    let mut scenario = Scenario::refreshable("first", 60);
    scenario.at(46).caller("ann").refreshes().caller("bob").waits();
    scenario.after(8).server().gives_refreshable("second", 10);
    scenario.caller("ann").gets("second").caller("bob").gets("second");
    scenario.new_caller().refreshes();
}

#[test]
fn a_thousand_hours_are_a_thousand_refreshes_and_no_sign_in_but_one_every_49_hours() {
    let mut scenario = Scenario::refreshable("token-0", 3600);
    for hour in 1..=1000_u32 {
        let due = scenario.snapshot().next_look.unwrap().time_left(scenario.now);
        scenario.after(due + Duration::from_millis(1));
        let old = format!("token-{}", hour - 1);
        let new = format!("token-{hour}");
        match scenario.snapshot().has_refresh_token {
            true => scenario.new_caller().refreshes_beside(&old),
            false => scenario.new_caller().signs_in_beside(&old),
        };
        // The server repeats the refresh token until it has expired, as the vendor documents.
        let refresh = format!("refresh-{}", scenario.snapshot().counts.sign_ins);
        scenario.after(1).server().gives_both(&new, &refresh, 3600);
        scenario.new_caller().gets(&new);
    }
    let counts = scenario.snapshot().counts;
    assert_eq!(counts.sign_ins + counts.refreshes, 1001);
    assert!((19..=25).contains(&counts.sign_ins), "{}", counts.sign_ins);
}

#[test]
fn while_callers_wait_for_an_exchange_each_has_to_poll() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3545).new_caller().refreshes();
    let lease = scenario.session.lease(scenario.now).unwrap();
    assert_eq!(lease.token.expose(), "first");
    assert_eq!(scenario.until(lease.look_again), 0.0);
    scenario.new_caller().waits();
}

#[test]
fn the_spread_is_that_of_splitmix64_from_the_seed() {
    // The first number for each seed, as published with the algorithm and by other implementations.
    for (seed, first) in [(0, 0xE220_A839_7B1D_CDAF_u64), (1_234_567, 6_457_827_717_110_365_317)] {
        let mut scenario = Scenario::with_seed(seed);
        scenario.new_caller().signs_in().server().gives("first", 3600);
        let (scenario, lease) = scenario.new_caller().lease();
        let share = (first >> 11) as f64 / (1_u64 << 53) as f64;
        let expected = 3600.0 - 150.0 - 150.0 * share;
        assert!((scenario.until(lease.look_again) - expected).abs() < 3e-9, "{seed}: {expected}");
    }
}
