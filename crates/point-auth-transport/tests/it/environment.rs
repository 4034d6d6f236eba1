//! The proxy that the environment names. The environment here is a list: nothing touches the one of the process.

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

/// The host of the proxy for a request to the API.
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
fn a_list_in_the_settings_takes_the_place_of_the_one_in_the_environment() {
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
fn settings_that_name_a_proxy_or_none_do_not_look_at_the_environment() {
    for settings in [ProxySettings::none(), ProxySettings::url("http://p").unwrap()] {
        settings.resolve_with(|name| panic!("{name} was looked at")).unwrap();
    }
    assert!(ProxySettings::none().resolve().unwrap().proxy().is_none());
}

#[test]
fn a_proxy_of_another_scheme_in_the_environment_is_an_error() {
    let error = resolve(&[("ALL_PROXY", "socks5://proxy.example:1080")]).unwrap_err();
    assert!(
        matches!(&error, SettingsError::ProxyScheme { scheme } if scheme == "socks5"),
        "{error:?}"
    );
}

#[test]
fn an_error_does_not_repeat_the_variable() {
    let value = format!("http://user:{CANARY}@proxy example");
    let error = resolve(&[("HTTPS_PROXY", &value)]).unwrap_err();
    assert!(!printed(&error).contains(CANARY));
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

    // Nobody needs the list without a proxy, nor the second variable when there is the first.
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
