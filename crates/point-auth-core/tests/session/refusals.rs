//! A session refreshes first, and signs in when the refresh is refused, but not when it fails
//! temporarily.

use point_auth_core::session::Failure;

use crate::scenario::Scenario;

/// In the mandatory window, with a refresh in flight.
fn refreshing() -> Scenario {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3540).caller("ann").refreshes();
    scenario
}

/// This answer to a refresh is a refusal: one sign-in follows at once.
#[track_caller]
fn leads_to_a_sign_in(status: u16, body: &str) {
    let mut scenario = refreshing();
    scenario.server().answers(status, body).is_refused().does_not_back_off();
    scenario.caller("ann").signs_in();
    scenario.server().gives_refreshable("second", 3600);
    scenario.caller("ann").gets("second").has_sent(2, 1);
    assert_eq!(scenario.snapshot().counts.refused, 1);
}

/// This answer to a refresh is temporary: no sign-in follows, however often it comes.
#[track_caller]
fn leads_to_no_sign_in(status: u16, body: &str) {
    let mut scenario = refreshing();
    scenario.server().answers(status, body).gives_up().caller("ann").gets("first");
    for _ in 0..20 {
        let backoff = scenario.backoff();
        scenario.after(backoff);
        scenario.round_fails(|scenario| {
            scenario.server().answers(status, body);
        });
    }
    let counts = scenario.snapshot().counts;
    assert_eq!((counts.sign_ins, counts.refused), (1, 0));
    assert!(counts.refreshes > 20);
}

#[test]
fn a_session_with_a_refresh_token_refreshes() {
    refreshing().has_sent(1, 1);
}

#[test]
fn a_session_without_a_refresh_token_signs_in() {
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.at(3600).new_caller().signs_in();
}

#[test]
fn a_denied_refresh_leads_to_a_sign_in() {
    for status in [200, 400, 401, 403] {
        leads_to_a_sign_in(status, r#"{"error":"invalid_grant"}"#);
    }
}

#[test]
fn a_missing_refresh_endpoint_leads_to_a_sign_in() {
    leads_to_a_sign_in(404, "<html>not found</html>");
    leads_to_a_sign_in(410, "");
    leads_to_a_sign_in(405, "");
}

#[test]
fn a_refresh_refused_without_an_error_object_leads_to_a_sign_in() {
    leads_to_a_sign_in(400, "");
    leads_to_a_sign_in(400, "bad request");
    leads_to_a_sign_in(401, "{}");
}

#[test]
fn a_malformed_answer_to_a_refresh_leads_to_a_sign_in() {
    leads_to_a_sign_in(200, "{}");
    leads_to_a_sign_in(200, r#"{"access_token":5}"#);
    leads_to_a_sign_in(204, "");
}

#[test]
fn a_refresh_that_times_out_leads_to_no_sign_in() {
    leads_to_no_sign_in(408, "");
}

#[test]
fn a_refresh_that_is_too_early_leads_to_no_sign_in() {
    leads_to_no_sign_in(425, "");
}

#[test]
fn a_refresh_over_the_rate_limit_leads_to_no_sign_in() {
    leads_to_no_sign_in(429, r#"{"error":"slow_down"}"#);
}

#[test]
fn a_refresh_that_a_firewall_forbids_leads_to_no_sign_in() {
    leads_to_no_sign_in(403, "<html>this is a firewall</html>");
    leads_to_no_sign_in(403, "{}");
}

#[test]
fn a_server_that_fails_leads_to_no_sign_in() {
    for status in [500, 502, 503, 504, 599] {
        leads_to_no_sign_in(status, r#"{"error":"invalid_grant"}"#);
    }
}

#[test]
fn a_failure_that_the_api_calls_temporary_leads_to_no_sign_in() {
    for status in [200, 400, 403, 503] {
        leads_to_no_sign_in(status, r#"{"error":"temporarily_unavailable"}"#);
        leads_to_no_sign_in(status, r#"{"error":"server_error"}"#);
    }
}

#[test]
fn a_redirect_and_a_captive_portal_lead_to_no_sign_in() {
    leads_to_no_sign_in(302, "");
    leads_to_no_sign_in(200, "<html>please accept our terms</html>");
}

#[test]
fn a_refresh_without_a_response_leads_to_no_sign_in() {
    for failure in [Failure::not_sent(), Failure::maybe_sent()] {
        let mut scenario = refreshing();
        scenario.server().fails(&failure).gives_up();
        for _ in 0..20 {
            let backoff = scenario.backoff();
            scenario.after(backoff);
            scenario.round_fails(|scenario| {
                scenario.server().fails(&failure);
            });
        }
        assert_eq!(scenario.snapshot().counts.sign_ins, 1);
    }
}

#[test]
fn a_refresh_token_is_sent_for_49_hours_and_not_a_second_longer() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(49 * 3600 - 1).new_caller().refreshes();
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(49 * 3600).new_caller().signs_in();
}

#[test]
fn a_refresh_token_expires_during_a_sleep() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.sleeps_for(49 * 3600).new_caller().signs_in();
}

#[test]
fn a_refresh_token_lives_from_its_request_and_does_not_restart_when_it_comes_again() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.after(20).server().gives_both("first", "refresh", 3600);
    scenario.at(40 * 3600).new_caller().refreshes();
    scenario.server().gives_both("second", "refresh", 3600);
    scenario.at(49 * 3600).new_caller().signs_in();
}

#[test]
fn a_new_refresh_token_has_a_new_lifetime() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(40 * 3600).new_caller().refreshes();
    scenario.server().gives_refreshable("second", 3600);
    scenario.at(88 * 3600).new_caller().refreshes();
}

#[test]
fn a_refresh_answered_without_a_refresh_token_keeps_the_old_one() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3595).new_caller().refreshes();
    scenario.server().gives("second", 3600);
    scenario.at(2 * 3595).new_caller().refreshes();
}

