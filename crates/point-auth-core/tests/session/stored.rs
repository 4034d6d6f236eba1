//! Tokens across a restart: their owner, their age, and which are not restored.

use std::time::{Duration, SystemTime};

use point_auth_core::session::{Policy, SessionMachine, StoredTokens, StoredTokensError};
use point_auth_core::{BaseUrl, Credentials};

use crate::scenario::{Scenario, jane, new_year};

/// Writes and reads them, like a restart.
fn written_and_read(stored: &StoredTokens) -> StoredTokens {
    StoredTokens::from_json(stored.expose_json().as_ref()).unwrap()
}

fn stored(scenario: &Scenario) -> StoredTokens {
    written_and_read(&scenario.stored_tokens().unwrap())
}

/// Returns a new process, whose monotonic clock has restarted, this many seconds later.
fn restarted(mut scenario: Scenario, stored: StoredTokens, later: u64) -> Scenario {
    scenario.now.wall = new_year() + Duration::from_secs(later);
    scenario.session.restore(stored, scenario.now).unwrap();
    scenario
}

fn without_credentials() -> Scenario {
    Scenario::of(SessionMachine::without_credentials(BaseUrl::production(), Policy::default(), 1))
}

fn of(credentials: Credentials) -> Scenario {
    Scenario::of(SessionMachine::new(BaseUrl::production(), credentials, Policy::default(), 1))
}

#[test]
fn tokens_come_through_a_restart() {
    let stored = stored(&Scenario::refreshable("first", 3600));
    let mut scenario = restarted(Scenario::new(), stored, 100);
    scenario.new_caller().gets("first").has_sent(0, 0);
    scenario.after(3495).new_caller().refreshes();
}

#[test]
fn a_session_without_tokens_has_nothing_to_store() {
    assert!(Scenario::new().stored_tokens().is_none());
}

#[test]
fn only_existing_tokens_are_stored() {
    let mut scenario = restarted(Scenario::new(), stored(&Scenario::signed_in("first", 3600)), 10);
    scenario.new_caller().gets("first").after(3600).new_caller().signs_in();

    let mut rejected = Scenario::refreshable("first", 3600);
    rejected.at(100).api_rejects("first");
    let mut scenario = restarted(Scenario::new(), stored(&rejected), 100);
    scenario.new_caller().refreshes();
}

#[test]
fn the_life_of_a_stored_token_counts_from_when_it_was_asked_for() {
    let mut before = Scenario::new();
    before.new_caller().signs_in();
    before.after(20).server().gives_refreshable("first", 60);
    let mut scenario = restarted(Scenario::new(), stored(&before), 54);
    scenario.new_caller().refreshes();
    scenario.server().is_unavailable().new_caller().gets("first").after(1).new_caller().refreshes();
}

#[test]
fn a_stored_token_only_ever_seems_older_than_it_is() {
    let mut before = Scenario::new();
    before.now.wall += Duration::from_millis(999);
    before.new_caller().signs_in();
    before.server().gives("first", 60);
    let stored = stored(&before);
    restarted(Scenario::new(), stored.clone(), 54).new_caller_with(0).gets("first");
    // It is 54.001 seconds old, and would be good for almost another one.
    restarted(Scenario::new(), stored, 55).new_caller_with(0).times_out();
}

#[test]
fn an_access_token_that_has_ended_is_not_restored() {
    let stored = stored(&Scenario::refreshable("first", 3600));
    let mut scenario = restarted(Scenario::new(), stored, 3595);
    assert!(scenario.snapshot().token_age.is_none());
    scenario.new_caller().refreshes();
}

#[test]
fn tokens_that_have_ended_replace_no_good_ones() {
    let ended = stored(&Scenario::refreshable("first", 3600));
    let mut scenario = Scenario::refreshable("second", 3600);
    scenario.now.wall += Duration::from_secs(100);
    let stay = scenario.stored_tokens().unwrap();
    let mut scenario = restarted(Scenario::new(), stay, 200_000);
    assert!(scenario.stored_tokens().is_none());
    scenario.new_caller().signs_in();
    scenario.server().gives_refreshable("third", 3600);
    scenario.session.restore(ended, scenario.now).unwrap();
    scenario.new_caller().gets("third");
    scenario.after(3595).new_caller().refreshes();
    let body = String::from_utf8(scenario.exchange().request.body().as_ref().to_vec()).unwrap();
    assert!(body.contains("third-refresh"));
}

