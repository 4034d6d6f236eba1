//! A sign-in with unknown outcome may have counted against the account.

use point_auth_core::session::AttemptError;

use crate::scenario::Scenario;

#[test]
fn a_sign_in_that_may_have_been_sent_gets_no_quick_retry() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in().caller("bob").waits();
    scenario.server().falls_silent().gives_up().backs_off_for(1);
    scenario.caller("ann").fails().caller("bob").fails().no_caller_sends().has_sent(1, 0);
}

#[test]
fn a_sign_in_that_was_not_sent_gets_quick_retries() {
    let mut scenario = Scenario::new();
    let attempts = scenario.round_fails(|scenario| {
        scenario.server().is_not_reached();
    });
    assert_eq!(attempts, 3);
}

#[test]
fn a_sign_in_behind_a_gateway_that_timed_out_gets_no_quick_retry() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.server().answers(504, "").gives_up().backs_off_for(1);
}

#[test]
fn a_refresh_that_may_have_been_sent_gets_quick_retries() {
    let mut scenario = Scenario::refreshable("first", 60);
    scenario.at(60);
    let attempts = scenario.round_fails(|scenario| {
        scenario.server().falls_silent();
    });
    assert_eq!(attempts, 3);
    scenario.backs_off_for(1);
}

/// Returns a session after three sign-ins with unknown outcome.
fn after_three_unknown_outcomes() -> Scenario {
    let mut scenario = Scenario::new();
    for backoff in [1, 2] {
        scenario.new_caller().signs_in();
        scenario.server().falls_silent().backs_off_for(backoff).after(backoff);
    }
    scenario.new_caller().signs_in();
    scenario.server().falls_silent();
    scenario
}

#[test]
fn after_three_unknown_sign_ins_the_backoff_is_ten_minutes() {
    let mut scenario = after_three_unknown_outcomes();
    scenario.backs_off_for(600).no_caller_sends();
    scenario.after(599.9).no_caller_sends();
    scenario.after(0.1).new_caller().signs_in();
}

#[test]
fn a_fourth_unknown_sign_in_is_ten_minutes_again() {
    let mut scenario = after_three_unknown_outcomes();
    scenario.after(600).new_caller().signs_in();
    scenario.server().falls_silent().backs_off_for(600);
}

#[test]
fn a_sign_in_that_was_not_sent_does_not_clear_unknown_outcomes() {
    let mut scenario = Scenario::new();
    for backoff in [1, 2] {
        scenario.new_caller().signs_in();
        scenario.server().falls_silent().backs_off_for(backoff).after(backoff);
    }
    scenario.caller("ann").signs_in();
    scenario.server().is_not_reached().retries().after(1).caller("ann").signs_in();
    scenario.server().falls_silent().backs_off_for(600);
}

#[test]
fn a_failing_server_clears_no_unknown_outcome_and_gets_no_quick_retry() {
    let mut scenario = Scenario::new();
    for backoff in [1, 2] {
        scenario.new_caller().signs_in();
        scenario.server().falls_silent().backs_off_for(backoff).after(backoff);
    }
    scenario.caller("ann").signs_in();
    scenario.server().is_unavailable().backs_off_for(4).after(4).new_caller().signs_in();
    scenario.server().falls_silent().backs_off_for(600);
}

#[test]
fn a_refusal_without_an_error_object_may_be_a_denial_and_counts() {
    let mut scenario = Scenario::new();
    for backoff in [1, 2, 600] {
        scenario.new_caller().signs_in();
        scenario.server().answers(401, "unknown user").backs_off_for(backoff).after(backoff);
    }
}

#[test]
fn tokens_clear_unknown_outcomes() {
    let mut scenario = Scenario::new();
    for backoff in [1, 2] {
        scenario.new_caller().signs_in();
        scenario.server().falls_silent().backs_off_for(backoff).after(backoff);
    }
    scenario.new_caller().signs_in();
    scenario.server().gives("first", 60).after(60).new_caller().signs_in();
    scenario.server().falls_silent().backs_off_for(1);
}

