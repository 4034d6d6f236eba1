//! Credentials on demand: requested at each sign-in, and not sent again once denied.

use point_auth_core::Credentials;
use point_auth_core::session::{
    AttemptError, Ledger, Now, Outcome, Policy, Rejected, SignInResult, State, StoredTokensError,
};

use crate::scenario::{Scenario, Seconds, jane};

fn rotated() -> Credentials {
    Credentials::new("jane@tenant.com", "rotated").unwrap()
}

fn joe() -> Credentials {
    Credentials::new("joe@tenant.com", "joe's password").unwrap()
}

/// Returns the rejection of a shared ledger after three sign-ins with unknown outcome.
fn too_many_unknown(now: Now) -> Rejected {
    let mut ledger = Ledger::new(&Policy::default());
    for _ in 0..3 {
        let permit = ledger.ask(&jane(), now).unwrap();
        ledger.settle(permit, SignInResult::Unknown, now);
    }
    ledger.ask(&jane(), now).unwrap_err()
}

/// Jane has signed in.
fn signed_in(life: u32) -> Scenario {
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials().source().gives(jane());
    scenario.server().gives("first", life);
    scenario
}

/// Jane's password was denied.
fn denied() -> Scenario {
    let mut scenario = Scenario::on_demand();
    scenario.caller("ann").asks_for_credentials().source().gives(jane());
    scenario.server().denies().latches();
    scenario
}

#[test]
fn credentials_are_asked_for_at_each_sign_in_and_at_no_refresh() {
    let mut scenario = Scenario::on_demand();
    scenario
        .new_caller()
        .asks_for_credentials()
        .has_sent(0, 0)
        .source()
        .gives(jane())
        .has_sent(1, 0);
    scenario.server().gives_refreshable("first", 3600);
    scenario.at(3600).new_caller().refreshes().server().answers(404, "").is_refused();
    scenario.new_caller().asks_for_credentials().source().gives(rotated());
    let body = scenario.exchange().request.body().as_ref().to_vec();
    assert!(String::from_utf8(body).unwrap().contains("rotated"));
    scenario.server().gives("second", 3600).new_caller().gets("second").has_sent(2, 1);
}

#[test]
fn one_caller_asks_for_credentials_and_the_others_wait() {
    let mut scenario = Scenario::on_demand();
    scenario.caller("ann").asks_for_credentials();
    for _ in 0..3 {
        scenario.caller("ann").waits().caller("bob").waits();
    }
    scenario.after(1).source().gives(jane()).caller("bob").waits();
    scenario.server().gives("first", 3600).caller("ann").gets("first").caller("bob").gets("first");
}

#[test]
fn the_time_of_the_exchange_counts_from_the_credentials() {
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials().at(29).source().gives(jane());
    assert_eq!(scenario.exchange().deadline, scenario.now.monotonic + 30.seconds());
    scenario.at(60).server().gives("first", 3600).new_caller().gets("first").has_sent(1, 0);
}

#[test]
fn the_life_of_the_token_counts_from_when_the_credentials_were_sent() {
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials().at(20).source().gives(jane());
    scenario.at(25).server().gives("first", 100).at(114.9).new_caller_with(0).gets("first");
    scenario.at(115).new_caller().asks_for_credentials();
}

#[test]
fn a_token_that_is_good_is_used_meanwhile() {
    let mut scenario = signed_in(3600);
    scenario.at(3500).new_caller().asks_for_credentials_beside("first").new_caller().gets("first");
    scenario.source().gives(jane());
    let fallback = scenario.exchange().fallback.clone().unwrap();
    assert_eq!((fallback.token.expose(), scenario.until(fallback.look_again)), ("first", 32.0));
    scenario.server().gives("second", 3600).new_caller().gets("second");
}

#[test]
fn denied_credentials_are_requested_again_after_a_backoff_and_not_sent_again() {
    let mut scenario = denied();
    scenario.caller("ann").is_denied();
    for backoff in [1, 2, 4, 8, 16, 32, 60, 60] {
        for _ in 0..10 {
            scenario.new_caller().is_denied();
        }
        assert_eq!(scenario.state(), State::Denied);
        scenario.after(backoff.seconds() - 0.001.seconds()).new_caller().is_denied().after(0.001);
        scenario.new_caller().asks_for_credentials().new_caller().waits();
        scenario.source().gives_unusable(jane()).latches();
    }
    scenario.new_caller().is_denied().has_sent(1, 0);
    assert_eq!(scenario.snapshot().counts.denied, 1);
}

