//! A sign-in whose answer was lost may have counted against the account.

use point_auth_core::session::AttemptError;

use crate::scenario::Scenario;

#[test]
fn a_sign_in_that_may_have_been_sent_gets_no_quick_retry() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in().caller("bob").waits();
    scenario.server().falls_silent().gives_up().pauses_for(1);
    scenario.caller("ann").fails().caller("bob").fails().nobody_sends().has_sent(1, 0);
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
fn a_sign_in_lost_behind_a_gateway_that_timed_out_gets_no_quick_retry() {
    let mut scenario = Scenario::new();
    scenario.someone().signs_in();
    scenario.server().answers(504, "").gives_up().pauses_for(1);
}

#[test]
fn a_refresh_that_may_have_been_sent_gets_quick_retries() {
    let mut scenario = Scenario::refreshable("first", 60);
    scenario.at(60);
    let attempts = scenario.round_fails(|scenario| {
        scenario.server().falls_silent();
    });
    assert_eq!(attempts, 3);
    scenario.pauses_for(1);
}

/// The pauses after so many lost sign-ins.
fn three_are_lost() -> Scenario {
    let mut scenario = Scenario::new();
    for pause in [1, 2] {
        scenario.someone().signs_in();
        scenario.server().falls_silent().pauses_for(pause).after(pause);
    }
    scenario.someone().signs_in();
    scenario.server().falls_silent();
    scenario
}

#[test]
fn after_three_lost_sign_ins_the_pause_is_ten_minutes() {
    let mut scenario = three_are_lost();
    scenario.pauses_for(600).nobody_sends();
    scenario.after(599.9).nobody_sends();
    scenario.after(0.1).someone().signs_in();
}

#[test]
fn a_fourth_lost_sign_in_is_ten_minutes_again() {
    let mut scenario = three_are_lost();
    scenario.after(600).someone().signs_in();
    scenario.server().falls_silent().pauses_for(600);
}

#[test]
fn a_sign_in_that_was_not_sent_does_not_make_those_before_it_forgotten() {
    let mut scenario = Scenario::new();
    for pause in [1, 2] {
        scenario.someone().signs_in();
        scenario.server().falls_silent().pauses_for(pause).after(pause);
    }
    scenario.caller("ann").signs_in();
    scenario.server().is_not_reached().retries().after(1).caller("ann").signs_in();
    scenario.server().falls_silent().pauses_for(600);
}

#[test]
fn a_failing_server_makes_no_lost_sign_in_forgotten_and_gets_no_quick_retry() {
    let mut scenario = Scenario::new();
    for pause in [1, 2] {
        scenario.someone().signs_in();
        scenario.server().falls_silent().pauses_for(pause).after(pause);
    }
    scenario.caller("ann").signs_in();
    scenario.server().is_unavailable().pauses_for(4).after(4).someone().signs_in();
    scenario.server().falls_silent().pauses_for(600);
}

#[test]
fn a_refusal_without_an_error_object_may_be_a_denial_and_counts() {
    let mut scenario = Scenario::new();
    for pause in [1, 2, 600] {
        scenario.someone().signs_in();
        scenario.server().answers(401, "who are you?").pauses_for(pause).after(pause);
    }
}

#[test]
fn tokens_make_lost_sign_ins_forgotten() {
    let mut scenario = Scenario::new();
    for pause in [1, 2] {
        scenario.someone().signs_in();
        scenario.server().falls_silent().pauses_for(pause).after(pause);
    }
    scenario.someone().signs_in();
    scenario.server().gives("first", 60).after(60).someone().signs_in();
    scenario.server().falls_silent().pauses_for(1);
}

#[test]
fn a_refresh_that_succeeds_says_nothing_of_the_sign_ins_before_it() {
    let mut scenario = Scenario::new();
    for pause in [1, 2] {
        scenario.someone().signs_in();
        scenario.server().falls_silent().pauses_for(pause).after(pause);
    }
    let stored = Scenario::refreshable("restored", 10).session.stored_tokens().unwrap();
    scenario.session.restore(stored, scenario.now).unwrap();
    scenario.at(10).someone().refreshes();
    scenario.server().gives("first", 60).at(70).someone().refreshes();
    scenario.server().answers(404, "").is_refused().someone().signs_in();
    scenario.server().falls_silent().pauses_for(600);
}

#[test]
fn a_reset_ends_the_ten_minutes() {
    let mut scenario = three_are_lost();
    scenario.session.reset(scenario.now);
    scenario.someone().signs_in();
    scenario.server().falls_silent().pauses_for(1);
}

#[test]
fn a_new_password_begins_the_count_anew() {
    let mut scenario = Scenario::new();
    for pause in [1, 2] {
        scenario.someone().signs_in();
        scenario.server().falls_silent().pauses_for(pause).after(pause);
    }
    let credentials = point_auth_core::Credentials::new("jane@tenant.com", "another").unwrap();
    scenario.session.set_credentials(credentials, scenario.now);
    scenario.someone().signs_in();
    scenario.server().falls_silent().pauses_for(4);
}

