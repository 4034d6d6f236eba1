//! What no adapter sends to.

use point_auth_transport::{TransportErrorKind, check_target};

use crate::{CANARY, printed};

#[test]
fn absolute_http_and_https_urls_are_targets() {
    for url in ["http://127.0.0.1:80/", "https://api.pointservices.com/a?b", "https://[::1]:8443"] {
        check_target(&url.parse().unwrap(), true).unwrap();
    }
}

#[test]
fn everything_else_is_refused_before_anything_is_sent_and_not_repeated() {
    let canary = CANARY.to_ascii_lowercase();
    for url in ["/path", "example.com", "ftp://example.com/", &format!("https://u:{canary}@example.com/")] {
        let error = check_target(&url.parse().unwrap(), true).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Other, "{url}");
        assert!(!error.may_have_been_sent(), "{url}");
        assert!(!printed(&error).contains(&canary), "{url}");
    }
}

#[test]
fn https_without_tls_is_a_failure_of_tls() {
    let error = check_target(&"https://example.com/".parse().unwrap(), false).unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_sent()), (TransportErrorKind::Tls, false));
    check_target(&"http://127.0.0.1/".parse().unwrap(), false).unwrap();
}