#[test]
fn a_rotated_password_clears_the_latch_by_itself_after_a_backoff() {
    let mut scenario = denied();
    scenario.after(1).caller("bob").asks_for_credentials().source().gives(rotated());
    assert!(scenario.snapshot().denial.is_none());
    scenario.server().gives("first", 3600).caller("bob").gets("first").has_sent(2, 0);
    assert_eq!(scenario.state(), State::Good);
}

#[test]
fn another_spelling_of_the_username_is_denied_too() {
    let shouted = Credentials::new("JANE@Tenant.com", "jane's password").unwrap();
    let mut scenario = denied();
    scenario.after(1).new_caller().asks_for_credentials();
    scenario.source().gives_unusable(shouted).latches();
    scenario.has_sent(1, 0);
}

#[test]
fn another_alias_is_sent_until_three_were_denied_in_a_row() {
    let mut scenario = denied();
    for (alias, backoff) in [("ann", 1), ("bob", 2)] {
        let janes = jane().with_user_alias(alias).unwrap();
        scenario.after(backoff).new_caller().asks_for_credentials().source().gives(janes);
        scenario.server().denies().latches();
    }
    scenario.has_sent(3, 0);
    let janes = jane().with_user_alias("cid").unwrap();
    scenario.after(4).new_caller().asks_for_credentials();
    scenario.source().gives_unusable(janes).gives_up();
    assert!(matches!(scenario.new_caller().error().0, AttemptError::Held));
    scenario.has_sent(3, 0);
}

#[test]
fn after_a_reset_denied_credentials_are_sent_once_more() {
    let mut scenario = denied();
    scenario.session.reset(scenario.now);
    scenario.new_caller().asks_for_credentials().source().gives(jane()).has_sent(2, 0);
}

#[test]
fn a_source_that_fails_is_retried_and_then_backed_off_from_and_no_outcome_is_unknown() {
    let mut scenario = Scenario::on_demand();
    for backoff in [1, 2, 4, 8] {
        for _ in 0..2 {
            scenario.caller("ann").asks_for_credentials().source().fails().retries();
            let delay = scenario.caller("ann").wait();
            scenario.after(delay);
        }
        scenario.caller("ann").asks_for_credentials().source().fails().gives_up();
        let caller = scenario.caller("ann");
        assert_eq!(caller.error().0.to_string(), "the vault is sealed");
        // The error ends the call.
        caller.fails().forget("ann").backs_off_for(backoff).after_the_backoff();
    }
    scenario.has_sent(0, 0);
}

#[test]
fn a_source_that_never_answers_is_replaced_two_seconds_past_the_deadline_and_is_then_too_late() {
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials();
    scenario.at(31.999).caller("bob").waits();
    let late = scenario.source().id;
    scenario.at(32).caller("bob").asks_for_credentials();
    let outcome = scenario.session.sign_in_with(late, scenario.now, jane()).unwrap_err();
    assert!(matches!(*outcome, Outcome::Ignored));
    scenario.has_sent(0, 0).source().gives(jane()).has_sent(1, 0);
    assert_eq!(scenario.snapshot().counts.abandoned, 1);
}

#[test]
fn a_caller_that_vanishes_before_it_has_credentials_is_replaced_at_once() {
    let mut scenario = Scenario::on_demand();
    scenario.caller("ann").asks_for_credentials().caller("bob").waits();
    scenario.source().goes_away().retries().caller("bob").asks_for_credentials();
    scenario.source().goes_away().retries().caller("bob").asks_for_credentials();
    // But not without end.
    scenario.source().goes_away().gives_up().backs_off_for(1).caller("bob").fails().has_sent(0, 0);
}

#[test]
fn a_caller_that_vanishes_after_sending_is_replaced_a_second_later() {
    let mut scenario = Scenario::on_demand();
    scenario.caller("ann").asks_for_credentials().source().gives(jane());
    scenario.abandons().retries().caller("bob").waits_for(1).after(1);
    scenario.caller("bob").asks_for_credentials().source().gives(jane()).has_sent(2, 0);
}