#[test]
fn a_refresh_that_succeeds_does_not_clear_unknown_outcomes() {
    let mut scenario = Scenario::new();
    for backoff in [1, 2] {
        scenario.new_caller().signs_in();
        scenario.server().falls_silent().backs_off_for(backoff).after(backoff);
    }
    let stored = Scenario::refreshable("restored", 10).stored_tokens().unwrap();
    scenario.session.restore(stored, scenario.now).unwrap();
    scenario.at(10).new_caller().refreshes();
    scenario.server().gives("first", 60).at(70).new_caller().refreshes();
    scenario.server().answers(404, "").is_refused().new_caller().signs_in();
    scenario.server().falls_silent().backs_off_for(600);
}

#[test]
fn a_reset_ends_the_ten_minutes() {
    let mut scenario = after_three_unknown_outcomes();
    scenario.session.reset(scenario.now);
    scenario.new_caller().signs_in();
    scenario.server().falls_silent().backs_off_for(1);
}

#[test]
fn a_new_password_restarts_the_count() {
    let mut scenario = Scenario::new();
    for backoff in [1, 2] {
        scenario.new_caller().signs_in();
        scenario.server().falls_silent().backs_off_for(backoff).after(backoff);
    }
    let credentials = point_auth_core::Credentials::new("jane@tenant.com", "another").unwrap();
    scenario.session.set_credentials(credentials, scenario.now);
    scenario.new_caller().signs_in();
    scenario.server().falls_silent().backs_off_for(4);
}

#[test]
fn a_sign_in_made_void_by_another_alias_counts_as_unknown() {
    let mut scenario = Scenario::new();
    for alias in ["ann", "bob"] {
        scenario.new_caller().signs_in();
        let janes = crate::scenario::jane().with_user_alias(alias).unwrap();
        scenario.session.set_credentials(janes, scenario.now);
        scenario.new_caller().waits_for(1).after(1);
    }
    scenario.new_caller().signs_in();
    scenario.server().falls_silent().backs_off_for(600);
}

#[test]
fn sign_ins_with_vanished_drivers_count_as_unknown() {
    let mut scenario = Scenario::new();
    let attempts = scenario.round_fails(|scenario| {
        scenario.abandons();
    });
    assert_eq!(attempts, 3);
    let caller = scenario.new_caller();
    assert!(matches!(caller.error().0, AttemptError::Abandoned));
    caller.fails().backs_off_for(600);
}

#[test]
fn three_unknown_sign_ins_back_off_for_ten_minutes_even_past_the_last_use_of_a_token() {
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.at(3455).new_caller().signs_in_beside("first");
    scenario.server().falls_silent().backs_off_for(20);
    scenario.at(3480).new_caller().signs_in_beside("first");
    scenario.server().falls_silent().backs_off_for(40);
    scenario.at(3525).new_caller().signs_in_beside("first");
    scenario.server().falls_silent().backs_off_for(600);
    scenario.new_caller().gets("first").at(3595).new_caller().fails();
}

#[test]
fn the_ten_minutes_go_by_the_monotonic_clock_alone() {
    let mut scenario = after_three_unknown_outcomes();
    scenario.sleeps_for(100_000).backs_off_for(600).no_caller_sends();
    scenario
        .wall_clock_goes_back(200_000)
        .after(599.9)
        .no_caller_sends()
        .after(0.1)
        .new_caller()
        .signs_in();
}

#[test]
fn a_corrected_password_ends_the_ten_minutes() {
    let mut scenario = after_three_unknown_outcomes();
    let credentials = point_auth_core::Credentials::new("jane@tenant.com", "corrected").unwrap();
    scenario.session.set_credentials(credentials, scenario.now);
    // The backoff after any failure continues.
    scenario.backs_off_for(4).after_the_backoff().new_caller().signs_in();
    scenario.server().gives("first", 3600).new_caller().gets("first");
}

