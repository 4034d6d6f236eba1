//! The place that wants a valid access token.

use std::time::Duration;

use point_auth_testkit::{Emulator, EmulatorBuilder, Error, Operation};
use serde_json::json;

use crate::client::{Client, PASSWORD, USER, emulator};

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

fn with_route() -> EmulatorBuilder {
    Emulator::builder().user(USER, PASSWORD).user("ann", "a").protected_route("/policies")
}

fn status(client: &mut Client, method: &str, path: &str, token: &str) -> u16 {
    client.send(method, path, &format!("authorization: Bearer {token}\r\n"), b"");
    client.response().status
}

#[test]
fn a_route_of_the_tests_own_says_whose_token_came() {
    let emulator = with_route().start().unwrap();
    let mut client = Client::of(&emulator);
    client.post(Operation::SignIn, br#"{"username":"ann","password":"a","useralias":"jane"}"#);
    let token = client.response().text("access_token");
    let header = format!("authorization: Bearer {token}\r\n");
    for method in ["GET", "PUT", "DELETE"] {
        client.send(method, "/policies?page=2", &header, b"");
        let answer = client.response();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json(), json!({ "username": "ann", "useralias": "jane" }));
    }

    assert_eq!(emulator.count_for("ann", Operation::Protected), 3);
    let last = emulator.requests().pop().unwrap();
    assert_eq!((last.username(), last.user_alias()), (Some("ann"), Some("jane")));
    assert_eq!(status(&mut client, "GET", "/policies/", &token), 404);
}

#[test]
fn a_route_may_have_an_answer_of_its_own() {
    let emulator = with_route().protected_route_with_json("/quotes", r#"["one"]"#).start().unwrap();
    let mut client = Client::of(&emulator);
    let token = client.sign_in().text("access_token");
    let header = format!("authorization: Bearer {token}\r\n");
    client.send("GET", "/quotes", &header, b"");
    let answer = client.response();
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json(), json!(["one"]));
    assert_eq!(status(&mut client, "GET", "/quotes", "wrong"), 401);
}

#[test]
fn a_route_refuses_every_token_that_is_not_good() {
    let emulator = with_route().start().unwrap();
    let mut client = Client::of(&emulator);
    let [revoked, expired] = [(); 2].map(|()| client.sign_in().text("access_token"));
    assert_eq!(status(&mut client, "GET", "/policies", &revoked), 200);
    assert!(emulator.revoke(&revoked));
    assert_eq!(status(&mut client, "GET", "/policies", &expired), 200);
    emulator.clock().advance(Duration::from_secs(3600));

    for (token, owner) in [("unknown", None), (&*revoked, None), (&*expired, Some(USER))] {
        client.send("GET", "/policies", &format!("authorization: Bearer {token}\r\n"), b"");
        let answer = client.response();
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
        assert_eq!(emulator.requests().pop().unwrap().username(), owner);
    }
    client.send("GET", "/policies", "", b"");
    let answer = client.response();
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"point-auth-emulator\""));
}

#[test]
fn a_new_token_ends_those_before_it_where_the_test_wants_that() {
    let emulator = with_route().supersede_access_tokens(true).start().unwrap();
    let mut client = Client::of(&emulator);
    let first = client.sign_in();
    client.post(Operation::SignIn, br#"{"username":"ann","password":"a"}"#);
    client.response();
    let of_first = first.text("access_token");
    assert_eq!(status(&mut client, "GET", "/policies", &of_first), 200);

    let second = client.refresh(&first.text("refresh_token")).text("access_token");
    assert_eq!(status(&mut client, "GET", "/policies", &of_first), 401);
    assert_eq!(status(&mut client, "GET", "/policies", &second), 200);
}

#[test]
fn a_route_is_below_the_prefix() {
    let emulator = with_route().path_prefix("/gateway").start().unwrap();
    let mut client = Client::of(&emulator);
    client.send(
        "POST",
        &format!("/gateway{}", Operation::SignIn.path()),
        "content-type: application/json\r\n",
        br#"{"username":"ann","password":"a"}"#,
    );
    let token = client.response().text("access_token");
    assert_eq!(status(&mut client, "GET", "/gateway/policies", &token), 200);
    assert_eq!(status(&mut client, "GET", "/policies", &token), 404);
}

#[test]
fn a_route_that_no_client_could_reach_is_refused() {
    let taken = Operation::SignIn.path();
    for path in ["", "/", "policies", "/policies/", "/a?b", "/a/../b", "/policies", taken] {
        let error = with_route().protected_route(path).start().unwrap_err();
        assert!(matches!(error, Error::ProtectedRoute), "{path}");
    }
}
