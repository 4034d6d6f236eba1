//! Signing in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use point_auth_testkit::{Emulator, Operation};
use serde_json::{Value, json};

use crate::client::{Client, PASSWORD, USER, emulator, sign_in_body};

#[test]
fn the_right_password_gets_every_documented_field() {
    let emulator = emulator();
    let answer = Client::of(&emulator).sign_in();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let json = answer.json();
    let mut fields: Vec<_> = json.as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
    assert_eq!(json["scope"], "policy");
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 3600);
}

#[test]
fn tokens_look_like_the_real_ones() {
    let emulator = emulator();
    let answer = Client::of(&emulator).sign_in();
    let access_token = answer.text("access_token");
    let parts: Vec<_> =
        access_token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    let [header, claims, signature] = parts.as_slice() else { panic!("three parts") };
    assert!((850..=1000).contains(&access_token.len()), "{} bytes", access_token.len());
    let header: Value = serde_json::from_slice(header).unwrap();
    let claims: Value = serde_json::from_slice(claims).unwrap();
    assert_eq!(header["alg"], "RS256");
    assert_eq!(claims["email"], USER);
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    assert_eq!(signature.len(), 256);

    let refresh_token = answer.text("refresh_token");
    assert_eq!(refresh_token.len(), 200);
    assert!(
        refresh_token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    );
}

#[test]
fn every_sign_in_gives_new_tokens() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let (first, second) = (client.sign_in(), client.sign_in());
    assert_ne!(first.text("access_token"), second.text("access_token"));
    assert_ne!(first.text("refresh_token"), second.text("refresh_token"));
}

#[test]
fn a_wrong_password_is_a_denial_in_the_published_words() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    client.post(Operation::SignIn, &sign_in_body(USER, "wrong"));
    let answer = client.response();
    assert_eq!(answer.status, 403);
    let expected = json!({
        "error": "access_denied",
        "error_description": "Invalid username / password combination",
    });
    assert_eq!(answer.json(), expected);
}

#[test]
fn an_unknown_user_gets_the_same_answer_as_a_wrong_password() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    client.post(Operation::SignIn, &sign_in_body(USER, "wrong"));
    let wrong_password = client.response();
    client.post(Operation::SignIn, &sign_in_body("nobody@example.com", PASSWORD));
    let unknown_user = client.response();
    assert_eq!(
        (unknown_user.status, unknown_user.body),
        (wrong_password.status, wrong_password.body)
    );
}

#[test]
fn any_alias_may_stand_beside_a_user_unless_they_are_listed() {
    let emulator = Emulator::builder()
        .user("open", "pw")
        .user_with_aliases("closed", "pw", ["ann", "bob"])
        .start()
        .unwrap();
    let mut client = Client::of(&emulator);
    let mut status = |username, alias| {
        let body =
            json!({ "username": username, "password": "pw", "useralias": alias }).to_string();
        client.post(Operation::SignIn, body.as_bytes());
        client.response().status
    };
    assert_eq!(status("open", "anyone"), 200);
    assert_eq!(status("closed", "bob"), 200);
    assert_eq!(status("closed", "eve"), 403);
}

#[test]
fn a_changed_password_counts_from_the_next_sign_in_and_keeps_tokens_good() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let tokens = client.sign_in();
    assert!(emulator.change_password(USER, "another"));
    assert!(!emulator.change_password("nobody", "another"));
    assert_eq!(client.sign_in().status, 403);
    client.post(Operation::SignIn, &sign_in_body(USER, "another"));
    assert_eq!(client.response().status, 200);
    assert_eq!(client.who_am_i(&tokens.text("access_token")).status, 200);
}

#[test]
fn a_path_prefix_moves_the_api_there_and_leaves_nothing_behind() {
    let emulator =
        Emulator::builder().user(USER, PASSWORD).path_prefix("/gate/way").start().unwrap();
    assert!(emulator.base_url().ends_with("/gate/way"));
    let mut client = Client::of(&emulator);
    assert_eq!(client.sign_in().status, 404);
    let path = format!("/gate/way{}", Operation::SignIn.path());
    client.send("POST", &path, "content-type: application/json\r\n", &sign_in_body(USER, PASSWORD));
    assert_eq!(client.response().status, 200);
    assert_eq!(emulator.count(Operation::SignIn), 1);
}

#[test]
fn a_prefix_that_is_no_path_is_refused() {
    for prefix in ["gateway", "/a//b", "/a/../b", "/%2e", "/a?b", "/a#b", "/a b", "/é"] {
        let error = Emulator::builder().path_prefix(prefix).start().unwrap_err();
        assert!(error.to_string().starts_with("the path prefix is not"), "{prefix}: {error}");
    }
}

#[test]
fn two_emulators_know_nothing_of_each_others_tokens() {
    let (one, other) = (emulator(), emulator());
    let tokens = Client::of(&one).sign_in();
    assert_eq!(Client::of(&other).who_am_i(&tokens.text("access_token")).status, 401);
    assert_eq!(Client::of(&other).refresh(&tokens.text("refresh_token")).status, 403);
}

#[test]
fn many_clients_at_once_get_tokens_of_their_own() {
    let emulator = emulator();
    let tokens: std::collections::HashSet<_> = std::thread::scope(|scope| {
        let sign_in_five_times = || {
            let mut client = Client::of(&emulator);
            (0..5).map(|_| client.sign_in().text("access_token")).collect::<Vec<_>>()
        };
        let clients: Vec<_> = (0..16).map(|_| scope.spawn(sign_in_five_times)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(
        (tokens.len(), emulator.count(Operation::SignIn), emulator.connections()),
        (80, 80, 16)
    );
}
