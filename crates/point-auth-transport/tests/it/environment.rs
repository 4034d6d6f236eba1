//! The proxy from the environment. The environment here is a list, so that the process's own is not
//! touched.

use std::ffi::OsString;

use http::Uri;
use point_auth_transport::{ProxyResolver, ProxySettings, SettingsError};

use crate::{CANARY, printed};

fn resolve(variables: &[(&str, &str)]) -> Result<ProxyResolver, SettingsError> {
    ProxySettings::from_environment().resolve_with(|name| {
        variables
            .iter()
            .find(|(variable, _)| *variable == name)
            .map(|(_, value)| OsString::from(value))
    })
}

/// Returns the host of the proxy for a request to the API.
fn proxy(variables: &[(&str, &str)]) -> Option<String> {
    let resolver = resolve(variables).unwrap();
    resolver
        .proxy_for(&Uri::from_static("https://api.pointservices.com/"))
        .map(|proxy| proxy.host().to_owned())
}

#[test]
fn an_empty_environment_names_no_proxy() {
    assert_eq!(proxy(&[]), None);
    assert_eq!(proxy(&[("HTTP_PROXY", "http://plain"), ("http_proxy", "http://plain")]), None);
}

#[test]
fn the_variable_for_https_comes_before_that_for_all_and_lower_case_before_upper_case() {
    let mut variables = vec![
        ("https_proxy", "http://first"),
        ("HTTPS_PROXY", "http://second"),
        ("all_proxy", "http://third"),
        ("ALL_PROXY", "http://fourth"),
    ];
    for expected in ["first", "second", "third", "fourth"] {
        assert_eq!(proxy(&variables).as_deref(), Some(expected));
        variables.remove(0);
    }
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    assert_eq!(
        proxy(&[("https_proxy", ""), ("HTTPS_PROXY", " "), ("ALL_PROXY", "http://all")]).as_deref(),
        Some("all")
    );
    assert_eq!(proxy(&[("HTTPS_PROXY", "http://p"), ("no_proxy", ""), ("NO_PROXY", "*")]), None);
}

#[test]
fn no_proxy_lists_what_is_reached_directly() {
    let list = ("NO_PROXY", "pointservices.com");
    assert_eq!(proxy(&[("HTTPS_PROXY", "http://p"), list]), None);
    assert_eq!(
        proxy(&[("HTTPS_PROXY", "http://p"), ("no_proxy", "other.example"), list]).as_deref(),
        Some("p")
    );
}

#[test]
fn a_list_in_the_settings_replaces_the_one_in_the_environment() {
    let settings = ProxySettings::from_environment().with_no_proxy("other.example");
    let resolver = settings
        .resolve_with(|name| match name {
            "HTTPS_PROXY" => Some("http://p".into()),
            "NO_PROXY" => Some("*".into()),
            _ => None,
        })
        .unwrap();
    assert!(resolver.proxy_for(&Uri::from_static("https://api.pointservices.com/")).is_some());
    assert!(resolver.proxy_for(&Uri::from_static("https://other.example/")).is_none());
}

#[test]
fn settings_with_a_proxy_or_none_ignore_the_environment() {
    for settings in [ProxySettings::none(), ProxySettings::url("http://p").unwrap()] {
        settings.resolve_with(|name| panic!("{name} was looked at")).unwrap();
    }
    assert!(ProxySettings::none().resolve().unwrap().proxy().is_none());
}

#[test]
fn a_proxy_of_another_scheme_in_the_environment_is_an_error_that_names_the_variable() {
    let error = resolve(&[("ALL_PROXY", "socks5://proxy.example:1080")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the proxy in `ALL_PROXY` has the scheme `socks5`, only `http` is supported"
    );
    assert!(matches!(error, SettingsError::ProxyScheme { variable: Some("ALL_PROXY"), .. }));
}

#[test]
fn an_error_names_its_variable_and_does_not_repeat_the_value() {
    for counts in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        for value in [
            format!("http://user:{CANARY}@proxy example"),
            format!("http://user:{CANARY}@proxy.example:x"),
            format!("http://user:{CANARY}@"),
            format!("http://user:pass/{CANARY}@proxy.example"),
            format!("http://user%3a:{CANARY}@proxy.example"),
            format!("http://user:{CANARY}%0a@proxy.example"),
            format!("no scheme {CANARY}://proxy.example"),
        ] {
            let error = resolve(&[(counts, &value)]).unwrap_err();
            let SettingsError::ProxyUrl { variable, .. } = &error else { panic!("{error:?}") };
            assert_eq!(*variable, Some(counts), "{value}");
            let expected = format!("the proxy URL in `{counts}` is not valid: ");
            assert!(error.to_string().starts_with(&expected), "{error}");
            assert!(!printed(&error).contains(CANARY), "{error:?}");
        }
    }
}

#[test]
fn a_proxy_has_the_name_of_its_variable_if_there_is_one() {
    let named = resolve(&[("all_proxy", "http://user:password@p")]).unwrap();
    assert_eq!(named.proxy().unwrap().variable(), Some("all_proxy"));
    let set = ProxySettings::url("http://p").unwrap().resolve().unwrap();
    assert_eq!(set.proxy().unwrap().variable(), None);
}

#[test]
fn an_error_in_a_url_of_the_settings_names_no_variable() {
    let error = ProxySettings::url("http://").unwrap_err();
    assert_eq!(error.to_string(), "the proxy URL is not valid: it has no valid host");
    let error = ProxySettings::url("socks5://p").unwrap_err();
    assert_eq!(error.to_string(), "the proxy has the scheme `socks5`, only `http` is supported");
}

#[test]
fn a_settings_error_can_be_cloned_with_its_causes() {
    let error = SettingsError::client(&std::io::Error::from(std::io::ErrorKind::TimedOut));
    let copy = error.clone();
    assert_eq!(printed(&copy), printed(&error));
    assert!(std::error::Error::source(&copy).is_some());
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_an_error_if_it_counts() {
    use std::os::unix::ffi::OsStringExt;

    let broken = || Some(OsString::from_vec(b"http://\xff".to_vec()));
    let settings = ProxySettings::from_environment();
    let error =
        settings.resolve_with(|name| (name == "all_proxy").then(broken).flatten()).unwrap_err();
    assert!(matches!(error, SettingsError::Environment { variable: "all_proxy" }), "{error:?}");
    let error = settings
        .resolve_with(|name| match name {
            "HTTPS_PROXY" => Some("http://p".into()),
            "NO_PROXY" => broken(),
            _ => None,
        })
        .unwrap_err();
    assert_eq!(error.to_string(), "the environment variable `NO_PROXY` is not Unicode");

    // The list is not needed without a proxy, nor the second variable when the first is set.
    settings.resolve_with(|name| (name == "NO_PROXY").then(broken).flatten()).unwrap();
    let resolver = settings
        .resolve_with(|name| match name {
            "https_proxy" => Some("http://p".into()),
            "ALL_PROXY" => broken(),
            _ => None,
        })
        .unwrap();
    assert!(resolver.proxy().is_some());
}