#[test]
fn a_sign_in_made_void_by_another_alias_counts_as_lost() {
    let mut scenario = Scenario::new();
    for alias in ["ann", "bob"] {
        scenario.someone().signs_in();
        let janes = crate::scenario::jane().with_user_alias(alias).unwrap();
        scenario.session.set_credentials(janes, scenario.now);
        scenario.someone().waits_for(1).after(1);
    }
    scenario.someone().signs_in();
    scenario.server().falls_silent().pauses_for(600);
}

#[test]
fn sign_ins_whose_drivers_went_away_count_as_lost() {
    let mut scenario = Scenario::new();
    let attempts = scenario.round_fails(|scenario| {
        scenario.abandons();
    });
    assert_eq!(attempts, 3);
    let caller = scenario.someone();
    assert!(matches!(caller.error().0, AttemptError::Abandoned));
    caller.fails().pauses_for(600);
}

#[test]
fn three_lost_sign_ins_pause_for_ten_minutes_even_past_the_last_use_of_a_token() {
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.at(3455).someone().signs_in_beside("first");
    scenario.server().falls_silent().pauses_for(20);
    scenario.at(3480).someone().signs_in_beside("first");
    scenario.server().falls_silent().pauses_for(40);
    scenario.at(3525).someone().signs_in_beside("first");
    scenario.server().falls_silent().pauses_for(600);
    scenario.someone().gets("first").at(3595).someone().fails();
}

#[test]
fn the_ten_minutes_go_by_the_monotonic_clock_alone() {
    let mut scenario = three_are_lost();
    scenario.sleeps_for(100_000).pauses_for(600).nobody_sends();
    scenario
        .wall_clock_goes_back(200_000)
        .after(599.9)
        .nobody_sends()
        .after(0.1)
        .someone()
        .signs_in();
}

#[test]
fn a_corrected_password_ends_the_ten_minutes() {
    let mut scenario = three_are_lost();
    let credentials = point_auth_core::Credentials::new("jane@tenant.com", "corrected").unwrap();
    scenario.session.set_credentials(credentials, scenario.now);
    // What any failure leads to goes on.
    scenario.pauses_for(4).after_the_pause().someone().signs_in();
    scenario.server().gives("first", 3600).someone().gets("first");
}

#[test]
fn another_alias_or_spelling_ends_no_ten_minutes() {
    let shouted = point_auth_core::Credentials::new("JANE@TENANT.COM", "jane's password").unwrap();
    for same in [crate::scenario::jane().with_user_alias("ann").unwrap(), shouted] {
        let mut scenario = three_are_lost();
        scenario.session.set_credentials(same, scenario.now);
        scenario.pauses_for(600).nobody_sends();
    }
}

#[test]
fn a_corrected_password_ends_no_pause_that_the_server_asked_for() {
    let mut scenario = Scenario::new();
    for _ in 0..3 {
        scenario.someone().signs_in();
        scenario.server().answers_with(504, "", Some("3600")).gives_up().pauses_as_asked_for(3600);
        scenario.after_the_pause();
    }
    scenario.someone().signs_in();
    scenario.server().answers_with(504, "", Some("1200")).pauses_as_asked_for(1200);
    let credentials = point_auth_core::Credentials::new("jane@tenant.com", "corrected").unwrap();
    scenario.session.set_credentials(credentials, scenario.now);
    scenario.pauses_as_asked_for(1200).nobody_sends();
}

#[test]
fn a_gateway_that_got_no_answer_may_have_passed_the_password_on() {
    for status in [504, 520, 524] {
        let mut scenario = Scenario::new();
        for pause in [1, 2, 600] {
            scenario.someone().signs_in();
            scenario.server().answers(status, "").gives_up().pauses_for(pause).after(pause);
        }
    }
    for status in [502, 503, 521, 523] {
        let mut scenario = Scenario::new();
        scenario.someone().signs_in();
        scenario.server().answers(status, "").retries();
    }
}

#[test]
fn an_outcome_says_whether_it_outcome_unknown() {
    use point_auth_core::session::Outcome::{Failed, Retrying};
    let counted = |scenario: &Scenario| match scenario.outcome {
        Some(Failed { outcome_unknown, .. } | Retrying { outcome_unknown, .. }) => outcome_unknown,
        ref other => panic!("{other:?}"),
    };
    let after = |what: fn(&mut Scenario)| {
        let mut scenario = Scenario::new();
        scenario.someone().signs_in();
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
    scenario.at(60).someone().refreshes().server().falls_silent();
    assert!(!counted(&scenario));
    scenario.after(1).someone().refreshes().abandons();
    assert!(!counted(&scenario));
}

#[test]
fn a_corrected_password_ends_the_ten_minutes_after_sign_ins_that_other_aliases_made_void() {
    let mut scenario = Scenario::new();
    for alias in ["ann", "bob", "cid"] {
        scenario.after(1).someone().signs_in();
        let janes = crate::scenario::jane().with_user_alias(alias).unwrap();
        scenario.session.set_credentials(janes, scenario.now);
    }
    scenario.pauses_for(600).nobody_sends();
    let credentials = point_auth_core::Credentials::new("jane@tenant.com", "corrected").unwrap();
    scenario.session.set_credentials(credentials, scenario.now);
    scenario.someone().signs_in();
}
