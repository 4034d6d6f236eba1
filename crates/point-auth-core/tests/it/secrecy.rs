//! Secrets that no `Debug` and no `Display` shows, at any depth.

use std::fmt::Debug;

use http::{HeaderMap, HeaderValue, Request, Response};
use point_auth_core::{
    AccessToken, BaseUrl, Credentials, Operation, Refresh, RefreshToken, RetryAfter, SecretBody,
    SignIn, TokenSet, UserAgent,
};

const CANARY: &str = "c4n4ry-of-secrecy";

/// Returns both forms of `value`, and checks that neither has the canary or its bytes as numbers.
#[track_caller]
fn shown(value: &dyn Debug) -> String {
    let shown = format!("{value:?}\n{value:#?}");
    assert!(!shown.contains(CANARY), "{shown}");
    let numbers: Vec<String> = CANARY.bytes().take(4).map(|byte| byte.to_string()).collect();
    assert!(!shown.contains(&numbers.join(", ")), "{shown}");
    assert!(!shown.replace(char::is_whitespace, "").contains(&numbers.join(",")), "{shown}");
    shown
}

fn credentials() -> Credentials {
    let user = format!("user-{CANARY}");
    Credentials::new(user, CANARY).unwrap().with_user_alias(format!("alias-{CANARY}")).unwrap()
}

fn tokens() -> TokenSet {
    TokenSet::new(AccessToken::new(CANARY).unwrap())
        .with_refresh_token(RefreshToken::new(CANARY).unwrap())
}

#[test]
fn credentials_and_the_operations_that_hold_them_show_nothing() {
    let (credentials, refresh_token) = (credentials(), RefreshToken::new(CANARY).unwrap());
    assert_eq!(shown(&credentials), "Credentials { .. }\nCredentials { .. }");
    shown(&credentials.password());
    shown(&SignIn::new(&credentials));
    shown(&Refresh::new(&refresh_token));
    shown(&(Some(&credentials), vec![Ok::<_, ()>(SignIn::new(&credentials))]));
}

#[test]
fn tokens_show_nothing_and_a_token_set_all_the_rest() {
    let tokens = tokens();
    let text = shown(&tokens);
    for rest in ["expires_in: 3600s", "scope: None", "Bearer", "[redacted]"] {
        assert!(text.contains(rest), "{text}");
    }
    shown(tokens.access_token());
    shown(&tokens.refresh_token());
    shown(&tokens.clone().into_tokens());
    shown(&[Some(tokens)]);
}

#[test]
fn headers_with_the_token_show_nothing() {
    let token = AccessToken::new(CANARY).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(http::header::AUTHORIZATION, HeaderValue::from_static("Basic replaced"));
    token.authorize(&mut headers);
    assert_eq!(headers.len(), 1);
    assert_eq!(headers[http::header::AUTHORIZATION], format!("Bearer {CANARY}"));
    assert!(headers[http::header::AUTHORIZATION].is_sensitive());
    assert!(token.header_value().is_sensitive());
    shown(&headers);
    shown(&token.header_value());
}

#[test]
fn whole_requests_and_responses_show_nothing() {
    let base = BaseUrl::production();
    let (credentials, refresh_token) = (credentials(), RefreshToken::new(CANARY).unwrap());
    for mut request in [
        SignIn::new(&credentials).to_request(&base),
        Refresh::new(&refresh_token).to_request(&base),
    ]
    .map(Result::unwrap)
    {
        tokens().access_token().authorize(request.headers_mut());
        let text = shown(&request);
        assert!(text.contains(&format!("SecretBody({} bytes)", request.body().len())), "{text}");
        shown(&request.into_parts());
    }
    shown(&Request::new(SecretBody::from(CANARY.as_bytes().to_vec())));
    shown(&Response::new(SecretBody::json(CANARY).unwrap()));
    shown(&Response::new(tokens()));
    shown(&Ok::<_, ()>(Some(SecretBody::new(CANARY.as_bytes().to_vec()))));
}

#[test]
fn secrets_can_be_read_explicitly() {
    let tokens = tokens();
    assert_eq!(tokens.access_token().expose(), CANARY);
    assert_eq!(tokens.refresh_token().unwrap().expose(), CANARY);
    assert_eq!(tokens.access_token().header_value(), format!("Bearer {CANARY}"));
}

#[test]
fn a_scope_that_repeats_a_secret_is_left_out() {
    for (password, body) in [
        (CANARY, format!(r#"{{"access_token":"a-token","scope":"policy {CANARY}"}}"#)),
        ("s3cret", format!(r#"{{"access_token":"{CANARY}","scope":"{CANARY}"}}"#)),
        (
            "s3cret",
            format!(
                r#"{{"access_token":"a-token","refresh_token":"{CANARY}","scope":"x{CANARY}x"}}"#
            ),
        ),
    ] {
        let credentials = Credentials::new("jane", password).unwrap();
        let tokens = SignIn::new(&credentials).parse_response(&Response::new(body)).unwrap();
        shown(&tokens);
        assert_eq!(tokens.scope(), None);
    }
}

#[test]
fn values_without_a_secret_are_readable() {
    assert_eq!(
        format!("{:?}", BaseUrl::production()),
        r#"BaseUrl("https://api.pointservices.com")"#
    );
    assert!(format!("{:?}", UserAgent::new()).contains("point-auth/"));
    let header = HeaderMap::from_iter([(http::header::RETRY_AFTER, HeaderValue::from_static("5"))]);
    assert_eq!(format!("{:?}", RetryAfter::from_headers(&header)), "Some(Delay(5s))");
}

#[test]
fn a_token_shows_its_type_and_that_it_is_withheld() {
    assert_eq!(format!("{:?}", AccessToken::new(CANARY).unwrap()), "AccessToken([redacted])");
    assert_eq!(format!("{:?}", RefreshToken::new(CANARY).unwrap()), "RefreshToken([redacted])");
}
