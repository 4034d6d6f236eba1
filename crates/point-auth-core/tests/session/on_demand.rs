//! Credentials on demand: asked for at each sign-in, and not sent twice when they were denied.

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

/// What a shared ledger says after three sign-ins with unknown outcome.
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
    scenario.someone().asks_for_credentials().source().gives(jane());
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
    scenario.someone().asks_for_credentials().has_sent(0, 0).source().gives(jane()).has_sent(1, 0);
    scenario.server().gives_refreshable("first", 3600);
    scenario.at(3600).someone().refreshes().server().answers(404, "").is_refused();
    scenario.someone().asks_for_credentials().source().gives(rotated());
    let body = scenario.exchange().request.body().as_ref().to_vec();
    assert!(String::from_utf8(body).unwrap().contains("rotated"));
    scenario.server().gives("second", 3600).someone().gets("second").has_sent(2, 1);
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
fn the_time_of_the_exchange_begins_when_the_credentials_have_come() {
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials().at(29).source().gives(jane());
    assert_eq!(scenario.exchange().deadline, scenario.now.monotonic + 30.seconds());
    scenario.at(60).server().gives("first", 3600).someone().gets("first").has_sent(1, 0);
}

#[test]
fn the_life_of_the_token_counts_from_when_the_credentials_were_sent() {
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials().at(20).source().gives(jane());
    scenario.at(25).server().gives("first", 100).at(114.9).someone_with(0).gets("first");
    scenario.at(115).someone().asks_for_credentials();
}

#[test]
fn a_token_that_is_good_is_used_meanwhile() {
    let mut scenario = signed_in(3600);
    scenario.at(3500).someone().asks_for_credentials_beside("first").someone().gets("first");
    scenario.source().gives(jane());
    let fallback = scenario.exchange().fallback.clone().unwrap();
    assert_eq!((fallback.token.expose(), scenario.until(fallback.look_again)), ("first", 32.0));
    scenario.server().gives("second", 3600).someone().gets("second");
}

#[test]
fn credentials_that_were_denied_are_asked_for_again_in_a_pause_and_not_sent_again() {
    let mut scenario = denied();
    scenario.caller("ann").is_denied();
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        for _ in 0..10 {
            scenario.someone().is_denied();
        }
        assert_eq!(scenario.state(), State::Denied);
        scenario.after(pause.seconds() - 0.001.seconds()).someone().is_denied().after(0.001);
        scenario.someone().asks_for_credentials().someone().waits();
        scenario.source().gives_to_no_avail(jane()).latches();
    }
    scenario.someone().is_denied().has_sent(1, 0);
    assert_eq!(scenario.snapshot().counts.denied, 1);
}

#[test]
fn a_rotated_password_opens_the_latch_by_itself_within_a_pause() {
    let mut scenario = denied();
    scenario.after(1).caller("bob").asks_for_credentials().source().gives(rotated());
    assert!(scenario.snapshot().denial.is_none());
    scenario.server().gives("first", 3600).caller("bob").gets("first").has_sent(2, 0);
    assert_eq!(scenario.state(), State::Good);
}

#[test]
fn another_spelling_of_the_username_is_denied_as_well() {
    let shouted = Credentials::new("JANE@Tenant.com", "jane's password").unwrap();
    let mut scenario = denied();
    scenario.after(1).someone().asks_for_credentials();
    scenario.source().gives_to_no_avail(shouted).latches();
    scenario.has_sent(1, 0);
}

#[test]
fn another_alias_is_sent_until_three_were_denied_in_a_row() {
    let mut scenario = denied();
    for (alias, pause) in [("ann", 1), ("bob", 2)] {
        let janes = jane().with_user_alias(alias).unwrap();
        scenario.after(pause).someone().asks_for_credentials().source().gives(janes);
        scenario.server().denies().latches();
    }
    scenario.has_sent(3, 0);
    let janes = jane().with_user_alias("cid").unwrap();
    scenario.after(4).someone().asks_for_credentials();
    scenario.source().gives_to_no_avail(janes).gives_up();
    assert!(matches!(scenario.someone().error().0, AttemptError::Held));
    scenario.has_sent(3, 0);
}

#[test]
fn a_reset_sends_even_what_was_denied_once_more() {
    let mut scenario = denied();
    scenario.session.reset(scenario.now);
    scenario.someone().asks_for_credentials().source().gives(jane()).has_sent(2, 0);
}

#[test]
fn a_source_that_fails_is_tried_again_and_then_left_alone_and_counts_as_nothing_lost() {
    let mut scenario = Scenario::on_demand();
    for pause in [1, 2, 4, 8] {
        for _ in 0..2 {
            scenario.caller("ann").asks_for_credentials().source().fails().retries();
            let gap = scenario.caller("ann").wait();
            scenario.after(gap);
        }
        scenario.caller("ann").asks_for_credentials().source().fails().gives_up();
        let caller = scenario.caller("ann");
        assert_eq!(caller.error().0.to_string(), "the vault is sealed");
        // The error ends the call.
        caller.fails().forget("ann").pauses_for(pause).after_the_pause();
    }
    scenario.has_sent(0, 0);
}

