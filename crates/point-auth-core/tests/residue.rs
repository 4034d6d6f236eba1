//! Secrets in freed memory after all owners are gone: none that core owned.
//!
//! This is a separate binary, because its allocator searches every block that is freed. Each test
//! has its own canary, and writes copies of it only into memory that is wiped.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::hint::black_box;

use http::{HeaderMap, Request, Response, StatusCode};
use point_auth_core::{
    BaseUrl, Credentials, Operation, Refresh, RefreshToken, ResponseError, SecretBody, SignIn,
    TokenSet,
};
use scanning_allocator::{ScanningAllocator, Watch};
use secrecy::SecretString;
use serde::Deserialize;
use zeroize::Zeroizing;

#[global_allocator]
static ALLOCATOR: ScanningAllocator = ScanningAllocator::new();

/// The scanner finds what these tests say is not there: the ceiling of 0 means something.
mod controls {
    use super::*;

    #[test]
    fn an_unwiped_copy_of_a_password_is_found() {
        let watch = ScanningAllocator::watch("an-unwiped-password-canary");
        drop(black_box(String::from("an-unwiped-password-canary")));
        assert_eq!(watch.freed_blocks(), 1);
    }

    #[test]
    fn a_request_body_written_by_serde_json_is_found() {
        let watch = ScanningAllocator::watch("to-vec-password-canary");
        let body = serde_json::to_vec(&serde_json::json!({ "password": "to-vec-password-canary" }))
            .unwrap();
        drop(black_box(body));
        assert!(watch.freed_blocks() >= 1);
    }

    #[derive(Deserialize)]
    struct Naive {
        access_token: String,
    }

