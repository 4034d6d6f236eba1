//! What reqwest alone refuses, and what its transport shows.

use http::Request;
use point_auth_core::SecretBody;
use point_auth_reqwest::ReqwestTransport;
use point_auth_transport::{
    AsyncTransport, ProxySettings, SendLimits, SettingsError, TransportErrorKind, TransportSettings,
};

use crate::support::{assert_shows_no_more, emulator, transport};

#[tokio::test]
async fn a_uri_that_is_no_url_is_refused_without_a_panic() {
    let trusted = emulator().start().unwrap();
    let request = Request::post("http://999.999.999.999/");
    let request = request.body(SecretBody::new(b"{}".to_vec())).unwrap();
    let error = transport(&trusted).send(request, &SendLimits::new()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Other);
    assert!(!error.may_have_been_sent());
    assert_shows_no_more(&error);
}

#[test]
fn what_cannot_be_built_is_a_settings_error() {
    let unsupported = ProxySettings::url("socks5://127.0.0.1:1080").unwrap_err();
    assert!(matches!(unsupported, SettingsError::ProxyScheme { .. }));
    let settings = TransportSettings::new()
        .with_proxy(ProxySettings::url("http://999.999.999.999:1").unwrap());
    assert!(matches!(
        ReqwestTransport::with_settings(&settings),
        Err(SettingsError::ProxyUrl { .. })
    ));
}

#[test]
fn debug_shows_no_more_than_whose_client_it_is() {
    let emulator = emulator().start().unwrap();
    assert_eq!(format!("{:?}", transport(&emulator)), "ReqwestTransport { brought: false, .. }");
}