#[test]
fn another_alias_or_spelling_ends_no_ten_minutes() {
    let shouted = point_auth_core::Credentials::new("JANE@TENANT.COM", "jane's password").unwrap();
    for same in [crate::scenario::jane().with_user_alias("ann").unwrap(), shouted] {
        let mut scenario = after_three_unknown_outcomes();
        scenario.session.set_credentials(same, scenario.now);
        scenario.backs_off_for(600).no_caller_sends();
    }
}

#[test]
fn a_corrected_password_ends_no_backoff_that_the_server_asked_for() {
    let mut scenario = Scenario::new();
    for _ in 0..3 {
        scenario.new_caller().signs_in();
        scenario
            .server()
            .answers_with(504, "", Some("3600"))
            .gives_up()
            .backs_off_as_asked_for(3600);
        scenario.after_the_backoff();
    }
    scenario.new_caller().signs_in();
    scenario.server().answers_with(504, "", Some("1200")).backs_off_as_asked_for(1200);
    let credentials = point_auth_core::Credentials::new("jane@tenant.com", "corrected").unwrap();
    scenario.session.set_credentials(credentials, scenario.now);
    scenario.backs_off_as_asked_for(1200).no_caller_sends();
}

#[test]
fn a_gateway_that_got_no_answer_may_have_passed_the_password_on() {
    for status in [504, 520, 524] {
        let mut scenario = Scenario::new();
        for backoff in [1, 2, 600] {
            scenario.new_caller().signs_in();
            scenario.server().answers(status, "").gives_up().backs_off_for(backoff).after(backoff);
        }
    }
    for status in [502, 503, 521, 523] {
        let mut scenario = Scenario::new();
        scenario.new_caller().signs_in();
        scenario.server().answers(status, "").retries();
    }
}

#[test]
fn an_outcome_shows_whether_the_sign_in_is_unknown() {
    use point_auth_core::session::Outcome::{Failed, Retrying};
    let counted = |scenario: &Scenario| match scenario.outcome {
        Some(Failed { outcome_unknown, .. } | Retrying { outcome_unknown, .. }) => outcome_unknown,
        ref other => panic!("{other:?}"),
    };
    let after = |what: fn(&mut Scenario)| {
        let mut scenario = Scenario::new();
        scenario.new_caller().signs_in();
        what(&mut scenario);
        counted(&scenario)
    };
    assert!(after(|scenario| {
        scenario.server().falls_silent();
    }));
    assert!(after(|scenario| {
        scenario.abandons();
    }));
    assert!(after(|scenario| {
        scenario.server().answers(404, "");
    }));
    assert!(!after(|scenario| {
        scenario.server().is_not_reached();
    }));
    assert!(!after(|scenario| {
        scenario.server().is_unavailable();
    }));
    let mut scenario = Scenario::refreshable("first", 60);
    scenario.at(60).new_caller().refreshes().server().falls_silent();
    assert!(!counted(&scenario));
    scenario.after(1).new_caller().refreshes().abandons();
    assert!(!counted(&scenario));
}

#[test]
fn a_corrected_password_ends_the_ten_minutes_after_sign_ins_that_other_aliases_made_void() {
    let mut scenario = Scenario::new();
    for alias in ["ann", "bob", "cid"] {
        scenario.after(1).new_caller().signs_in();
        let janes = crate::scenario::jane().with_user_alias(alias).unwrap();
        scenario.session.set_credentials(janes, scenario.now);
    }
    scenario.backs_off_for(600).no_caller_sends();
    let credentials = point_auth_core::Credentials::new("jane@tenant.com", "corrected").unwrap();
    scenario.session.set_credentials(credentials, scenario.now);
    scenario.new_caller().signs_in();
}
