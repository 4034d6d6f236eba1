//! Whom stored tokens belong to, as far as somebody has said it; and which of two tokens counts.

use point_auth_core::session::{Policy, SessionMachine, StoredTokens, StoredTokensError};
use point_auth_core::{BaseUrl, Credentials};

use crate::scenario::{Scenario, jane};

fn stored(scenario: &Scenario) -> StoredTokens {
    scenario.session.stored_tokens().unwrap()
}

/// The tokens of these, who have signed in.
fn tokens_of(credentials: Credentials) -> StoredTokens {
    let session = SessionMachine::new(BaseUrl::production(), credentials, Policy::default(), 1);
    let mut scenario = Scenario::of(session);
    scenario.someone().signs_in().server().gives_refreshable("theirs", 3600);
    stored(&scenario)
}

fn jane_as(alias: &str) -> StoredTokens {
    tokens_of(jane().with_user_alias(alias).unwrap())
}

fn joe_as(alias: &str) -> StoredTokens {
    let joe = Credentials::new("joe@tenant.com", "joe's password").unwrap();
    tokens_of(joe.with_user_alias(alias).unwrap())
}

/// What becomes of `stored` in a session of which so much is known.
fn taken_up(
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
        scenario.someone().gets("theirs");
    }
    Ok(())
}

#[test]
fn stored_tokens_say_whose_they_are_and_no_token() {
    let stored = jane_as("ann");
    assert_eq!((stored.username(), stored.user_alias()), (Some("jane@tenant.com"), Some("ann")));
    assert_eq!(tokens_of(jane()).user_alias(), None);
    assert_eq!(
        format!("{stored:?}"),
        r#"StoredTokens { base: "https://api.pointservices.com", access_token: true, refresh_token: true, .. }"#
    );
}

#[test]
fn whose_tokens_are_taken_up_is_what_somebody_has_said() {
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
        assert_eq!(taken_up(owner, &stored), expected, "{owner:?} {stored:?}");
    }
}

#[test]
fn a_session_says_of_which_alias_its_tokens_are() {
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
fn credentials_say_more_than_whoever_names_an_owner() {
    let session = SessionMachine::new(BaseUrl::production(), jane(), Policy::default(), 1);
    let mut scenario = Scenario::of(session.with_owner(Some("joe@tenant.com"), Some("bob")));
    let refused = scenario.session.restore(joe_as("bob"), scenario.now);
    assert_eq!(refused, Err(StoredTokensError::OtherUsername));
    assert_eq!(scenario.session.restore(tokens_of(jane()), scenario.now), Ok(()));
}

#[test]
fn a_token_out_of_a_store_takes_the_place_of_a_good_one_that_is_older() {
    let mut newer = Scenario::new();
    newer.after(10).someone().signs_in().server().gives("newer", 3600);
    let mut scenario = Scenario::signed_in("first", 3600);
    scenario.at(20);
    scenario.session.restore(stored(&newer), scenario.now).unwrap();
    scenario.someone().gets("newer");
}

#[test]
fn a_token_out_of_a_store_takes_the_place_of_one_that_has_ended_although_it_is_older() {
    let long = stored(&Scenario::signed_in("long", 3600));
    let mut scenario = Scenario::new();
    scenario.at(10).someone().signs_in().server().gives("short", 60);
    scenario.at(20);
    scenario.session.restore(long.clone(), scenario.now).unwrap();
    scenario.someone().gets("short").at(100);
    scenario.session.restore(long, scenario.now).unwrap();
    scenario.someone().gets("long");
}

#[test]
fn the_same_tokens_out_of_a_store_change_nothing() {
    let mut scenario = Scenario::refreshable("first", 3600);
    let stored = stored(&scenario);
    let version = scenario.session.stored_version();
    scenario.session.restore(stored, scenario.now).unwrap();
    assert_eq!(scenario.session.stored_version(), version);
}

#[test]
fn a_token_that_is_seen_to_have_ended_is_news_for_a_store_and_once() {
    let mut scenario = Scenario::refreshable("first", 60);
    let good = scenario.session.stored_version();
    scenario.at(60).someone().refreshes();
    let ended = scenario.session.stored_version();
    assert_ne!(ended, good);
    scenario.someone().waits();
    assert_eq!(scenario.session.stored_version(), ended);
}

#[test]
fn another_token_out_of_a_store_takes_the_place_of_one_that_was_seen_to_have_ended() {
    let long = stored(&Scenario::signed_in("long", 3600));
    let mut scenario = Scenario::new();
    scenario.at(10).someone().signs_in().server().gives("short", 60);
    scenario.at(100).someone().signs_in();
    scenario.session.restore(long, scenario.now).unwrap();
    scenario.someone().gets("long");
}
