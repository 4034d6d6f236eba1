//! Refreshing, and how long tokens live on a clock that the test turns.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use point_auth_testkit::{Clock, Emulator};

use crate::client::{Client, PASSWORD, USER, emulator};

/// Wednesday 15 January 2025, noon UTC: seven in the morning in the US East.
fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_736_942_400)
}

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

fn at_noon() -> Emulator {
    Emulator::builder().user(USER, PASSWORD).clock(Clock::stopped_at(noon())).start().unwrap()
}

#[test]
fn a_refresh_gives_a_new_access_token_and_by_default_no_refresh_token() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let tokens = client.sign_in();
    let refreshed = client.refresh(&tokens.text("refresh_token"));
    assert_eq!(refreshed.status, 200);
    assert_ne!(refreshed.text("access_token"), tokens.text("access_token"));
    assert_eq!(refreshed.json().get("refresh_token"), None);
    assert_eq!(client.who_am_i(&refreshed.text("access_token")).status, 200);
}

#[test]
fn a_refresh_token_is_reused_as_often_as_one_likes() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let token = client.sign_in().text("refresh_token");
    assert!((0..5).all(|_| client.refresh(&token).status == 200));
}

#[test]
fn a_rotating_emulator_gives_a_new_refresh_token_and_honours_both() {
    let emulator =
        Emulator::builder().user(USER, PASSWORD).rotate_refresh_tokens(true).start().unwrap();
    let mut client = Client::of(&emulator);
    let old = client.sign_in().text("refresh_token");
    let new = client.refresh(&old).text("refresh_token");
    assert_ne!(new, old);
    assert_eq!(client.refresh(&old).status, 200);
    assert_eq!(client.refresh(&new).status, 200);
}

#[test]
fn an_unknown_refresh_token_is_a_denial() {
    let emulator = emulator();
    let answer = Client::of(&emulator).refresh("AMf-nobody-ever-gave-this-out");
    assert_eq!((answer.status, answer.json()["error"].as_str()), (403, Some("access_denied")));
}

#[test]
fn an_access_token_is_no_refresh_token_and_the_other_way_round() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let tokens = client.sign_in();
    assert_eq!(client.refresh(&tokens.text("access_token")).status, 403);
    assert_eq!(client.who_am_i(&tokens.text("refresh_token")).status, 401);
}

#[test]
fn a_refreshed_token_keeps_user_and_alias() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let body = format!(r#"{{"username":"{USER}","password":"{PASSWORD}","useralias":"ann"}}"#);
    client.post(point_auth_testkit::Operation::SignIn, body.as_bytes());
    let tokens = client.response();
    let refreshed = client.refresh(&tokens.text("refresh_token"));
    let owner = client.who_am_i(&refreshed.text("access_token"));
    assert_eq!(owner.json(), serde_json::json!({ "username": USER, "useralias": "ann" }));
}

#[test]
fn an_access_token_is_good_for_an_hour_and_not_a_moment_longer() {
    let emulator = at_noon();
    let mut client = Client::of(&emulator);
    let token = client.sign_in().text("access_token");
    emulator.clock().advance(HOUR - SECOND);
    assert_eq!(client.who_am_i(&token).status, 200);
    emulator.clock().advance(SECOND);
    assert_eq!(client.who_am_i(&token).status, 401);
}

#[test]
fn a_refresh_token_outlives_its_day_until_midnight_in_the_us_east() {
    let emulator = at_noon();
    let mut client = Client::of(&emulator);
    let token = client.sign_in().text("refresh_token");
    // Friday 17 January, 05:00 UTC.
    let end = 41 * HOUR;
    emulator.clock().set(noon() + end - SECOND);
    assert_eq!(client.refresh(&token).status, 200);
    emulator.clock().set(noon() + end);
    assert_eq!(client.refresh(&token).status, 403);
}

#[test]
fn using_a_refresh_token_does_not_prolong_its_life() {
    let emulator = at_noon();
    let mut client = Client::of(&emulator);
    let token = client.sign_in().text("refresh_token");
    emulator.clock().advance(40 * HOUR);
    assert_eq!(client.refresh(&token).status, 200);
    emulator.clock().advance(HOUR);
    assert_eq!(client.refresh(&token).status, 403);
}

#[test]
fn lives_can_be_chosen() {
    let emulator = Emulator::builder()
        .user(USER, PASSWORD)
        .clock(Clock::stopped_at(noon()))
        .access_token_life(10 * SECOND)
        .refresh_token_life(20 * SECOND)
        .start()
        .unwrap();
    let mut client = Client::of(&emulator);
    let tokens = client.sign_in();
    assert_eq!(tokens.json()["expires_in"], 10);
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    emulator.clock().advance(10 * SECOND);
    assert_eq!(client.who_am_i(&access).status, 401);
    assert_eq!(client.refresh(&refresh).status, 200);
    emulator.clock().advance(10 * SECOND);
    assert_eq!(client.refresh(&refresh).status, 403);
}

#[test]
fn a_revoked_token_is_worthless_at_once() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let tokens = client.sign_in();
    assert!(emulator.revoke(&tokens.text("access_token")));
    assert_eq!(client.who_am_i(&tokens.text("access_token")).status, 401);
    assert_eq!(client.refresh(&tokens.text("refresh_token")).status, 200);
    assert!(emulator.revoke(&tokens.text("refresh_token")));
    assert_eq!(client.refresh(&tokens.text("refresh_token")).status, 403);
    assert!(!emulator.revoke("never given out"));
}