#[test]
fn a_sign_in_answered_without_a_refresh_token_leaves_none() {
    let mut scenario = refreshing();
    scenario.server().answers(400, "").caller("ann").signs_in();
    scenario.server().gives("second", 3600);
    scenario.at(10_000).new_caller().signs_in();
}

#[test]
fn a_refused_refresh_in_the_advisory_window_makes_no_caller_wait() {
    let mut scenario = Scenario::refreshable("first", 3600);
    scenario.at(3500).new_caller().refreshes_beside("first");
    scenario.server().answers(400, "").is_refused();
    scenario.new_caller().signs_in_beside("first").new_caller().gets("first");
}

#[test]
fn after_a_refused_refresh_there_is_one_sign_in_per_backoff() {
    let mut scenario = refreshing();
    scenario.server().answers(404, "").is_refused();
    scenario.caller("ann").signs_in();
    scenario.server().answers(404, "").gives_up().backs_off_for(20);
    scenario.no_caller_sends().has_sent(2, 1);
    scenario.after(20).new_caller().signs_in();
    scenario.server().answers(404, "").gives_up().backs_off_for(35);
}

#[test]
fn a_sign_in_that_is_refused_without_being_denied_is_not_tried_again_at_once() {
    for (status, body) in [(404, ""), (400, ""), (401, "{}"), (200, "{}")] {
        let mut scenario = Scenario::new();
        scenario.new_caller().signs_in();
        scenario.server().answers(status, body).gives_up().backs_off_for(1);
        scenario.no_caller_sends();
    }
}

#[test]
fn after_a_refused_refresh_a_sign_in_gets_no_quick_retry() {
    let ends: [fn(&mut Scenario); 4] = [
        |scenario| {
            scenario.server().is_unavailable();
        },
        |scenario| {
            scenario.server().is_not_reached();
        },
        |scenario| {
            scenario.server().falls_silent();
        },
        |scenario| {
            scenario.abandons();
        },
    ];
    for end in ends {
        let mut scenario = Scenario::refreshable("first", 3600);
        scenario.at(3595).caller("ann").refreshes().server().answers(404, "").is_refused();
        scenario.caller("ann").signs_in();
        end(&mut scenario);
        scenario.gives_up().backs_off_for(1).caller("ann").fails();
        scenario.after(1).new_caller().signs_in();
    }
}

#[test]
fn a_refused_refresh_with_retry_after_backs_off_and_then_signs_in() {
    let mut scenario = refreshing();
    scenario.server().answers_with(404, "", Some("300")).gives_up().backs_off_as_asked_for(300);
    assert_eq!(scenario.snapshot().counts.refused, 1);
    scenario.caller("ann").gets("first").no_caller_sends();
    assert!(!scenario.snapshot().has_refresh_token);
    scenario.after_the_backoff().new_caller().signs_in();
}
