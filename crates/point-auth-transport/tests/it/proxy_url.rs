//! The URL of a proxy: which forms are valid, and that its password is never shown.

use http::Uri;
use point_auth_transport::{Proxy, ProxySettings, SettingsError};
use proptest::prelude::*;

use crate::{CANARY, printed};

fn proxy(url: &str) -> Proxy {
    let resolver = ProxySettings::url(url).unwrap().resolve().unwrap();
    resolver.proxy_for(&Uri::from_static("https://api.pointservices.com/")).unwrap().clone()
}

fn credentials(url: &str) -> Option<(String, String)> {
    let proxy = proxy(url);
    Some((proxy.username()?.to_owned(), proxy.password()?.to_owned()))
}

#[test]
fn host_and_port_are_kept_and_the_rest_has_defaults() {
    for (url, expected) in [
        ("http://proxy.example:3128", "http://proxy.example:3128/"),
        ("http://proxy.example:3128/", "http://proxy.example:3128/"),
        ("HTTP://proxy.example", "http://proxy.example:80/"),
        ("proxy.example", "http://proxy.example:80/"),
        ("proxy.example:8080", "http://proxy.example:8080/"),
        (" http://proxy.example \n", "http://proxy.example:80/"),
        ("http://10.0.0.1:3128", "http://10.0.0.1:3128/"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128/"),
        ("http://[::1]", "http://[::1]:80/"),
        ("http://user:password@proxy.example:3128", "http://proxy.example:3128/"),
    ] {
        assert_eq!(proxy(url).uri().to_string(), expected, "{url}");
    }
    let proxy = proxy("http://proxy.example:3128");
    assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 3128));
}

#[test]
fn user_name_and_password_are_percent_decoded() {
    for (url, username, password) in [
        ("http://user:secret@p", "user", "secret"),
        ("user:secret@p:1", "user", "secret"),
        ("http://user@p", "user", ""),
        ("http://:secret@p", "", "secret"),
        ("http://user:a%3Ab%40c%2Fd@p", "user", "a:b@c/d"),
        ("http://user:a:b@p", "user", "a:b"),
        ("http://user:a@b@p", "user", "a@b"),
        ("http://user:100%@p", "user", "100%"),
        ("http://user:%zz%4@p", "user", "%zz%4"),
        ("http://us%C3%A9r:p%20w@p", "usér", "p w"),
        ("http://user:a:%2F%2Fb@p", "user", "a://b"),
    ] {
        assert_eq!(credentials(url), Some((username.to_owned(), password.to_owned())), "{url}");
    }
    assert_eq!(credentials("http://proxy.example"), None);
    assert_eq!(credentials("http://@proxy.example"), None);
}

#[test]
fn credentials_become_a_basic_header_that_is_marked_as_sensitive() {
    // RFC 7617, section 2.
    let proxy = proxy("http://Aladdin:open%20sesame@proxy.example");
    let authorization = proxy.authorization().unwrap();
    assert_eq!(authorization, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert!(authorization.is_sensitive());
    assert!(self::proxy("http://proxy.example").authorization().is_none());
}

#[test]
fn another_scheme_than_http_is_refused_by_its_name() {
    for (url, name) in [
        ("https://proxy.example", "https"),
        ("socks5://proxy.example:1080", "socks5"),
        ("SOCKS5H://user:password@proxy.example", "socks5h"),
        ("ftp://proxy.example", "ftp"),
    ] {
        match ProxySettings::url(url) {
            Err(SettingsError::ProxyScheme { scheme, .. }) => assert_eq!(scheme, name),
            other => panic!("{url}: {other:?}"),
        }
    }
}

#[test]
fn an_invalid_proxy_url_is_refused() {
    for url in [
        "",
        " ",
        "http://",
        "http://:3128",
        "http://user:password@",
        "http://proxy.example:port",
        "http://proxy.example:0",
        "http://proxy.example:65536",
        "http://proxy.example:+80",
        "http://proxy.example:80:80",
        "http://proxy.example/path",
        "http://proxy.example?query",
        "http://proxy.example#fragment",
        "http://proxy example",
        "http://pröxy.example",
        "http://[::1",
        "://proxy.example",
        "1http://proxy.example",
        "http://us%3Aer:password@proxy.example",
        "http://user:%00@proxy.example",
        "http://user:%ff@proxy.example",
        "http://user:pass\\word@proxy.example",
        "http:\\\\proxy.example",
    ] {
        assert!(matches!(ProxySettings::url(url), Err(SettingsError::ProxyUrl { .. })), "{url:?}");
    }
}

#[test]
fn a_password_with_a_slash_that_is_not_encoded_does_not_make_a_host_of_the_user_name() {
    let error = ProxySettings::url(&format!("http://user:80/{CANARY}@proxy.example")).unwrap_err();
    assert!(matches!(error, SettingsError::ProxyUrl { .. }));
    assert!(!printed(&error).contains(CANARY));
}

#[test]
fn no_debug_shows_user_name_password_or_header() {
    let settings = ProxySettings::url("http://hidden-user:hidden-word@proxy.example").unwrap();
    let resolver = settings.resolve().unwrap();
    let printed = format!("{settings:?} {resolver:?} {:?} {settings:#?}", resolver.proxy());
    assert!(printed.contains("proxy.example"), "{printed}");
    for hidden in ["hidden-user", "hidden-word", "aGlkZGVu"] {
        assert!(!printed.contains(hidden), "{hidden} in {printed}");
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

proptest! {
    #[test]
    fn no_text_causes_a_panic_and_an_accepted_one_has_a_host_and_a_port(url in ".{0,80}") {
        if let Ok(settings) = ProxySettings::url(&url) {
            let resolver = settings.resolve().unwrap();
            let proxy = resolver.proxy().unwrap();
            prop_assert!(!proxy.host().is_empty() && proxy.port() > 0);
            prop_assert!(!proxy.uri().authority().unwrap().as_str().contains('@'));
        }
    }

    #[test]
    fn a_canary_in_the_userinfo_is_in_no_error_and_no_debug(
        before in "[ -~]{0,8}", between in "[ -~]{0,4}", after in "[ -~]{0,30}",
    ) {
        for url in [
            format!("http://{before}{CANARY}{between}@{after}"),
            format!("http://{before}:{between}{CANARY}@{after}"),
            format!("http://{before}:{between}{CANARY}{after}@proxy.example:1"),
            format!("{before}:{between}{CANARY}@{after}"),
        ] {
            match ProxySettings::url(&url) {
                Ok(settings) => prop_assert!(!format!("{settings:?}").contains(CANARY), "{}", url),
                Err(error) => prop_assert!(!printed(&error).contains(CANARY), "{}", url),
            }
        }
    }

    #[test]
    fn any_credentials_are_read_back(username in "[^:\\p{Cc}]{0,20}", password in "\\P{Cc}{1,20}", port in 1_u16..) {
        let url = format!("http://{}:{}@proxy.example:{port}", encoded(&username), encoded(&password));
        prop_assert_eq!(proxy(&url).port(), port);
        prop_assert_eq!(credentials(&url), Some((username, password)));
    }
}
