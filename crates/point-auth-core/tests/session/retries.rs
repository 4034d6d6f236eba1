//! A few quick attempts while callers wait, then one error for all and a backoff; and
//! `Retry-After`.

use std::time::Duration;

use point_auth_core::session::{AttemptError, Call, SessionError};

use crate::scenario::{Scenario, Seconds};

#[test]
fn one_failure_fails_no_caller() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in().caller("bob").waits();
    scenario.server().is_unavailable().retries();
    let delay = scenario.caller("bob").wait();
    scenario.after(delay).caller("bob").signs_in().caller("ann").waits();
    scenario.server().gives("first", 3600);
    scenario.caller("ann").gets("first").caller("bob").gets("first").has_sent(2, 0);
}

#[test]
fn there_are_three_attempts_about_a_fifth_and_four_fifths_of_a_second_apart() {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for seed in 0..200 {
        let mut scenario = Scenario::with_seed(seed);
        scenario.caller("ann").signs_in();
        scenario.server().is_unavailable().retries();
        let delay = scenario.caller("ann").wait();
        first.push(delay.as_secs_f64());
        scenario.after(delay).caller("ann").signs_in();
        scenario.server().is_unavailable().retries();
        let delay = scenario.caller("ann").wait();
        second.push(delay.as_secs_f64());
        scenario.after(delay).caller("ann").signs_in();
        scenario.server().is_unavailable().gives_up().caller("ann").fails().has_sent(3, 0);
    }
    for (delays, about) in [(first, 0.2), (second, 0.8)] {
        let least = delays.iter().copied().fold(f64::MAX, f64::min);
        let most = delays.iter().copied().fold(0.0, f64::max);
        assert!(least >= about * 0.75 - 1e-9 && most <= about * 1.25 + 1e-9, "{least} {most}");
        assert!(least < about * 0.8 && most > about * 1.2, "too little spread: {least} {most}");
    }
}

#[test]
fn no_attempt_starts_before_its_time() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.server().is_unavailable();
    let delay = scenario.caller("ann").wait();
    scenario.after(delay - Duration::from_nanos(1)).caller("ann").waits().no_caller_sends();
    scenario.after(Duration::from_nanos(1)).caller("bob").signs_in().caller("ann").waits();
}

#[test]
fn a_caller_waits_fifteen_seconds_and_no_longer() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.caller("bob").waits_for(15);
    scenario.after(14.999).caller("bob").waits_for(0.001);
    scenario.after(0.001).caller("bob").times_out();
}

#[test]
fn a_caller_waits_no_longer_than_its_own_deadline() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.new_caller_with(0.1).waits_for(0.1);
    scenario.new_caller_with(0).times_out();
    scenario.new_caller_with(100).waits_for(32);
}

#[test]
fn an_attempt_is_never_waited_for_beyond_the_deadline() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.server().is_unavailable().retries();
    scenario.new_caller_with(0.01).waits_for(0.01);
    let mut call = Call::until(scenario.now.monotonic + 0.01.seconds());
    assert!(scenario.session.poll(scenario.now, &mut call).is_ok());
    scenario.after(0.01);
    match scenario.session.poll(scenario.now, &mut call) {
        Err(SessionError::TimedOut { last: Some(AttemptError::Response(_)), .. }) => {}
        other => panic!("{other:?}"),
    }
    scenario.has_sent(1, 0);
}

#[test]
fn a_caller_without_time_starts_nothing() {
    let mut scenario = Scenario::new();
    scenario.new_caller_with(0).times_out().has_sent(0, 0);
}

#[test]
fn after_the_last_attempt_all_callers_get_one_error_also_during_the_backoff() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in().caller("bob").waits();
    scenario.server().is_not_reached().after(0.25);
    scenario.caller("ann").signs_in().caller("bob").waits();
    scenario.server().is_not_reached().after(1);
    scenario.caller("ann").signs_in().caller("bob").waits();
    scenario.server().answers(502, "").gives_up().backs_off_for(1);
    let mut errors = Vec::new();
    for name in ["ann", "bob", "cid", "dan"] {
        let (error, until) = scenario.caller(name).error();
        errors.push((error.to_string(), until));
        scenario.after(0.1);
    }
    assert!(errors.iter().all(|one| *one == errors[0]), "{errors:?}");
    scenario.has_sent(3, 0);
}

