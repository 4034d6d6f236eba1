//! The target `base_urls`: any text as a base URL, and any other joined to it, against the URL
//! Standard as `url` has it.
//!
//! An input is two lines: the base URL and a path.

use http::Uri;
use point_auth_core::{BaseUrl, Refresh, SignIn};
use url::Url;

/// Reads a base URL and joins a path to it.
///
/// # Panics
/// When anything that is accepted is read differently by `url`, or is what a base URL must not be.
pub fn base_urls(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (text, path) = text.split_once('\n').unwrap_or((&text, "/"));
    let production = BaseUrl::production();
    if let Ok(uri) = production.join(path) {
        check_joined(&production, path, &uri);
    }
    let Ok(base) = BaseUrl::parse(text) else { return };
    check_base(&base, text);
    for path in [path, SignIn::PATH, Refresh::PATH, "/", "/x/?y"] {
        match base.join(path) {
            Ok(uri) => check_joined(&base, path, &uri),
            Err(_) => assert!(production.join(path).is_err(), "{path} can be joined to some"),
        }
    }
}

fn check_base(base: &BaseUrl, given: &str) {
    let written = base.as_str();
    assert!(!written.ends_with('/'));
    assert_eq!(
        BaseUrl::parse(written).as_ref().map(BaseUrl::as_str),
        Ok(written),
        "not its own normal form"
    );
    assert_eq!(base.to_string(), written);

    let whole: Uri = written.parse().unwrap();
    assert!(
        given
            .split_once("://")
            .is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(whole.scheme_str().unwrap()))
    );
    if whole.scheme_str() == Some("http") {
        let host = whole.host().unwrap();
        assert!(host.starts_with("127.") || host == "[::1]" || host == "localhost", "{host}");
    }
    if is_no_punycode(&whole) {
        return;
    }
    // What was given and what came of it are one place.
    let given = Url::parse(given).unwrap();
    assert_eq!(given.host_str(), whole.host());
    assert_eq!(given.port(), whole.port_u16());
    assert_eq!(given.path().trim_end_matches('/'), whole.path().trim_end_matches('/'));
    assert_eq!(
        (given.username(), given.password(), given.query(), given.fragment()),
        ("", None, None, None)
    );
}

fn check_joined(base: &BaseUrl, path: &str, uri: &Uri) {
    let text = uri.to_string();
    assert_eq!(text, format!("{base}{path}"));
    let whole: Uri = base.as_str().parse().unwrap();
    assert_eq!((uri.scheme(), uri.authority()), (whole.scheme(), whole.authority()));
    if is_no_punycode(&whole) {
        return;
    }
    let url = Url::parse(&text).unwrap();
    assert_eq!(url.as_str(), text, "the URL Standard writes it differently");
    assert_eq!((url.host_str(), url.port()), (uri.host(), uri.port_u16()));
    assert_eq!((url.path(), url.query(), url.fragment()), (uri.path(), uri.query(), None));
    assert_eq!((url.username(), url.password()), ("", None));
    assert!(!uri.path().contains("//"), "an empty segment in {text}");
}

/// A name that only looks like Punycode: the URL Standard refuses it, and no client could ever look it
/// up.
fn is_no_punycode(uri: &Uri) -> bool {
    uri.host().is_some_and(|host| host.contains("xn--")) && Url::parse(&uri.to_string()).is_err()
}
