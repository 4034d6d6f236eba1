//! The requests, byte for byte as in the API reference.

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderName, USER_AGENT};
use http::{Method, Request, Version};
use point_auth_core::{
    BaseUrl, Credentials, Operation, Refresh, RefreshToken, RequestError, SecretBody, SignIn,
    UserAgent, operation,
};

const OURS: &str = concat!("point-auth/", env!("CARGO_PKG_VERSION"));

/// Each header with its value, sorted.
fn headers(request: &Request<SecretBody>) -> Vec<(HeaderName, String)> {
    let mut headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.clone(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
    headers
}

fn body(request: &Request<SecretBody>) -> &str {
    std::str::from_utf8(request.body().as_ref()).unwrap()
}

#[test]
fn a_sign_in_is_the_published_curl_example() {
    let credentials = Credentials::new("jane@tenant.com", "s3cret").unwrap();
    let request = SignIn::new(&credentials).to_request(&BaseUrl::production()).unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(
        request.uri(),
        "https://api.pointservices.com/user-management-services-ws/oauth2/002/signInWithPassword"
    );
    assert_eq!(request.version(), Version::HTTP_11);
    assert_eq!(body(&request), r#"{"username":"jane@tenant.com","password":"s3cret"}"#);
    let json = || "application/json".to_owned();
    let expected = [
        (ACCEPT, json()),
        (ACCEPT_ENCODING, "identity".to_owned()),
        (CONTENT_TYPE, json()),
        (USER_AGENT, OURS.to_owned()),
    ];
    assert_eq!(headers(&request), expected);
}

#[test]
fn a_user_alias_is_sent_as_the_reference_spells_it() {
    let credentials =
        Credentials::new("jane", "s3cret").unwrap().with_user_alias("jane.doe").unwrap();
    let request = SignIn::new(&credentials).to_request(&BaseUrl::production()).unwrap();
    assert_eq!(body(&request), r#"{"username":"jane","password":"s3cret","useralias":"jane.doe"}"#);
}

#[test]
fn without_a_user_alias_there_is_no_such_field() {
    let credentials = Credentials::new("jane", "s3cret").unwrap();
    let request = SignIn::new(&credentials).to_request(&BaseUrl::production()).unwrap();
    assert!(!body(&request).contains("useralias"));
    assert!(!body(&request).contains("null"));
}

#[test]
fn a_refresh_sends_the_refresh_token_and_nothing_else() {
    let refresh_token =
        RefreshToken::new("AMf-vBxITbnfBBMJpPXMvop1qa1cMaUuqAKX_y1hYsmcgVtzhx7Al_9mWD").unwrap();
    let request = Refresh::new(&refresh_token).to_request(&BaseUrl::production()).unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(
        request.uri(),
        "https://api.pointservices.com/user-management-services-ws/oauth2/002/refreshIdToken"
    );
    assert_eq!(
        body(&request),
        r#"{"refresh_token":"AMf-vBxITbnfBBMJpPXMvop1qa1cMaUuqAKX_y1hYsmcgVtzhx7Al_9mWD"}"#
    );
    let credentials = Credentials::new("jane", "s3cret").unwrap();
    let sign_in = SignIn::new(&credentials).to_request(&BaseUrl::production()).unwrap();
    assert_eq!(headers(&request), headers(&sign_in));
}

#[test]
fn both_operations_go_below_the_path_prefix_of_a_gateway() {
    let credentials = Credentials::new("jane", "s3cret").unwrap();
    let refresh_token = RefreshToken::new("token").unwrap();
    for base in [
        "https://gateway.example:8443/point/services",
        "https://gateway.example:8443/point/services/",
    ] {
        let base = BaseUrl::parse(base).unwrap();
        let sign_in = SignIn::new(&credentials).to_request(&base).unwrap();
        let refresh = Refresh::new(&refresh_token).to_request(&base).unwrap();
        let below =
            "https://gateway.example:8443/point/services/user-management-services-ws/oauth2/002";
        assert_eq!(sign_in.uri().to_string(), format!("{below}/signInWithPassword"));
        assert_eq!(refresh.uri().to_string(), format!("{below}/refreshIdToken"));
    }
}

#[test]
fn credentials_are_escaped_for_json() {
    let credentials = Credentials::new("Zoë \"Z\" 😀", "a\\b\n\u{0}\u{7f}\u{2028}").unwrap();
    let request = SignIn::new(&credentials).to_request(&BaseUrl::production()).unwrap();
    let expected =
        "{\"username\":\"Zoë \\\"Z\\\" 😀\",\"password\":\"a\\\\b\\n\\u0000\u{7f}\u{2028}\"}";
    assert_eq!(body(&request), expected);
}

#[test]
fn the_longest_credentials_are_sent_whole() {
    let longest = "\u{1}".repeat(Credentials::MAX_PART_BYTES);
    let credentials =
        Credentials::new(&longest, longest.clone()).unwrap().with_user_alias(&longest).unwrap();
    let request = SignIn::new(&credentials).to_request(&BaseUrl::production()).unwrap();
    let expected = r#"{"username":"","password":"","useralias":""}"#.len()
        + 3 * 6 * Credentials::MAX_PART_BYTES;
    assert_eq!(request.body().len(), expected);
}

#[test]
fn a_custom_user_agent_replaces_ours() {
    let credentials = Credentials::new("jane", "s3cret").unwrap();
    let mut request = SignIn::new(&credentials).to_request(&BaseUrl::production()).unwrap();
    let user_agent = UserAgent::new().with_product("my-app/1.2").unwrap();
    request.headers_mut().insert(USER_AGENT, user_agent.header_value());
    let sent: Vec<_> = request.headers().get_all(USER_AGENT).iter().collect();
    assert_eq!(sent, [format!("my-app/1.2 {OURS}").as_str()]);
}

#[test]
fn a_custom_operation_has_the_same_headers_and_stays_below_the_base() {
    let base = BaseUrl::parse("https://gateway.example/point").unwrap();
    let body = SecretBody::json(&[1, 2]).unwrap();
    let request = operation::json_post(&base, "/claims?open=1", body).unwrap();
    assert_eq!(request.uri(), "https://gateway.example/point/claims?open=1");
    assert_eq!(request.body().as_ref(), b"[1,2]");
    let credentials = Credentials::new("jane", "s3cret").unwrap();
    assert_eq!(headers(&request), headers(&SignIn::new(&credentials).to_request(&base).unwrap()));
    let refused = [
        "",
        "claims",
        "//evil.example",
        "/a//b",
        "/../admin",
        "/a/..",
        "/a/%2e%2E/b",
        "/.",
        "/a/./b",
        "/a#b",
        "/a\\b",
        "/a b",
        "/ä",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a?b#c",
        "/a?b c",
        "/a?b'c",
        "/a?%",
        "/a\r\nX: y",
        "@evil.example/",
        ":80/",
        ".evil.example/",
    ];
    for path in refused {
        let refused = operation::json_post(&base, path, SecretBody::default());
        assert_eq!(refused.map(|_| ()), Err(RequestError::Path), "{path}");
    }
}

#[test]
fn a_body_that_has_no_json_form_is_refused() {
    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert_eq!(SecretBody::json(&map).map(|_| ()), Err(RequestError::Body));
}

#[test]
fn a_body_that_serializes_longer_the_second_time_is_refused() {
    struct Growing {
        length: std::cell::Cell<usize>,
        by: usize,
    }

    impl serde::Serialize for Growing {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.length.set(self.length.get() + self.by);
            serializer.serialize_str(&"x".repeat(self.length.get()))
        }
    }

    // With one byte more, only the last write does not fit.
    for by in [1, 10] {
        let body = SecretBody::json(&Growing { length: std::cell::Cell::new(0), by });
        assert_eq!(body.map(|_| ()), Err(RequestError::Body), "longer by {by}");
    }
}

#[test]
fn a_body_has_the_bytes_of_its_vector_even_if_empty() {
    let body = SecretBody::from(b"{}".to_vec());
    assert_eq!((body.len(), body.is_empty(), body.as_ref()), (2, false, &b"{}"[..]));
    assert_eq!(body.into_bytes(), &b"{}"[..]);
    for nothing in
        [SecretBody::default(), SecretBody::new(Vec::new()), SecretBody::new(Vec::with_capacity(9))]
    {
        assert_eq!((nothing.len(), nothing.is_empty(), nothing.as_ref()), (0, true, &b""[..]));
        assert_eq!(nothing.into_bytes(), &b""[..]);
    }
}