#[test]
fn a_source_that_never_answers_is_replaced_two_seconds_past_the_deadline_and_is_then_too_late() {
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials();
    scenario.at(31.999).caller("bob").waits();
    let late = scenario.source().id;
    scenario.at(32).caller("bob").asks_for_credentials();
    let outcome = scenario.session.sign_in_with(late, scenario.now, jane()).unwrap_err();
    assert!(matches!(*outcome, Outcome::Ignored));
    scenario.has_sent(0, 0).source().gives(jane()).has_sent(1, 0);
    assert_eq!(scenario.snapshot().counts.abandoned, 1);
}

#[test]
fn whoever_was_to_get_credentials_and_goes_away_is_replaced_at_once() {
    let mut scenario = Scenario::on_demand();
    scenario.caller("ann").asks_for_credentials().caller("bob").waits();
    scenario.source().goes_away().retries().caller("bob").asks_for_credentials();
    scenario.source().goes_away().retries().caller("bob").asks_for_credentials();
    // But not for ever.
    scenario.source().goes_away().gives_up().pauses_for(1).caller("bob").fails().has_sent(0, 0);
}

#[test]
fn whoever_has_sent_and_goes_away_is_replaced_a_second_later() {
    let mut scenario = Scenario::on_demand();
    scenario.caller("ann").asks_for_credentials().source().gives(jane());
    scenario.abandons().retries().caller("bob").waits_for(1).after(1);
    scenario.caller("bob").asks_for_credentials().source().gives(jane()).has_sent(2, 0);
}

#[test]
fn who_declines_because_of_a_denial_latches_without_a_request() {
    let denial = denied().latches();
    let mut scenario = Scenario::on_demand();
    scenario.caller("ann").asks_for_credentials().caller("bob").waits();
    scenario.source().rejects(Rejected::Denied { denial, ask_again: None }).latches();
    scenario
        .caller("ann")
        .is_denied()
        .caller("bob")
        .is_denied()
        .someone()
        .is_denied()
        .has_sent(0, 0);
    assert_eq!(scenario.snapshot().counts.denied, 0);
    scenario.after(1).someone().is_denied().has_sent(0, 0);
}

#[test]
fn a_rejection_for_a_while_makes_a_backoff_of_it() {
    let mut scenario = Scenario::on_demand();
    scenario.caller("ann").asks_for_credentials().caller("bob").waits();
    let rejected = too_many_unknown(scenario.now);
    scenario.after(593).source().rejects(rejected.clone()).gives_up().pauses_for(7);
    for name in ["ann", "bob"] {
        assert!(matches!(scenario.caller(name).error().0, AttemptError::TooManyUnknown));
    }
    // A moment that has come would be no backoff at all, and this would go on for ever.
    scenario.after_the_pause().someone().asks_for_credentials();
    scenario.source().rejects(rejected).gives_up().pauses_for(1).has_sent(0, 0);
}

#[test]
fn a_hold_without_end_ends_with_other_credentials_or_when_the_ledger_changes_its_mind() {
    for ends in [
        (|scenario| scenario.session.expect_credentials(None, scenario.now)) as fn(&mut Scenario),
        |scenario| scenario.session.ledger_changed(scenario.now),
        |scenario| scenario.session.reset(scenario.now),
    ] {
        let mut scenario = Scenario::on_demand();
        scenario.someone().asks_for_credentials();
        scenario.source().rejects(Rejected::Held { until: None }).gives_up();
        scenario.after(1_000_000).nobody_sends();
        let (error, until) = scenario.someone().error();
        assert!(matches!(error, AttemptError::Held) && until.is_never());
        ends(&mut scenario);
        scenario.someone().asks_for_credentials();
    }
}

#[test]
fn what_is_told_of_a_wish_that_is_over_is_ignored() {
    let denial = denied().latches();
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials();
    let id = scenario.source().id;
    scenario.session.set_credentials(joe(), scenario.now);
    let late = scenario.session.sign_in_with(id, scenario.now, jane()).unwrap_err();
    assert!(matches!(*late, Outcome::Ignored));
    let late =
        scenario.session.reject(id, scenario.now, Rejected::Denied { denial, ask_again: None });
    assert!(matches!(late, Outcome::Ignored));
    scenario.someone().signs_in().has_sent(1, 0);

    // Credentials twice are no two exchanges.
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials();
    let source = scenario.source();
    let id = source.id;
    source.gives(jane());
    let twice = scenario.session.sign_in_with(id, scenario.now, jane()).unwrap_err();
    assert!(matches!(*twice, Outcome::Ignored));
    scenario.has_sent(1, 0).server().gives("first", 3600).someone().gets("first");
}