#[test]
fn a_refresh_token_that_has_certainly_expired_is_not_restored() {
    let stored = stored(&Scenario::refreshable("first", 3600));
    let mut scenario = restarted(Scenario::new(), stored, 49 * 3600);
    scenario.new_caller().signs_in();
}

#[test]
fn tokens_from_the_future_are_not_restored() {
    let stored = stored(&Scenario::refreshable("first", 3600));
    let mut scenario = Scenario::new();
    scenario.now.wall = new_year() - Duration::from_secs(1);
    scenario.session.restore(stored, scenario.now).unwrap();
    scenario.new_caller().signs_in();
}

#[test]
fn a_rejected_token_is_not_restored() {
    let mut scenario = Scenario::refreshable("first", 3600);
    let stored = stored(&scenario);
    scenario.at(100).api_rejects("first");
    scenario.session.restore(stored, scenario.now).unwrap();
    scenario.new_caller().refreshes();
}

#[test]
fn tokens_of_another_base_url_are_refused() {
    let stored = stored(&Scenario::refreshable("first", 3600));
    let other = BaseUrl::parse("https://other.example.com").unwrap();
    for session in [
        SessionMachine::new(other.clone(), jane(), Policy::default(), 1),
        SessionMachine::without_credentials(other.clone(), Policy::default(), 1),
    ] {
        let mut scenario = Scenario::of(session);
        let refused = scenario.session.restore(stored.clone(), scenario.now);
        assert_eq!(refused, Err(StoredTokensError::OtherBaseUrl));
        assert!(scenario.stored_tokens().is_none());
    }
}

#[test]
fn tokens_of_another_username_are_refused() {
    let stored = stored(&Scenario::refreshable("first", 3600));
    let mut scenario = of(Credentials::new("joe@tenant.com", "joe's").unwrap());
    let refused = scenario.session.restore(stored, scenario.now);
    assert_eq!(refused, Err(StoredTokensError::OtherUsername));
    scenario.new_caller().signs_in();
}

#[test]
fn tokens_of_another_alias_are_refused() {
    let janes = stored(&Scenario::refreshable("first", 3600));
    let mut scenario = of(jane().with_user_alias("ann").unwrap());
    let refused = scenario.session.restore(janes, scenario.now);
    assert_eq!(refused, Err(StoredTokensError::OtherUserAlias));
    scenario.new_caller().signs_in();
    scenario.server().gives("ann's", 3600);
    let anns = stored(&scenario);
    let mut scenario = of(jane().with_user_alias("bob").unwrap());
    assert_eq!(
        scenario.session.restore(anns.clone(), scenario.now),
        Err(StoredTokensError::OtherUserAlias)
    );
    assert_eq!(
        Scenario::new().session.restore(anns, scenario.now),
        Err(StoredTokensError::OtherUserAlias)
    );
}

