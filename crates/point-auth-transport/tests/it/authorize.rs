//! Which requests get the token, and which responses reject it.

use http::{HeaderMap, Request, StatusCode, Uri};
use point_auth_core::BaseUrl;
use point_auth_transport::authorize::{Authorized, Reply, Rules, UserAlias};

fn rules() -> Rules {
    Rules::new(&BaseUrl::parse("https://api.example.com/base").unwrap())
}

fn get(url: &str) -> Request<()> {
    Request::get(url).body(()).unwrap()
}

fn applies(rules: &Rules, url: &str) -> bool {
    rules.begin(&get(url)).is_some()
}

#[test]
fn an_origin_is_a_scheme_a_host_and_a_port() {
    for (url, expected) in [
        ("https://api.example.com/other", true),
        ("HTTPS://API.Example.COM:443/", true),
        ("https://api.example.com:/", true),
        ("https://user@api.example.com/", true),
        ("http://api.example.com/", false),
        ("http://api.example.com:443/", false),
        ("https://api.example.com:8443/", false),
        ("https://api.example.com:99999/", false),
        ("https://api.example.com./", false),
        ("https://api.example.com:443@other.example/", false),
        ("https://other.example/?https://api.example.com/", false),
        ("/base", false),
    ] {
        assert_eq!(applies(&rules(), url), expected, "{url}");
    }
}

#[test]
fn an_ipv6_address_is_a_host() {
    let rules = Rules::new(&BaseUrl::parse("http://[::1]:8080").unwrap());
    assert!(applies(&rules, "http://[::1]:8080/x"));
    for other in ["http://[::1]/x", "http://[::2]:8080/x", "http://127.0.0.1:8080/x"] {
        assert!(!applies(&rules, other), "{other}");
    }
}

#[test]
fn every_host_header_must_agree_with_the_url() {
    for (hosts, expected) in [
        (&["api.example.com"][..], true),
        (&["API.example.com:443"], true),
        (&["api.example.com:8443"], false),
        (&["other.example"], false),
        (&[""], false),
        (&["api.example.com", "other.example"], false),
    ] {
        let mut request = get("https://api.example.com/");
        for host in hosts {
            request.headers_mut().append("host", host.parse().unwrap());
        }
        assert_eq!(rules().begin(&request).is_some(), expected, "{hosts:?}");
    }
}

#[test]
fn further_origins_are_allowed_one_by_one() {
    let rules = rules().with_origin(&BaseUrl::parse("https://other.example/path").unwrap());
    assert!(applies(&rules, "https://other.example/"));
    assert!(applies(&rules, "https://api.example.com/"));
    assert!(!applies(&rules, "https://third.example/"));
    let every = rules.with_every_origin();
    assert!(applies(&every, "https://third.example/") && applies(&every, "/path"));
}

#[test]
fn an_authorization_stays_unless_the_rules_replace_it() {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Basic dTpw".parse().unwrap());
    let uri = Uri::from_static("https://api.example.com/");
    assert!(rules().begin_with(&uri, &headers).is_none());
    assert!(rules().with_replaced_authorization().begin_with(&uri, &headers).is_some());
}

#[test]
fn a_401_counts_only_from_where_the_token_was_sent() {
    let other = BaseUrl::parse("https://other.example").unwrap();
    let rules = rules().with_origin(&other);
    let authorized = rules.begin(&get("https://api.example.com/")).unwrap();
    let rejects = |status, url| {
        let url = Uri::from_static(url);
        authorized.rejects(Reply::new(status).with_url(&url))
    };
    assert!(rejects(StatusCode::UNAUTHORIZED, "https://api.example.com/elsewhere"));
    assert!(!rejects(StatusCode::FORBIDDEN, "https://api.example.com/elsewhere"));
    // After a redirect the request has no token, whether the origin is allowed or not.
    assert!(!rejects(StatusCode::UNAUTHORIZED, "https://other.example/"));
    assert!(!rejects(StatusCode::UNAUTHORIZED, "https://third.example/"));
    assert!(!rejects(StatusCode::UNAUTHORIZED, "http://api.example.com/"));
    assert!(authorized.rejects(Reply::new(StatusCode::UNAUTHORIZED)));
    assert!(Authorized::new().rejects(Reply::new(StatusCode::UNAUTHORIZED)));
}

#[test]
fn an_alias_is_not_shown() {
    let alias = UserAlias::new("jane@example.com");
    assert_eq!(alias.as_str(), "jane@example.com");
    assert_eq!(format!("{alias:?}"), "UserAlias([redacted])");
}