#[test]
fn an_answer_to_what_was_never_sent_is_a_passing_failure() {
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials();
    let id = scenario.source().id;
    scenario.server_of(id).answers(200, r#"{"access_token":"from-nowhere"}"#).retries();
    scenario.someone_with(0).is_out_of_patience();
}

#[test]
fn another_person_gets_no_token_of_the_one_before() {
    for other in [joe(), jane().with_user_alias("ann").unwrap()] {
        let mut scenario = signed_in(3600);
        scenario.at(3500).someone().asks_for_credentials_beside("first").source().gives(other);
        scenario.someone().waits().server().is_unavailable().retries().someone().waits();
        assert!(scenario.session.stored_tokens().is_none());
    }
}

#[test]
fn three_sign_ins_that_got_lost_are_enough_for_ten_minutes() {
    let mut scenario = Scenario::on_demand();
    for pause in [1, 2] {
        scenario.someone().asks_for_credentials().source().gives(jane());
        scenario.server().falls_silent().pauses_for(pause).after(pause);
    }
    scenario.someone().asks_for_credentials().source().gives(jane());
    scenario.server().falls_silent().pauses_for(600).after_the_pause();
    scenario.someone().asks_for_credentials().source().gives(jane());
    scenario.server().falls_silent().pauses_for(600);
}

#[test]
fn another_password_begins_the_count_of_lost_sign_ins_anew() {
    let mut scenario = Scenario::on_demand();
    for (credentials, pause) in
        [(jane(), 1), (jane(), 2), (rotated(), 4), (rotated(), 8), (rotated(), 600)]
    {
        scenario.someone().asks_for_credentials().source().gives(credentials);
        scenario.server().falls_silent().pauses_for(pause).after_the_pause();
    }
}

#[test]
fn a_session_that_is_given_credentials_asks_for_them_no_more() {
    let mut scenario = denied();
    scenario.session.set_credentials(rotated(), scenario.now);
    scenario.someone().signs_in().server().denies().latches();
    scenario.after(3600).someone().is_denied();

    // The same that are on their way may be counted twice.
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials().source().gives(jane());
    scenario.session.set_credentials(jane(), scenario.now);
    scenario.someone().waits_for(1).after(1).someone().signs_in();
}

#[test]
fn beside_a_good_token_denied_credentials_are_asked_for_again_in_a_pause_as_well() {
    let mut scenario = signed_in(3600);
    scenario.at(3500).someone().asks_for_credentials_beside("first").source().gives(jane());
    scenario.server().denies().latches();
    let (scenario, lease) = scenario.someone().lease();
    assert_eq!(scenario.until(lease.look_again), 1.0);
    scenario.after(1).someone().asks_for_credentials_beside("first").source().gives(rotated());
    scenario.server().gives("second", 3600).someone().gets("second");
}

#[test]
fn tokens_of_somebody_else_are_not_taken_up_while_an_answer_is_awaited() {
    let stored = signed_in(3600).session.stored_tokens().unwrap();
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials().source().gives(joe());
    let refused = scenario.session.restore(stored, scenario.now);
    assert_eq!(refused, Err(StoredTokensError::OtherUsername));
    scenario.server().gives("joe's", 3600).someone().gets("joe's");
    let stored = scenario.session.stored_tokens().unwrap();
    assert_eq!(stored.username(), Some("joe@tenant.com"));
}

#[test]
fn tokens_out_of_a_store_are_taken_up_while_credentials_are_got() {
    let stored = signed_in(3600).session.stored_tokens().unwrap();
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials();
    assert_eq!(scenario.session.restore(stored, scenario.now), Ok(()));
    scenario.someone().gets("first");
}

#[test]
fn a_pause_over_lost_sign_ins_of_others_is_none_for_another_password() {
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials();
    let rejected = too_many_unknown(scenario.now);
    scenario.source().rejects(rejected).pauses_for(600).nobody_sends();
    scenario.session.set_credentials(rotated(), scenario.now);
    scenario.someone().signs_in();
}

#[test]
fn a_lost_sign_in_is_not_forgotten_over_a_denial_of_others() {
    let mut scenario = Scenario::on_demand();
    scenario.someone().asks_for_credentials().source().gives(jane());
    scenario.server().falls_silent().pauses_for(1).after(2);
    scenario.someone().asks_for_credentials().source().gives(rotated());
    scenario.server().denies().latches();
    scenario.after(60).someone().asks_for_credentials().source().gives(jane());
    scenario.server().is_unavailable().gives_up();
}

#[test]
fn an_alias_that_was_denied_is_not_sent_again_after_another_has_worked() {
    let mut scenario = Scenario::on_demand();
    let janes = |alias| jane().with_user_alias(alias).unwrap();
    scenario.someone().asks_for_credentials().source().gives(janes("mallory"));
    scenario
        .server()
        .denies()
        .after(1)
        .someone()
        .asks_for_credentials()
        .source()
        .gives(janes("ann"));
    scenario.server().gives("first", 60).after(60);
    scenario
        .someone()
        .asks_for_credentials()
        .source()
        .gives_to_no_avail(janes("mallory"))
        .latches();
    scenario.has_sent(2, 0);
}