#[test]
fn a_session_without_credentials_lives_on_stored_tokens_until_they_end() {
    let stored = stored(&Scenario::refreshable("first", 3600));
    let mut scenario = restarted(without_credentials(), stored, 10);
    scenario.new_caller().gets("first");
    scenario.after(3600).new_caller().refreshes();
    scenario.server().gives("second", 3600).new_caller().gets("second");
    scenario.after(3600).caller("ann").refreshes().caller("bob").waits();
    scenario.server().answers(400, r#"{"error":"invalid_grant"}"#).is_refused();
    scenario.caller("ann").is_asked_to_sign_in().caller("bob").is_asked_to_sign_in();
    scenario.new_caller().is_asked_to_sign_in();
}

#[test]
fn a_session_without_credentials_hands_out_a_good_token_after_a_refused_refresh() {
    let stored = stored(&Scenario::refreshable("first", 3600));
    let mut scenario = restarted(without_credentials(), stored, 3500);
    scenario.new_caller().refreshes_beside("first");
    scenario.server().answers(404, "").is_refused();
    scenario.new_caller().gets("first").after(94).new_caller().gets("first");
    scenario.after(1).new_caller().is_asked_to_sign_in();
}

#[test]
fn an_expired_refresh_token_needs_a_sign_in() {
    let stored = stored(&Scenario::refreshable("first", 3600));
    let mut scenario = restarted(without_credentials(), stored, 49 * 3600);
    scenario.new_caller().is_asked_to_sign_in();
}

#[test]
fn tokens_restored_without_credentials_still_belong_to_their_user() {
    let stored = stored(&Scenario::refreshable("first", 3600));
    let mut scenario = restarted(without_credentials(), stored.clone(), 10);
    scenario.session.set_credentials(jane(), scenario.now);
    scenario.new_caller().gets("first");

    let mut scenario = restarted(without_credentials(), stored, 10);
    let written = written_and_read(&scenario.stored_tokens().unwrap());
    assert!(Scenario::new().session.restore(written, scenario.now).is_ok());
    scenario
        .session
        .set_credentials(Credentials::new("joe@tenant.com", "joe's").unwrap(), scenario.now);
    scenario.new_caller().signs_in();
}

#[test]
fn tokens_of_two_users_are_never_mixed_in_a_session_without_credentials() {
    let janes = stored(&Scenario::refreshable("jane's", 3600));
    let mut joe = of(Credentials::new("joe@tenant.com", "joe's").unwrap());
    joe.after(40 * 3600).new_caller().signs_in();
    joe.server().gives_refreshable("joe's", 3600).api_rejects("joe's");
    let joes = stored(&joe);

    let mut scenario = restarted(without_credentials(), janes, 10);
    let refused = scenario.session.restore(joes.clone(), scenario.now);
    scenario.new_caller().gets("jane's");
    assert_eq!(refused, Err(StoredTokensError::OtherUsername));

    // When none of her tokens is good.
    scenario.after(50 * 3600).new_caller().is_asked_to_sign_in();
    scenario.session.restore(joes, scenario.now).unwrap();
    scenario.new_caller().refreshes();
}

#[test]
fn stored_tokens_that_are_refused_change_nothing() {
    let stored = stored(&Scenario::refreshable("first", 3600));
    let other = BaseUrl::parse("https://other.example.com").unwrap();
    let mut scenario =
        Scenario::of(SessionMachine::without_credentials(other.clone(), Policy::default(), 1));
    scenario.session.restore(stored, scenario.now).unwrap_err();
    scenario.session.set_credentials(jane().with_user_alias("ann").unwrap(), scenario.now);
    scenario.new_caller().signs_in();
    scenario.server().gives("ann's", 3600);
    let anns = written_and_read(&scenario.stored_tokens().unwrap());
    let mut session =
        SessionMachine::new(other, jane().with_user_alias("ann").unwrap(), Policy::default(), 1);
    session.restore(anns, scenario.now).unwrap();
}

#[test]
fn any_text_but_stored_tokens_is_refused() {
    let good = r#"{"base":"https://api.pointservices.com","username":"jane","user_alias":null,"access_token":"a","asked_at":1767225600,"expires_in":3600,"refresh_token":"r","refresh_token_came_at":1767225600}"#;
    assert!(StoredTokens::from_json(good.as_bytes()).is_ok());
    for (what, instead) in [
        (r#""base":"https://api.pointservices.com","#, ""),
        (r#""access_token":"a""#, r#""access_token":"""#),
        (r#""access_token":"a""#, r#""access_token":"a b""#),
        (r#""access_token":"a""#, r#""access_token":5"#),
        (r#""access_token":"a""#, r#""access_token":["a"]"#),
        (r#""refresh_token":"r""#, r#""refresh_token":"r\n""#),
        (r#""refresh_token":"r""#, r#""refresh_token":"\ud800""#),
        (r#""asked_at":1767225600,"#, ""),
        (r#""asked_at":1767225600"#, r#""asked_at":18446744073709551615"#),
        (r#""asked_at":1767225600"#, r#""asked_at":-1"#),
        (r#","refresh_token_came_at":1767225600"#, ""),
        (r#""expires_in":3600"#, r#""expires_in":1.5"#),
        ("}", ""),
        ("}", "}}"),
        (good, ""),
        (good, "null"),
        (good, "[]"),
    ] {
        let bad = good.replacen(what, instead, 1);
        assert_ne!(bad, good);
        let refused = StoredTokens::from_json(bad.as_bytes());
        assert_eq!(refused.err(), Some(StoredTokensError::Malformed), "{bad}");
    }
    assert!(StoredTokens::from_json(b"\xff\xfe").is_err());
}

#[test]
fn stored_tokens_may_be_missing_or_null() {
    let none = r#"{"base":"https://api.pointservices.com","username":"jane@tenant.com","expires_in":0,"access_token":null}"#;
    let stored = StoredTokens::from_json(none.as_bytes()).unwrap();
    let mut scenario = restarted(Scenario::new(), stored, 0);
    assert!(scenario.stored_tokens().is_none());
    scenario.new_caller().signs_in();
}

#[test]
fn a_stored_lifetime_beyond_136_years_counts_as_136_years() {
    let json = r#"{"base":"https://api.pointservices.com","username":"jane@tenant.com","access_token":"a","asked_at":0,"expires_in":18446744073709551615}"#;
    let stored = StoredTokens::from_json(json.as_bytes()).unwrap();
    let mut scenario = restarted(Scenario::new(), stored.clone(), 0);
    scenario.new_caller().gets("a");
    scenario.now.wall = SystemTime::UNIX_EPOCH + Duration::from_secs(u32::MAX.into());
    scenario.new_caller().signs_in();
}

#[test]
fn each_refusal_has_its_text() {
    for (error, said) in [
        (StoredTokensError::Malformed, "these are not stored tokens"),
        (StoredTokensError::OtherBaseUrl, "the stored tokens are of another base URL"),
        (StoredTokensError::OtherUsername, "the stored tokens are of another username"),
        (StoredTokensError::OtherUserAlias, "the stored tokens are of another user alias"),
    ] {
        assert_eq!(error.to_string(), said);
    }
}

#[test]
fn an_outdated_store_replaces_no_newer_tokens() {
    let old = stored(&Scenario::refreshable("old", 3600));
    let mut scenario = restarted(Scenario::new(), old.clone(), 0);
    scenario.at(3500).new_caller().refreshes_beside("old");
    scenario.server().gives_refreshable("new", 600);
    scenario.session.restore(old, scenario.now).unwrap();
    scenario.new_caller().gets("new").at(4100).new_caller().refreshes();
    let body = std::str::from_utf8(scenario.exchange().request.body().as_ref()).unwrap();
    assert!(body.contains("new-refresh"));
}

#[test]
fn the_stored_version_changes_with_the_stored_tokens() {
    let mut scenario = Scenario::new();
    let mut last = scenario.session.stored_version();
    let mut has_changed = |scenario: &Scenario| {
        let version = scenario.session.stored_version();
        std::mem::replace(&mut last, version) != version
    };
    scenario.new_caller().signs_in();
    assert!(!has_changed(&scenario));
    scenario.server().gives_refreshable("first", 3600);
    assert!(has_changed(&scenario));
    scenario.at(3500).new_caller().refreshes_beside("first").server().is_unavailable();
    assert!(!has_changed(&scenario));
    scenario.api_rejects("first");
    assert!(has_changed(&scenario));
    scenario.after(60).new_caller().refreshes().server().answers(404, "");
    assert!(has_changed(&scenario));
    scenario
        .new_caller()
        .signs_in()
        .server()
        .answers(200, r#"{"access_token":"a","expires_in":0,"refresh_token":"r"}"#);
    assert!(has_changed(&scenario), "a refresh token with a useless access token");
    scenario.session.set_credentials(jane().with_user_alias("ann").unwrap(), scenario.now);
    assert!(has_changed(&scenario));
}

/// A refresh is in flight while newer tokens of another process are restored.
fn overtaken() -> Scenario {
    let mut other = Scenario::new();
    other.after(10).new_caller().signs_in().server().gives_refreshable("newer", 60);
    let mut scenario = Scenario::refreshable("first", 60);
    scenario.at(55).new_caller().refreshes();
    scenario.session.restore(stored(&other), scenario.now).unwrap();
    scenario
}

#[track_caller]
fn refreshes_with(scenario: &mut Scenario, refresh_token: &str) {
    scenario.new_caller().refreshes();
    let body = std::str::from_utf8(scenario.exchange().request.body().as_ref()).unwrap();
    assert!(body.contains(refresh_token), "{body}");
}

#[test]
fn a_refused_refresh_drops_no_refresh_token_that_was_restored_meanwhile() {
    let mut scenario = overtaken();
    scenario.server().answers(400, r#"{"error":"invalid_grant"}"#).is_refused();
    refreshes_with(scenario.at(70), "newer-refresh");
}

#[test]
fn a_refresh_answered_without_a_refresh_token_keeps_the_one_that_was_restored_meanwhile() {
    let mut scenario = overtaken();
    scenario.server().gives("second", 3600);
    refreshes_with(scenario.at(3655), "newer-refresh");
}