#[test]
fn a_rejection_for_a_denial_latches_without_a_request() {
    let denial = denied().latches();
    let mut scenario = Scenario::on_demand();
    scenario.caller("ann").asks_for_credentials().caller("bob").waits();
    scenario.source().rejects(Rejected::Denied { denial, ask_again: None }).latches();
    scenario
        .caller("ann")
        .is_denied()
        .caller("bob")
        .is_denied()
        .new_caller()
        .is_denied()
        .has_sent(0, 0);
    assert_eq!(scenario.snapshot().counts.denied, 0);
    scenario.after(1).new_caller().is_denied().has_sent(0, 0);
}

#[test]
fn a_temporary_rejection_starts_a_backoff() {
    let mut scenario = Scenario::on_demand();
    scenario.caller("ann").asks_for_credentials().caller("bob").waits();
    let rejected = too_many_unknown(scenario.now);
    scenario.after(593).source().rejects(rejected.clone()).gives_up().backs_off_for(7);
    for name in ["ann", "bob"] {
        assert!(matches!(scenario.caller(name).error().0, AttemptError::TooManyUnknown));
    }
    // A moment that has come would not be a backoff, and this would loop without end.
    scenario.after_the_backoff().new_caller().asks_for_credentials();
    scenario.source().rejects(rejected).gives_up().backs_off_for(1).has_sent(0, 0);
}

#[test]
fn a_hold_without_end_ends_with_other_credentials_or_a_changed_ledger() {
    for ends in [
        (|scenario| scenario.session.expect_credentials(None, scenario.now)) as fn(&mut Scenario),
        |scenario| scenario.session.ledger_changed(scenario.now),
        |scenario| scenario.session.reset(scenario.now),
    ] {
        let mut scenario = Scenario::on_demand();
        scenario.new_caller().asks_for_credentials();
        scenario.source().rejects(Rejected::Held { until: None }).gives_up();
        scenario.after(1_000_000).no_caller_sends();
        let (error, until) = scenario.new_caller().error();
        assert!(matches!(error, AttemptError::Held) && until.is_never());
        ends(&mut scenario);
        scenario.new_caller().asks_for_credentials();
    }
}

#[test]
fn a_report_for_an_old_credential_request_is_ignored() {
    let denial = denied().latches();
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials();
    let id = scenario.source().id;
    scenario.session.set_credentials(joe(), scenario.now);
    let late = scenario.session.sign_in_with(id, scenario.now, jane()).unwrap_err();
    assert!(matches!(*late, Outcome::Ignored));
    let late =
        scenario.session.reject(id, scenario.now, Rejected::Denied { denial, ask_again: None });
    assert!(matches!(late, Outcome::Ignored));
    scenario.new_caller().signs_in().has_sent(1, 0);

    // Repeated credentials do not start a second exchange.
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials();
    let source = scenario.source();
    let id = source.id;
    source.gives(jane());
    let twice = scenario.session.sign_in_with(id, scenario.now, jane()).unwrap_err();
    assert!(matches!(*twice, Outcome::Ignored));
    scenario.has_sent(1, 0).server().gives("first", 3600).new_caller().gets("first");
}

