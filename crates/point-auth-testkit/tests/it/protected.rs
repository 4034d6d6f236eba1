//! The place that wants a valid access token.

use point_auth_testkit::Operation;
use serde_json::json;

use crate::client::{Client, USER, emulator};

#[test]
fn a_valid_token_is_told_whose_it_is() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let token = client.sign_in().text("access_token");
    let answer = client.who_am_i(&token);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({ "username": USER, "useralias": null }));
}

#[test]
fn the_scheme_is_compared_without_case_and_post_works_too() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let token = client.sign_in().text("access_token");
    let header = format!("authorization: bearer {token}\r\ncontent-type: application/json\r\n");
    client.send("POST", Operation::WhoAmI.path(), &header, b"{}");
    assert_eq!(client.response().status, 200);
    client.send("DELETE", Operation::WhoAmI.path(), &header, b"");
    assert_eq!(client.response().status, 400);
}

#[test]
fn no_token_is_a_401_that_asks_for_one() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    client.send("GET", Operation::WhoAmI.path(), "", b"");
    let answer = client.response();
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"point-auth-emulator\""));
}

#[test]
fn a_wrong_token_is_a_401_that_says_so() {
    let emulator = emulator();
    let answer = Client::of(&emulator).who_am_i("wrong");
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
}

#[test]
fn two_authorization_headers_are_none() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let token = client.sign_in().text("access_token");
    let header = format!("authorization: Bearer {token}\r\n").repeat(2);
    client.send("GET", Operation::WhoAmI.path(), &header, b"");
    assert_eq!(client.response().status, 401);
}