#[test]
fn the_backoff_doubles_from_one_second_to_a_minute() {
    let mut scenario = Scenario::new();
    for backoff in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        let attempts = scenario.round_fails(|scenario| {
            scenario.server().is_unavailable();
        });
        assert_eq!(attempts, 3);
        scenario.backs_off_for(backoff).no_caller_sends().after(backoff);
    }
    scenario.new_caller().signs_in();
    scenario.server().gives("first", 60);
    scenario.after(60);
    scenario.round_fails(|scenario| {
        scenario.server().is_unavailable();
    });
    scenario.backs_off_for(1);
}

#[test]
fn while_a_token_is_good_the_backoff_is_twenty_to_sixty_seconds() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3450).new_caller().refreshes_beside("first");
    scenario.server().is_unavailable().gives_up().backs_off_for(20).no_caller_sends();
    scenario.after(20).new_caller().refreshes_beside("first");
    scenario.server().is_unavailable().gives_up().backs_off_for(40).no_caller_sends();
    scenario.after(40).new_caller().refreshes_beside("first");
    scenario.server().is_unavailable().gives_up().backs_off_for(60).no_caller_sends();
    scenario.new_caller().gets("first").has_sent(1, 3);
}

#[test]
fn a_backoff_while_a_token_is_good_ends_at_its_last_use() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3590).new_caller().refreshes();
    scenario.server().is_unavailable().gives_up().backs_off_for(5);
    scenario.at(3595).new_caller().refreshes();

    // By whichever clock reaches it first.
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3590).new_caller().refreshes();
    scenario.server().is_unavailable().gives_up().sleeps_for(5).new_caller().refreshes();
}

#[test]
fn a_backoff_with_a_good_token_becomes_short_when_the_api_rejects_the_token() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3460).new_caller().refreshes_beside("first");
    scenario.server().is_unavailable().backs_off_for(20);
    scenario.after(5).api_rejects("first").new_caller().refreshes();
    scenario.server().gives("second", 3600).new_caller().gets("second");
}

#[test]
fn a_rejected_token_does_not_prolong_the_backoff() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3594.5).new_caller().refreshes();
    scenario.server().is_unavailable().backs_off_for(0.5).api_rejects("first").backs_off_for(0.5);
}

#[test]
fn a_backoff_that_the_server_asked_for_continues_when_the_api_rejects_the_token() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3460).new_caller().refreshes_beside("first");
    scenario.server().is_busy("300").backs_off_as_asked_for(300);
    let left = scenario.backoff() - 5.0;
    scenario
        .after(5)
        .api_rejects("first")
        .backs_off_for(left)
        .new_caller()
        .fails()
        .after_the_backoff();
}

#[test]
fn retry_after_in_seconds_is_honored_and_fails_callers_at_once() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in().caller("bob").waits();
    scenario.server().is_busy("7").gives_up().backs_off_as_asked_for(7);
    scenario.caller("ann").fails().caller("bob").fails();
    scenario.after_the_backoff().new_caller().signs_in();
}

#[test]
fn retry_after_as_a_date_is_honored() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario
        .server()
        .is_busy("Thu, 01 Jan 2026 00:00:30 GMT")
        .gives_up()
        .backs_off_as_asked_for(30);
}

#[test]
fn retry_after_is_honored_with_any_temporary_status() {
    for status in [503, 500, 408, 403] {
        let mut scenario = Scenario::new();
        scenario.new_caller().signs_in();
        scenario
            .server()
            .answers_with(status, "", Some("120"))
            .gives_up()
            .backs_off_as_asked_for(120);
    }
}

