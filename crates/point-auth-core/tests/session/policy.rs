//! The policy: its defaults and constants, what is refused, and that a session follows it.

use std::time::Duration;

use point_auth_core::session::{Policy, PolicyBuilder, PolicyError};

use crate::scenario::Scenario;

type Change = fn(PolicyBuilder) -> PolicyBuilder;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let policy = Policy::default();
    assert_eq!(policy.advisory_window(), seconds(300));
    assert_eq!(policy.mandatory_window(), seconds(60));
    assert_eq!(policy.attempts(), 3);
    assert_eq!(policy.acquire_timeout(), seconds(15));
    assert_eq!(policy.exchange_timeout(), seconds(30));
    assert_eq!(policy.longest_backoff(), seconds(60));
    assert_eq!(Policy::LAST_USE_MARGIN, seconds(5));
    assert_eq!(Policy::FIRST_RETRY_DELAY, Duration::from_millis(200));
    assert_eq!(Policy::SHORTEST_BACKOFF, seconds(1));
    assert_eq!(Policy::SHORTEST_BACKOFF_WITH_TOKEN, seconds(20));
    assert_eq!(Policy::LONGEST_RETRY_AFTER, seconds(3600));
    assert_eq!((Policy::UNKNOWN_SIGN_INS, Policy::UNKNOWN_HOLD), (3, seconds(600)));
    assert_eq!(Policy::YOUNG_TOKEN, seconds(30));
    assert_eq!(Policy::REFRESH_TOKEN_LIFE, seconds(49 * 3600));
    assert_eq!((Policy::DENIALS_IN_A_ROW, Policy::UNPROVEN_DENIALS), (3, 6));
    assert_eq!((Policy::FIRST_HOLD, Policy::LONGEST_HOLD), (seconds(600), seconds(3600)));
    assert_eq!((Policy::UNPROVEN_HOLD, Policy::GRACE), (seconds(3600), seconds(2)));
    assert_eq!(Policy::builder().build(), Ok(policy));
}

#[test]
fn every_value_can_be_set() {
    let policy = Policy::builder()
        .with_advisory_window(seconds(103))
        .with_mandatory_window(seconds(102))
        .with_attempts(4)
        .with_acquire_timeout(seconds(106))
        .with_exchange_timeout(seconds(107))
        .with_longest_backoff(seconds(110))
        .build()
        .unwrap();
    assert_eq!(policy.advisory_window(), seconds(103));
    assert_eq!(policy.mandatory_window(), seconds(102));
    assert_eq!(policy.attempts(), 4);
    assert_eq!(policy.acquire_timeout(), seconds(106));
    assert_eq!(policy.exchange_timeout(), seconds(107));
    assert_eq!(policy.longest_backoff(), seconds(110));
}

#[test]
fn a_zero_that_breaks_a_session_is_refused() {
    let zero = Duration::ZERO;
    let cases: [(Change, &str); 3] = [
        (|policy| policy.with_attempts(0), "the number of attempts"),
        (|policy| policy.with_acquire_timeout(Duration::ZERO), "the acquire timeout"),
        (|policy| policy.with_exchange_timeout(Duration::ZERO), "the exchange timeout"),
    ];
    for (change, name) in cases {
        let refused = change(Policy::builder()).build();
        assert_eq!(refused, Err(PolicyError::Zero(name)));
        assert_eq!(PolicyError::Zero(name).to_string(), format!("{name} is zero"));
    }
    assert!(Policy::builder().with_mandatory_window(zero).build().is_err());
    assert!(Policy::builder().with_advisory_window(zero).build().is_err());
    assert!(Policy::builder().with_longest_backoff(zero).build().is_err());
}

#[test]
fn windows_and_backoffs_in_the_wrong_order_are_refused() {
    let cases: [(Change, &str, &str); 3] = [
        (
            |policy| policy.with_mandatory_window(seconds(4)),
            "the last-use margin",
            "the mandatory window",
        ),
        (
            |policy| policy.with_mandatory_window(seconds(301)),
            "the mandatory window",
            "the advisory window",
        ),
        (
            |policy| policy.with_longest_backoff(Duration::from_millis(999)),
            "the shortest backoff",
            "the longest backoff",
        ),
    ];
    for (change, less, more) in cases {
        let refused = change(Policy::builder()).build();
        assert_eq!(refused, Err(PolicyError::Order(less, more)));
        assert_eq!(
            PolicyError::Order(less, more).to_string(),
            format!("{less} is more than {more}")
        );
    }
}

#[test]
fn a_policy_of_maximum_values_overflows_nothing() {
    let policy = Policy::builder()
        .with_advisory_window(Duration::MAX)
        .with_mandatory_window(Duration::MAX)
        .with_attempts(u32::MAX)
        .with_acquire_timeout(Duration::MAX)
        .with_exchange_timeout(Duration::MAX)
        .with_longest_backoff(Duration::MAX)
        .build()
        .unwrap();
    for seed in 0..20 {
        let mut scenario = Scenario::of(point_auth_core::session::SessionMachine::new(
            point_auth_core::BaseUrl::production(),
            crate::scenario::jane(),
            policy.clone(),
            seed,
        ));
        scenario.caller("ann").signs_in();
        scenario.server().is_unavailable().retries().caller("ann").waits();
        scenario.session.reset(scenario.now);
        scenario.caller("ann").signs_in();
        scenario.server().gives_refreshable("first", 60);
        scenario.caller("ann").gets("first");
        scenario.at(50).new_caller().refreshes();
        scenario.server().is_unavailable().gives_up().new_caller().gets("first");
        scenario.at(51).api_rejects("first");
        scenario.session.reset(scenario.now);
        scenario.new_caller().refreshes();
        scenario.server().answers_with(429, "", Some("4000000000")).gives_up().no_caller_sends();
    }
}

#[test]
fn a_policy_with_many_attempts_makes_many() {
    let policy = Policy::builder().with_attempts(40).build().unwrap();
    let mut scenario = Scenario::with_policy(policy);
    let mut call = point_auth_core::session::Call::until(Duration::MAX);
    let mut delays = Vec::new();
    while let Ok(action) = scenario.session.poll(scenario.now, &mut call) {
        match action {
            point_auth_core::session::Action::Send(exchange) => {
                scenario.server_of(exchange.id).is_unavailable();
            }
            point_auth_core::session::Action::WaitUntil(time) => {
                let delay = time - scenario.now.monotonic;
                delays.push(delay);
                scenario.after(delay);
            }
            other => panic!("there is no token: {other:?}"),
        }
    }
    assert_eq!(delays.len(), 39);
    assert!(delays.iter().all(|delay| *delay <= Duration::from_secs(75)));
    scenario.has_sent(40, 0);
}

#[test]
fn a_policy_with_one_attempt_never_retries() {
    let mut scenario = Scenario::with_policy(Policy::builder().with_attempts(1).build().unwrap());
    scenario.new_caller().signs_in();
    scenario.server().is_unavailable().gives_up().backs_off_for(1);
}

#[test]
fn the_acquire_timeout_and_the_exchange_timeout_of_the_policy_are_obeyed() {
    let policy = Policy::builder()
        .with_acquire_timeout(seconds(100))
        .with_exchange_timeout(seconds(3))
        .build()
        .unwrap();
    let mut scenario = Scenario::with_policy(policy);
    scenario.new_caller().signs_in();
    assert_eq!(scenario.exchange().deadline - scenario.now.monotonic, seconds(3));
    scenario.caller("bob").waits_for(5);
    scenario.after(5).caller("bob").waits_for(1).after(1).caller("bob").signs_in();
}
