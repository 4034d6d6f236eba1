//! The `User-Agent`, and how a user extends it.

use http::HeaderMap;
use http::header::USER_AGENT;
use point_auth_core::{UserAgent, UserAgentError};

const OURS: &str = concat!("point-auth/", env!("CARGO_PKG_VERSION"));

#[test]
fn the_default_is_ours() {
    assert_eq!(UserAgent::new().to_string(), OURS);
    assert_eq!(UserAgent::default(), UserAgent::new());
    assert_eq!(UserAgent::new().header_value(), OURS);
}

#[test]
fn a_product_goes_in_front() {
    let user_agent = UserAgent::new().with_product("my-app/1.2 (linux; x86_64)").unwrap();
    assert_eq!(user_agent.to_string(), format!("my-app/1.2 (linux; x86_64) {OURS}"));
    let user_agent = user_agent.with_product(" outer/3 ").unwrap();
    assert_eq!(user_agent.to_string(), format!("outer/3 my-app/1.2 (linux; x86_64) {OURS}"));
}

#[test]
fn a_product_that_is_invalid_in_a_header_is_refused() {
    for product in ["", "  ", "a\r\nX: y", "a\nb", "a\tb", "a\0", "é", "a\u{7f}", &"x".repeat(257)]
    {
        let refused = UserAgent::new().with_product(product);
        assert!(matches!(refused, Err(UserAgentError { .. })), "{product:?}");
    }
    assert!(UserAgent::new().with_product(&"x".repeat(256)).is_ok());
}

#[test]
fn it_replaces_only_the_default() {
    let mine = UserAgent::new().with_product("my-app/1.2").unwrap();
    let mut headers = HeaderMap::new();
    UserAgent::new().set_on(&mut headers);
    assert_eq!(headers[USER_AGENT], OURS);
    mine.set_on(&mut headers);
    assert_eq!(headers[USER_AGENT], mine.header_value());
    UserAgent::new().set_on(&mut headers);
    assert_eq!(headers[USER_AGENT], mine.header_value());
}