#[test]
fn retry_after_is_at_most_an_hour() {
    for value in ["3601", "99999999999999999999999", "Fri, 01 Jan 2027 00:00:00 GMT"] {
        let mut scenario = Scenario::new();
        scenario.new_caller().signs_in();
        scenario.server().is_busy(value).gives_up().backs_off_as_asked_for(3600);
    }
}

#[test]
fn a_short_retry_after_does_not_shorten_the_backoff() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.server().is_busy("1").gives_up().backs_off_as_asked_for(1).after_the_backoff();
    for backoff in [2, 4] {
        scenario.new_caller().signs_in();
        scenario.server().is_busy("1").gives_up().backs_off_for(backoff).after(backoff);
    }
}

#[test]
fn retry_after_now_or_in_the_past_or_unreadable_asks_for_nothing() {
    for value in ["0", "Wed, 31 Dec 2025 00:00:00 GMT", "soon"] {
        let mut scenario = Scenario::new();
        scenario.new_caller().signs_in();
        scenario.server().is_busy(value).retries();
    }
}

#[test]
fn retry_after_goes_beyond_the_last_use_of_a_token() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3590).new_caller().refreshes();
    scenario
        .server()
        .is_busy("100")
        .gives_up()
        .backs_off_as_asked_for(100)
        .new_caller()
        .gets("first");
    scenario.at(3595).new_caller().fails().no_caller_sends();
    scenario.after_the_backoff().new_caller().refreshes();
}

#[test]
fn a_server_that_keeps_failing_gets_at_most_four_exchanges_in_two_seconds() {
    let mut scenario = Scenario::new();
    let mut sent = 0;
    let mut failed = 0;
    let mut calls = vec![Call::new(); 100];
    for _ in 0..200 {
        for call in &mut calls {
            match scenario.session.poll(scenario.now, call) {
                Ok(point_auth_core::session::Action::Send(exchange)) => {
                    sent += 1;
                    scenario.server_of(exchange.id).is_unavailable();
                }
                Err(_) => {
                    failed += 1;
                    *call = Call::new();
                }
                Ok(_) => {}
            }
        }
        scenario.after(0.01);
    }
    assert!(sent <= 4, "{sent}");
    assert!(failed >= 100, "{failed}");
}

#[test]
fn a_success_clears_the_failures_before_it() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.server().is_unavailable().after(0.25).caller("ann").signs_in();
    scenario.server().gives("first", 60);
    assert!(scenario.snapshot().last_failure.is_none());
    scenario.after(60).caller("bob").signs_in();
    let attempts = 1 + {
        scenario.server().is_unavailable().retries();
        scenario.round_fails(|scenario| {
            scenario.server().is_unavailable();
        })
    };
    assert_eq!(attempts, 3);
}

#[test]
fn retry_after_is_spread_over_a_quarter_more_and_at_most_a_minute() {
    for (asked_for, spread) in [(8, 2.0), (3600, 60.0)] {
        let backoffs: Vec<f64> = (0..100)
            .map(|seed| {
                let mut scenario = Scenario::with_seed(seed);
                scenario.new_caller().signs_in();
                scenario
                    .server()
                    .is_busy(&asked_for.to_string())
                    .backs_off_as_asked_for(asked_for)
                    .backoff()
            })
            .collect();
        let least = backoffs.iter().copied().fold(f64::MAX, f64::min);
        let most = backoffs.iter().copied().fold(0.0, f64::max);
        assert!(most - least > spread * 0.8, "from {least} to {most}");
    }
}

#[test]
fn a_call_knows_its_deadline_from_its_first_poll_on_or_before() {
    let mut scenario = Scenario::new();
    let mut call = Call::new();
    assert_eq!(call.deadline(), None);
    let _sends = scenario.session.poll(scenario.now, &mut call);
    let in_fifteen_seconds = scenario.now.monotonic + 15.seconds();
    assert_eq!(call.deadline(), Some(in_fifteen_seconds));
    scenario.after(1);
    let _waits = scenario.session.poll(scenario.now, &mut call);
    assert_eq!(call.deadline(), Some(in_fifteen_seconds));
    assert_eq!(Call::until(7.seconds()).deadline(), Some(7.seconds()));
}