#[test]
fn an_answer_without_a_request_is_a_temporary_failure() {
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials();
    let id = scenario.source().id;
    scenario.server_of(id).answers(200, r#"{"access_token":"from-nowhere"}"#).retries();
    scenario.new_caller_with(0).times_out();
}

#[test]
fn another_user_gets_no_token_of_the_previous_one() {
    for other in [joe(), jane().with_user_alias("ann").unwrap()] {
        let mut scenario = signed_in(3600);
        scenario.at(3500).new_caller().asks_for_credentials_beside("first").source().gives(other);
        scenario.new_caller().waits().server().is_unavailable().retries().new_caller().waits();
        assert!(scenario.stored_tokens().is_none());
    }
}

#[test]
fn three_unknown_sign_ins_hold_for_ten_minutes() {
    let mut scenario = Scenario::on_demand();
    for backoff in [1, 2] {
        scenario.new_caller().asks_for_credentials().source().gives(jane());
        scenario.server().falls_silent().backs_off_for(backoff).after(backoff);
    }
    scenario.new_caller().asks_for_credentials().source().gives(jane());
    scenario.server().falls_silent().backs_off_for(600).after_the_backoff();
    scenario.new_caller().asks_for_credentials().source().gives(jane());
    scenario.server().falls_silent().backs_off_for(600);
}

#[test]
fn another_password_restarts_the_count_of_unknown_sign_ins() {
    let mut scenario = Scenario::on_demand();
    for (credentials, backoff) in
        [(jane(), 1), (jane(), 2), (rotated(), 4), (rotated(), 8), (rotated(), 600)]
    {
        scenario.new_caller().asks_for_credentials().source().gives(credentials);
        scenario.server().falls_silent().backs_off_for(backoff).after_the_backoff();
    }
}

#[test]
fn a_session_that_is_given_credentials_asks_for_them_no_more() {
    let mut scenario = denied();
    scenario.session.set_credentials(rotated(), scenario.now);
    scenario.new_caller().signs_in().server().denies().latches();
    scenario.after(3600).new_caller().is_denied();

    // Identical credentials in flight may be counted twice.
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials().source().gives(jane());
    scenario.session.set_credentials(jane(), scenario.now);
    scenario.new_caller().waits_for(1).after(1).new_caller().signs_in();
}

#[test]
fn with_a_good_token_denied_credentials_are_also_requested_again_after_a_backoff() {
    let mut scenario = signed_in(3600);
    scenario.at(3500).new_caller().asks_for_credentials_beside("first").source().gives(jane());
    scenario.server().denies().latches();
    let (scenario, lease) = scenario.new_caller().lease();
    assert_eq!(scenario.until(lease.look_again), 1.0);
    scenario.after(1).new_caller().asks_for_credentials_beside("first").source().gives(rotated());
    scenario.server().gives("second", 3600).new_caller().gets("second");
}

#[test]
fn tokens_of_another_user_are_not_restored_while_an_answer_is_awaited() {
    let stored = signed_in(3600).stored_tokens().unwrap();
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials().source().gives(joe());
    let refused = scenario.session.restore(stored, scenario.now);
    assert_eq!(refused, Err(StoredTokensError::OtherUsername));
    scenario.server().gives("joe's", 3600).new_caller().gets("joe's");
    let stored = scenario.stored_tokens().unwrap();
    assert_eq!(stored.username(), Some("joe@tenant.com"));
}

#[test]
fn stored_tokens_are_restored_while_credentials_are_fetched() {
    let stored = signed_in(3600).stored_tokens().unwrap();
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials();
    assert_eq!(scenario.session.restore(stored, scenario.now), Ok(()));
    scenario.new_caller().gets("first");
}

#[test]
fn a_hold_for_unknown_sign_ins_does_not_apply_to_another_password() {
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials();
    let rejected = too_many_unknown(scenario.now);
    scenario.source().rejects(rejected).backs_off_for(600).no_caller_sends();
    scenario.session.set_credentials(rotated(), scenario.now);
    scenario.new_caller().signs_in();
}

#[test]
fn an_unknown_sign_in_is_not_forgotten_after_a_denial_of_others() {
    let mut scenario = Scenario::on_demand();
    scenario.new_caller().asks_for_credentials().source().gives(jane());
    scenario.server().falls_silent().backs_off_for(1).after(2);
    scenario.new_caller().asks_for_credentials().source().gives(rotated());
    scenario.server().denies().latches();
    scenario.after(60).new_caller().asks_for_credentials().source().gives(jane());
    scenario.server().is_unavailable().gives_up();
}

#[test]
fn an_alias_that_was_denied_is_not_sent_again_after_another_has_worked() {
    let mut scenario = Scenario::on_demand();
    let janes = |alias| jane().with_user_alias(alias).unwrap();
    scenario.new_caller().asks_for_credentials().source().gives(janes("mallory"));
    scenario
        .server()
        .denies()
        .after(1)
        .new_caller()
        .asks_for_credentials()
        .source()
        .gives(janes("ann"));
    scenario.server().gives("first", 60).after(60);
    scenario
        .new_caller()
        .asks_for_credentials()
        .source()
        .gives_unusable(janes("mallory"))
        .latches();
    scenario.has_sent(2, 0);
}
