//! Tokens and scopes as values.

use http::Response;
use point_auth_core::{Credentials, Operation, RefreshToken, Scope, SignIn, TokenSet};

fn tokens(body: &'static str) -> TokenSet {
    let credentials = Credentials::new("jane", "a password").unwrap();
    SignIn::new(&credentials).parse_response(&Response::new(body)).unwrap()
}

fn scope(body: &'static str) -> Scope {
    tokens(body).scope().unwrap().clone()
}

#[test]
fn refresh_tokens_of_the_same_text_are_the_same() {
    let [one, same, other] = ["one", "one", "two"].map(|text| RefreshToken::new(text).unwrap());
    assert_eq!(one, same);
    assert_ne!(one, other);
}

#[test]
fn a_scope_has_its_words_and_its_original_text() {
    let scope = scope(r#"{"access_token":"a-token","scope":"policy  claims "}"#);
    assert_eq!(scope.iter().collect::<Vec<_>>(), ["policy", "claims"]);
    assert_eq!(scope.to_string(), "policy  claims ");
    assert!(scope.contains("policy") && scope.contains("claims"));
    for other in ["pol", "policy  claims", "", "Policy"] {
        assert!(!scope.contains(other), "{other}");
    }
}

#[test]
fn a_token_of_escapes_only_is_unescaped() {
    let tokens = tokens(r#"{"access_token":"\\\\","refresh_token":"\"\""}"#);
    assert_eq!(tokens.access_token().expose(), r"\\");
    assert_eq!(tokens.refresh_token().map(RefreshToken::expose), Some("\"\""));
}

#[test]
fn every_json_escape_is_unescaped() {
    let escaped =
        scope(r#"{"access_token":"a-token","scope":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}"#);
    assert_eq!(escaped.as_str(), "\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}");
}
