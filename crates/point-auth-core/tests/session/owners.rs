//! The owner of stored tokens, as far as it is known; and which of two tokens is kept.

use point_auth_core::session::{Policy, SessionMachine, StoredTokens, StoredTokensError};
use point_auth_core::{BaseUrl, Credentials};

use crate::scenario::{Scenario, jane};

fn stored(scenario: &Scenario) -> StoredTokens {
    scenario.stored_tokens().unwrap()
}

/// Returns the tokens of these credentials, after a sign-in.
fn tokens_of(credentials: Credentials) -> StoredTokens {
    let session = SessionMachine::new(BaseUrl::production(), credentials, Policy::default(), 1);
    let mut scenario = Scenario::of(session);
    scenario.new_caller().signs_in().server().gives_refreshable("theirs", 3600);
    stored(&scenario)
}

fn jane_as(alias: &str) -> StoredTokens {
    tokens_of(jane().with_user_alias(alias).unwrap())
}

fn joe_as(alias: &str) -> StoredTokens {
    let joe = Credentials::new("joe@tenant.com", "joe's password").unwrap();
    tokens_of(joe.with_user_alias(alias).unwrap())
}

/// Returns the result of restoring `stored` into a session whose owner is known this far.
fn restored_into(
    [username, user_alias]: [Option<&str>; 2],
    stored: &StoredTokens,
) -> Result<(), StoredTokensError> {
    let base = BaseUrl::production();
    for session in [
        SessionMachine::without_credentials(base.clone(), Policy::default(), 1),
        SessionMachine::on_demand(base, Policy::default(), 1),
    ] {
        let mut scenario = Scenario::of(session.with_owner(username, user_alias));
        scenario.session.restore(stored.clone(), scenario.now)?;
        scenario.new_caller().gets("theirs");
    }
    Ok(())
}

#[test]
fn stored_tokens_show_their_owner_and_no_token() {
    let stored = jane_as("ann");
    assert_eq!((stored.username(), stored.user_alias()), (Some("jane@tenant.com"), Some("ann")));
    assert_eq!(tokens_of(jane()).user_alias(), None);
    assert_eq!(
        format!("{stored:?}"),
        r#"StoredTokens { base: "https://api.pointservices.com", access_token: true, refresh_token: true, .. }"#
    );
}

#[test]
fn tokens_are_restored_if_they_match_the_known_owner() {
    use StoredTokensError::{OtherUserAlias, OtherUsername};
    let (jane, ann) = (Some("jane@tenant.com"), Some("ann"));
    for (owner, stored, expected) in [
        ([None, None], jane_as("ann"), Ok(())),
        ([None, None], joe_as("bob"), Ok(())),
        ([jane, None], jane_as("ann"), Ok(())),
        ([jane, None], jane_as("bob"), Ok(())),
        ([jane, None], joe_as("ann"), Err(OtherUsername)),
        ([None, ann], jane_as("ann"), Ok(())),
        ([None, ann], joe_as("ann"), Ok(())),
        ([None, ann], jane_as("bob"), Err(OtherUserAlias)),
        ([jane, ann], jane_as("ann"), Ok(())),
        ([jane, ann], joe_as("ann"), Err(OtherUsername)),
        ([jane, ann], jane_as("bob"), Err(OtherUserAlias)),
    ] {
        assert_eq!(restored_into(owner, &stored), expected, "{owner:?} {stored:?}");
    }
}

#[test]
fn a_session_returns_the_alias_of_its_tokens() {
    let base = BaseUrl::production();
    let ann = jane().with_user_alias("ann").unwrap();
    let mut session = SessionMachine::new(base.clone(), ann, Policy::default(), 1);
    assert_eq!(session.user_alias(), Some("ann"));
    session.set_credentials(jane(), Scenario::new().now);
    assert_eq!(session.user_alias(), None);

    let mut scenario =
        Scenario::of(SessionMachine::without_credentials(base, Policy::default(), 1));
    assert_eq!(scenario.session.user_alias(), None);
    scenario.session.restore(jane_as("bob"), scenario.now).unwrap();
    assert_eq!(scenario.session.user_alias(), Some("bob"));
}

#[test]
fn credentials_override_a_set_owner() {
    let session = SessionMachine::new(BaseUrl::production(), jane(), Policy::default(), 1);
    let mut scenario = Scenario::of(session.with_owner(Some("joe@tenant.com"), Some("bob")));
    let refused = scenario.session.restore(joe_as("bob"), scenario.now);
    assert_eq!(refused, Err(StoredTokensError::OtherUsername));
    assert_eq!(scenario.session.restore(tokens_of(jane()), scenario.now), Ok(()));
}

#[test]
fn a_stored_token_replaces_a_good_one_that_is_older() {
    let mut newer = Scenario::new();
    newer.after(10).new_caller().signs_in().server().gives("newer", 3600);
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.at(20);
    scenario.session.restore(stored(&newer), scenario.now).unwrap();
    scenario.new_caller().gets("newer");
}

#[test]
fn a_stored_token_replaces_one_that_has_ended_even_if_it_is_older() {
    let long = stored(&Scenario::signed_in("long", 3600));
    let mut scenario = Scenario::new();
    scenario.at(10).new_caller().signs_in().server().gives("short", 60);
    scenario.at(20);
    scenario.session.restore(long.clone(), scenario.now).unwrap();
    scenario.new_caller().gets("short").at(100);
    scenario.session.restore(long, scenario.now).unwrap();
    scenario.new_caller().gets("long");
}

#[test]
fn identical_stored_tokens_change_nothing() {
    let mut scenario = Scenario::refreshable("first", 3600);
    let stored = stored(&scenario);
    let version = scenario.session.stored_version();
    scenario.session.restore(stored, scenario.now).unwrap();
    assert_eq!(scenario.session.stored_version(), version);
}

#[test]
fn a_token_that_is_seen_to_have_ended_changes_the_stored_version_once() {
    let mut scenario = Scenario::refreshable("first", 60);
    let good = scenario.session.stored_version();
    scenario.at(60).new_caller().refreshes();
    let ended = scenario.session.stored_version();
    assert_ne!(ended, good);
    scenario.new_caller().waits();
    assert_eq!(scenario.session.stored_version(), ended);
}

#[test]
fn another_stored_token_replaces_one_that_was_seen_to_have_ended() {
    let long = stored(&Scenario::signed_in("long", 3600));
    let mut scenario = Scenario::new();
    scenario.at(10).new_caller().signs_in().server().gives("short", 60);
    scenario.at(100).new_caller().signs_in();
    scenario.session.restore(long, scenario.now).unwrap();
    scenario.new_caller().gets("long");
}
