//! The API rejects tokens: one exchange for a thousand 401s, and no storm when it rejects them all.

use std::error::Error;

use point_auth_core::AccessToken;
use point_auth_core::session::{AttemptError, Outcome};

use crate::scenario::Scenario;

#[test]
fn a_rejected_token_is_not_handed_out_again() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(100).api_rejects("first").does_not_back_off().new_caller().refreshes();
    scenario.new_caller().waits();
    scenario.server().gives("second", 3600).new_caller().gets("second");
}

#[test]
fn a_thousand_rejections_of_one_token_are_one_exchange() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(100).api_rejects("first").new_caller().refreshes();
    for _ in 0..500 {
        scenario.api_rejects("first");
    }
    scenario.server().gives("second", 3600);
    for _ in 0..500 {
        scenario.api_rejects("first").new_caller().gets("second");
    }
    scenario.does_not_back_off().has_sent(1, 1);
}

#[test]
fn only_a_rejection_of_the_current_token_changes_anything() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(100);
    for (token, changes) in [("another", false), ("first", true), ("first", false)] {
        assert_eq!(
            scenario.session.invalidate(&AccessToken::new(token).unwrap(), scenario.now),
            changes
        );
    }
}

#[test]
fn the_rejection_of_an_unknown_token_is_ignored() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.api_rejects("another").does_not_back_off().new_caller().gets("first");
}

#[test]
fn rejecting_a_token_younger_than_half_a_minute_starts_a_backoff() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(29.9).api_rejects("first").backs_off_for(1);
    let caller = scenario.new_caller();
    assert!(matches!(caller.error().0, AttemptError::Rejected));
    caller.fails().no_caller_sends().after(1).new_caller().refreshes();
}

#[test]
fn rejecting_a_token_of_half_a_minute_starts_no_backoff() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(30).api_rejects("first").does_not_back_off().new_caller().refreshes();
}

#[test]
fn an_age_counts_by_either_clock() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.sleeps_for(30).api_rejects("first").does_not_back_off().new_caller().refreshes();
}

#[test]
fn an_api_that_rejects_every_token_causes_no_storm() {
    let mut scenario = Scenario::refreshable("token-0", 3600);
    for (nth, backoff) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
        scenario.api_rejects(&format!("token-{nth}")).backs_off_for(backoff).no_caller_sends();
        scenario.after(backoff).new_caller().refreshes();
        scenario.server().gives_refreshable(&format!("token-{}", nth + 1), 3600);
    }
}

#[test]
fn a_token_that_grew_old_unrejected_makes_the_next_backoff_short_again() {
    let mut scenario = Scenario::refreshable("token-0", 3600);
    scenario.api_rejects("token-0").backs_off_for(1).after(1).new_caller().refreshes();
    scenario.server().gives_refreshable("token-1", 3600).api_rejects("token-1").backs_off_for(2);
    scenario.after(2).new_caller().refreshes();
    scenario.server().gives_refreshable("token-2", 3600);
    scenario.at(3500).new_caller().refreshes_beside("token-2");
    scenario.server().gives_refreshable("token-3", 3600).api_rejects("token-3").backs_off_for(1);
}

#[test]
fn the_backoff_for_a_young_token_does_not_shorten_a_longer_one() {
    let mut scenario = Scenario::refreshable("first", 20);
    scenario.at(14).new_caller().refreshes_beside("first");
    scenario.server().is_busy("600").backs_off_as_asked_for(600).api_rejects("first");
    scenario.backs_off_as_asked_for(600).after(599).no_caller_sends();
}

#[test]
fn a_young_token_rejected_while_an_exchange_is_in_flight_starts_no_backoff() {
    let mut scenario = Scenario::refreshable("first", 20);
    scenario.at(14).new_caller().refreshes_beside("first");
    scenario.api_rejects("first").does_not_back_off().caller("bob").waits();
    scenario.server().gives("second", 3600).caller("bob").gets("second");
}

#[test]
fn a_rejected_token_that_comes_again_starts_a_backoff() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(100).api_rejects("first").caller("ann").refreshes();
    scenario.server().answers(200, r#"{"access_token":"first","expires_in":3600}"#).gives_up();
    assert!(matches!(
        scenario.outcome,
        Some(Outcome::Failed { error: AttemptError::SameToken, .. })
    ));
    scenario.caller("ann").fails().backs_off_for(1).no_caller_sends();
}

#[test]
fn the_current_token_that_comes_again_starts_a_backoff() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3460).new_caller().refreshes_beside("first");
    scenario.server().answers(200, r#"{"access_token":"first","expires_in":140}"#).gives_up();
    scenario.backs_off_for(20).new_caller().gets("first").no_caller_sends().has_sent(1, 1);
}

#[test]
fn a_new_refresh_token_with_the_identical_access_token_is_kept() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(100).api_rejects("first").new_caller().refreshes();
    scenario
        .server()
        .answers(200, r#"{"access_token":"first","refresh_token":"rotated"}"#)
        .gives_up();
    scenario.after(1).new_caller().refreshes();
    let body = std::str::from_utf8(scenario.exchange().request.body().as_ref()).unwrap();
    assert!(body.contains("rotated"));
}

#[test]
fn a_reset_ends_the_backoff_of_a_rejection() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.api_rejects("first").backs_off_for(1);
    scenario.session.reset(scenario.now);
    scenario.does_not_back_off().new_caller().refreshes();
    scenario.server().gives_refreshable("second", 3600).api_rejects("second").backs_off_for(1);
}

#[test]
fn a_rejection_in_a_session_without_a_refresh_token_leads_to_a_sign_in() {
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.at(100).api_rejects("first").new_caller().signs_in();
}

#[test]
fn a_rejection_has_a_text() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.api_rejects("first");
    let error = scenario.new_caller().reply.unwrap_err();
    assert_eq!(error.to_string(), "no access token");
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "the API rejected an access token that had just been given");
}

#[test]
fn a_rejected_token_that_comes_again_causes_one_backoff_and_is_then_accepted() {
    let again = r#"{"access_token":"first","expires_in":3600}"#;
    for mut scenario in [Scenario::refreshable("first", 3600), Scenario::signed_in("first", 3600)] {
        scenario.at(100).api_rejects("first");
        scenario
            .new_caller()
            .sends_something()
            .server()
            .answers(200, again)
            .gives_up()
            .backs_off_for(1)
            .after_the_backoff();
        scenario
            .new_caller()
            .sends_something()
            .server()
            .answers(200, again)
            .new_caller()
            .gets("first");
        // No storm if the server rejects it again.
        scenario.api_rejects("first").backs_off_for(1);
    }
}

#[test]
fn an_identical_token_with_a_later_end_counts_as_new() {
    let again = |life: u32| {
        let mut scenario = Scenario::refreshable("first", 3600);
        scenario.at(3460).new_caller().refreshes_beside("first");
        scenario
            .server()
            .answers(200, &format!(r#"{{"access_token":"first","expires_in":{life}}}"#));
        scenario
    };
    // It was good until 3595; a server that rounds is off by a second.
    again(142).gives_up();
    let mut scenario = again(143);
    assert!(matches!(scenario.outcome, Some(Outcome::Renewed { .. })));
    scenario.does_not_back_off().at(3597.9).new_caller_with(0).gets("first");
}