    #[test]
    fn an_answer_read_by_serde_json_into_a_string_is_found() {
        let watch = ScanningAllocator::watch("from-slice-access-token-canary");
        let body = answer(&[r#"{"access_token":""#, "from-slice-access-token-canary", r#""}"#]);
        let naive: Naive = serde_json::from_slice(body.as_ref()).unwrap();
        assert_eq!(naive.access_token, "from-slice-access-token-canary");
        drop(black_box(naive));
        assert!(watch.freed_blocks() >= 1);
    }

    #[test]
    fn the_scratch_buffer_of_serde_json_is_found_although_the_string_is_wiped() {
        let watch = ScanningAllocator::watch("Escaped-access-token-canary");
        let body = answer(&[r#"{"access_token":"\u0045scaped-access-token-canary"}"#]);
        let naive: Naive = serde_json::from_slice(body.as_ref()).unwrap();
        let wiped = Zeroizing::new(naive.access_token);
        assert_eq!(*wiped, "Escaped-access-token-canary");
        drop(black_box(wiped));
        assert!(watch.freed_blocks() >= 1);
    }
}

#[test]
fn a_sign_in_leaves_no_password_behind() {
    let watch = ScanningAllocator::watch("sign-in-password-canary");
    let credentials = Credentials::new("jane@tenant.com", "sign-in-password-canary").unwrap();
    use_up(&SignIn::new(&credentials), "sign-in-password-canary");
    drop(credentials);
    left(&watch, 0);
}

#[test]
fn a_sign_in_with_an_alias_leaves_no_password_behind() {
    let watch = ScanningAllocator::watch("alias-sign-in-password-canary");
    let password = SecretString::from("alias-sign-in-password-canary");
    let credentials = Credentials::new("jane@tenant.com", password).unwrap();
    // Long enough that a growing buffer would move with the password in it.
    let credentials = credentials.clone().with_user_alias("jane.doe".repeat(300)).unwrap();
    use_up(&SignIn::new(&credentials), "alias-sign-in-password-canary");
    drop(credentials);
    left(&watch, 0);
}

#[test]
fn a_password_given_as_a_string_is_taken_over_and_wiped() {
    let watch = ScanningAllocator::watch("taken-over-password-canary");
    let credentials = Credentials::new("jane", String::from("taken-over-password-canary")).unwrap();
    use_up(&SignIn::new(&credentials), "taken-over-password-canary");
    drop(credentials);
    left(&watch, 0);
}

#[test]
fn a_password_that_json_escapes_is_left_behind_in_neither_form() {
    let raw = ScanningAllocator::watch("quo\"te-and-\\-password-canary");
    let escaped = ScanningAllocator::watch("quo\\\"te-and-\\\\-password-canary");
    let credentials = Credentials::new("jane", "quo\"te-and-\\-password-canary").unwrap();
    use_up(&SignIn::new(&credentials), "quo\\\"te-and-\\\\-password-canary");
    drop(credentials);
    left(&raw, 0);
    left(&escaped, 0);
}

#[test]
fn credentials_that_are_refused_leave_no_password_behind() {
    let watch = ScanningAllocator::watch("refused-password-canary");
    assert!(Credentials::new("", "refused-password-canary").is_err());
    let mut long = Zeroizing::new(String::with_capacity(5000));
    long.push_str("refused-password-canary");
    long.push_str(&"x".repeat(4970));
    assert!(Credentials::new("jane", long.as_str()).is_err());
    drop(long);
    left(&watch, 0);
}

#[test]
fn a_refresh_leaves_no_refresh_token_behind() {
    let watch = ScanningAllocator::watch("sent-refresh-token-canary");
    let refresh_token = RefreshToken::new("sent-refresh-token-canary").unwrap();
    use_up(&Refresh::new(&refresh_token), "sent-refresh-token-canary");
    drop(refresh_token);
    left(&watch, 0);
}

#[test]
fn a_plain_answer_leaves_no_token_behind() {
    let access = ScanningAllocator::watch("plain-access-token-canary");
    let refresh = ScanningAllocator::watch("plain-refresh-token-canary");
    let body = r#"{"access_token":"plain-access-token-canary","refresh_token":"plain-refresh-token-canary","expires_in":60}"#;
    let tokens = sign_in_answered(200, body).unwrap();
    assert_eq!(tokens.access_token().expose(), "plain-access-token-canary");
    assert_eq!(tokens.refresh_token().unwrap().expose(), "plain-refresh-token-canary");
    use_up_tokens(tokens);
    left(&access, 0);
    left(&refresh, 0);
}

#[test]
fn an_escaped_answer_leaves_no_token_behind() {
    let access = ScanningAllocator::watch("Escaped/access-token-canary");
    let refresh = ScanningAllocator::watch("Escaped/refresh-token-canary");
    let body = r#"{"access_token":"\u0045scaped\/access-\u0074oken-canary","refresh_token":"Escaped\/refresh-token-can\u0061ry"}"#;
    let tokens = sign_in_answered(200, body).unwrap();
    assert_eq!(tokens.access_token().expose(), "Escaped/access-token-canary");
    assert_eq!(tokens.refresh_token().unwrap().expose(), "Escaped/refresh-token-canary");
    use_up_tokens(tokens);
    left(&access, 0);
    left(&refresh, 0);
}

#[test]
fn a_refresh_answered_without_a_refresh_token_leaves_the_old_one_nowhere() {
    let watch = ScanningAllocator::watch("kept-refresh-token-canary");
    let refresh_token = RefreshToken::new("kept-refresh-token-canary").unwrap();
    let response = answered(200, r#"{"access_token":"some-access-token"}"#);
    let tokens = Refresh::new(&refresh_token).parse_response(&response).unwrap();
    drop((refresh_token, response));
    use_up_tokens(tokens);
    left(&watch, 0);
}

#[test]
fn an_answer_that_is_refused_leaves_no_token_behind() {
    let watch = ScanningAllocator::watch("Refused-access-token-canary");
    for body in [
        r#"{"access_token":"Refused-access-token-canary","access_token":"Refused-access-token-canary"}"#,
        r#"{"access_token":"\u0052efused-access-token-canary with a space"}"#,
        r#"{"access_token":"\u0052efused-access-token-canary","refresh_token":""}"#,
        r#"{"access_token":"\u0052efused-access-token-canary","refresh_token":"\u0052efused-access-token-canary\n"}"#,
        r#"{"access_token":"\u0052efused-access-token-canary\ud800"}"#,
        r#"{"access_token":"\u0052efused-access-token-canary","expires_in":"\u0052efused-access-token-canary"}"#,
        r#"{"access_token":"Refused-access-token-canary","token_type":"Refused-access-token-canary"}"#,
        r#"{"access_token":"Refused-access-token-canary""#,
        r#"{"access_token":"Refused-access-token-canary\x"#,
        r#"{"error":"access_denied","access_token":"\u0052efused-access-token-canary"}"#,
        r#"["Refused-access-token-canary","\u0052efused-access-token-canary"]"#,
        r#"Refused-access-token-canary"#,
    ] {
        for status in [200, 400, 403, 500] {
            assert!(sign_in_answered(status, body).is_err(), "{status} {body}");
        }
    }
    left(&watch, 0);
}

#[test]
fn a_denial_that_repeats_the_password_leaves_none_behind() {
    let watch = ScanningAllocator::watch("Repeated-password-canary");
    let credentials = Credentials::new("jane", "Repeated-password-canary").unwrap();
    for body in [
        r#"{"error":"access_denied","error_description":"wrong: Repeated-password-canary"}"#,
        r#"{"error":"access_denied","error_description":"wrong: \u0052epeated-password-canary"}"#,
        r#"{"error":"\u0052epeated-password-canary","error_description":"Repeated-password-canary"}"#,
    ] {
        let error = SignIn::new(&credentials).parse_response(&answered(403, body)).unwrap_err();
        assert!(error.denial().is_some());
        drop(black_box(format!("{error} {error:?}")));
    }
    drop(credentials);
    left(&watch, 0);
}

#[test]
fn a_body_made_of_a_vector_is_wiped_with_its_spare_capacity() {
    let watch = ScanningAllocator::watch("vector-body-canary");
    let mut bytes = Vec::with_capacity(200);
    bytes.extend_from_slice(b"kept vector-body-canary");
    bytes.truncate(4);
    let body = SecretBody::new(bytes);
    assert_eq!(body.as_ref(), b"kept");
    let (clone, bytes) = (body.clone(), body.into_bytes());
    drop((clone, bytes.slice(1..)));
    drop(bytes);
    left(&watch, 0);
}

/// Builds the request, holds it in all its forms, and drops them all.
fn use_up(operation: &impl Operation, secret: &str) {
    let request = operation.to_request(&BaseUrl::production()).unwrap();
    drop(black_box(format!("{request:?} {request:#?}")));
    let clone = request.body().clone();
    let (parts, body) = request.into_parts();
    drop(Request::from_parts(parts, clone));
    let bytes = body.into_bytes();
    let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(found, "the secret is not in the request");
    let (half, other) = (bytes.slice(..bytes.len() / 2), bytes.clone());
    drop(bytes);
    drop(half);
    drop(black_box(other));
}

/// Takes all values out of a token set, and drops them.
fn use_up_tokens(tokens: TokenSet) {
    let mut headers = HeaderMap::new();
    tokens.access_token().authorize(&mut headers);
    drop(black_box(format!("{tokens:?} {headers:?}")));
    let header = tokens.access_token().header_value();
    let (access_token, refresh_token) = tokens.clone().into_tokens();
    drop(tokens);
    drop((headers.clone(), headers));
    drop((access_token.clone(), access_token, refresh_token));
    drop(black_box(header));
}

fn sign_in_answered(status: u16, body: &'static str) -> Result<TokenSet, ResponseError> {
    let credentials = Credentials::new("jane", "a password of no interest").unwrap();
    SignIn::new(&credentials).parse_response(&answered(status, body))
}

fn answered(status: u16, body: &'static str) -> Response<SecretBody> {
    let mut response = Response::new(answer(&[body]));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// Returns a body in memory that is wiped.
fn answer(parts: &[&str]) -> SecretBody {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        bytes.extend_from_slice(part.as_bytes());
    }
    SecretBody::new(bytes)
}

#[track_caller]
fn left(watch: &Watch, ceiling: usize) {
    let found = watch.freed_blocks();
    assert!(found <= ceiling, "{found} freed blocks hold the canary, of {:?} bytes", watch.sizes());
}
