//! How often the password is sent, also to a server with useless tokens and with changing aliases.

use std::time::Duration;

use point_auth_core::session::{Action, Call, Now};

use crate::scenario::{Scenario, Seconds, jane};

#[test]
fn a_server_that_gives_tokens_of_a_second_is_sent_the_password_once_a_second() {
    let mut scenario = Scenario::signed_in("token-0", 1);
    for nth in 1..20 {
        let token = format!("token-{}", nth - 1);
        scenario.after(0.89).new_caller_with(0).gets(&token);
        scenario.after(0.01).caller(&token).waits_for(0.1).after(0.1);
        scenario.caller(&token).signs_in().server().gives(&format!("token-{nth}"), 1);
    }
    scenario.has_sent(20, 0);
}

#[test]
fn a_server_that_gives_expired_tokens_is_sent_the_password_once_a_second() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.server().answers(200, r#"{"access_token":"dead","expires_in":0}"#).retries();
    scenario.caller("ann").waits_for(1).after(1).caller("ann").signs_in();
}

#[test]
fn a_refresh_waits_for_no_sign_in_before_it() {
    let mut scenario = Scenario::refreshable("first", 1);
    scenario.at(0.9).new_caller().refreshes();
}

#[test]
fn a_refused_refresh_does_not_bring_the_sign_in_forward() {
    let mut scenario = Scenario::refreshable("first", 1);
    scenario.at(0.8).new_caller().refreshes().server().answers(404, "").is_refused();
    scenario.new_caller().gets("first").at(0.9).caller("ann").waits_for(0.1);
    scenario.at(1).caller("ann").signs_in();
}

#[test]
fn a_rejected_token_does_not_bring_the_sign_in_forward_while_a_refresh_is_in_flight() {
    let mut scenario = Scenario::refreshable("first", 1);
    scenario.at(0.8).new_caller().refreshes().api_rejects("first").does_not_back_off();
    scenario.server().answers(404, "").is_refused().caller("ann").waits_for(0.2);
}

#[test]
fn a_rejected_token_starts_the_backoff_of_a_rejection_and_no_other() {
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.at(5).api_rejects("first").backs_off_for(1).after(1).new_caller().signs_in();
}

#[test]
fn another_login_is_not_delayed_by_the_previous_one() {
    let joe = point_auth_core::Credentials::new("joe@tenant.com", "joe's").unwrap();
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.session.set_credentials(joe, scenario.now);
    scenario.new_caller().signs_in();
}

#[test]
fn another_alias_does_not_bring_a_delayed_attempt_forward() {
    for (is_unknown, wait) in [(false, 0.15), (true, 1.0)] {
        let mut scenario = Scenario::new();
        scenario.caller("ann").signs_in();
        if is_unknown {
            scenario.abandons().retries();
        } else {
            scenario.server().is_unavailable().retries();
        }
        scenario.session.set_credentials(jane().with_user_alias("ann").unwrap(), scenario.now);
        assert!(scenario.caller("ann").wait() >= wait.seconds());
    }
}

#[test]
fn changing_aliases_give_no_more_attempts() {
    let mut scenario = Scenario::new();
    let mut call = Call::until(scenario.now.monotonic + 60.seconds());
    let mut attempts = 0;
    for step in 0..200 {
        let alias = format!("alias-{step}");
        scenario.session.set_credentials(jane().with_user_alias(alias).unwrap(), scenario.now);
        match scenario.session.poll(scenario.now, &mut call) {
            Ok(Action::Send(exchange)) => {
                attempts += 1;
                scenario.server_of(exchange.id).is_unavailable();
            }
            _ => {
                scenario.after(0.01);
            }
        }
    }
    assert_eq!(attempts, 3);
}

#[test]
fn a_sign_in_that_fails_just_before_the_last_use_of_the_token_is_not_tried_again_at_once() {
    for (is_unknown, wait) in [(false, 0.13), (true, 0.98)] {
        let mut scenario = Scenario::signed_in("first", 3600);
        scenario.at(3594.99).new_caller().signs_in();
        if is_unknown {
            scenario.server().falls_silent().gives_up();
        } else {
            scenario.server().is_unavailable().gives_up();
        }
        scenario.backs_off_for(0.01).new_caller().gets("first").at(3595);
        assert!(scenario.caller("ann").wait() >= wait.seconds());
        scenario.after(1).caller("ann").signs_in();
    }
}

#[test]
fn not_even_the_worst_server_is_sent_the_password_more_than_106_times_a_minute() {
    let mut scenario = Scenario::new();
    let end = scenario.now.monotonic + 60.seconds();
    let mut call = Call::until(end);
    let mut sent = 0;
    while scenario.now.monotonic < end {
        match scenario.session.poll(scenario.now, &mut call) {
            Ok(Action::Send(exchange)) => {
                sent += 1;
                // One failure that gets a quick retry, and then a token of a second.
                match sent % 2 {
                    1 => scenario.server_of(exchange.id).is_unavailable().retries(),
                    _ => scenario.server_of(exchange.id).gives(&format!("token-{sent}"), 1),
                };
            }
            Ok(Action::WaitUntil(time)) => scenario.now = at(&scenario, time),
            Ok(Action::Ready(lease)) => {
                let left = lease.look_again.time_left(scenario.now).max(0.01.seconds());
                scenario.after(left);
                call = Call::until(end);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!((90..=106).contains(&sent), "{sent}");
}

fn at(scenario: &Scenario, time: Duration) -> Now {
    let passed = time - scenario.now.monotonic;
    Now::new(time, scenario.now.wall + passed)
}
