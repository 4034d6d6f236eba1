//! Shared helpers: an emulator with one user, a transport that trusts it, and one sign-in.

use std::error::Error;

use crate::Adapter;
use http::{Request, Response};
use point_auth_core::{BaseUrl, Credentials, Operation, SecretBody, SignIn};
use point_auth_testkit::{Emulator, EmulatorBuilder};
use point_auth_transport::{
    AsyncTransport, ProxySettings, Roots, SendLimits, TlsSettings, TransportError,
    TransportSettings,
};

pub(crate) const USERNAME: &str = "jane.doe";
pub(crate) const PASSWORD: &str = "canary-horse-battery";

/// An emulator with one user that may sign in.
pub(crate) fn emulator() -> EmulatorBuilder {
    Emulator::builder().user(USERNAME, PASSWORD)
}

/// Settings that trust only the emulator and use no proxy.
pub(crate) fn settings(emulator: &Emulator) -> TransportSettings {
    TransportSettings::new().with_tls(tls(emulator)).with_proxy(ProxySettings::none())
}

pub(crate) fn tls(emulator: &Emulator) -> TlsSettings {
    TlsSettings::new()
        .with_roots(Roots::ExtraOnly)
        .with_extra_roots_pem(emulator.ca_pem().as_bytes())
        .unwrap()
}

pub(crate) fn transport(emulator: &Emulator) -> Adapter {
    Adapter::with_settings(&settings(emulator)).unwrap()
}

pub(crate) fn sign_in_request(base: &str) -> Request<SecretBody> {
    let credentials = Credentials::new(USERNAME, PASSWORD).unwrap();
    SignIn::new(&credentials).to_request(&BaseUrl::parse(base).unwrap()).unwrap()
}

pub(crate) async fn sign_in(
    transport: &Adapter,
    base: &str,
) -> Result<Response<SecretBody>, TransportError> {
    transport.send(sign_in_request(base), &SendLimits::new()).await
}

pub(crate) fn assert_tokens(response: &Response<SecretBody>) {
    let credentials = Credentials::new(USERNAME, PASSWORD).unwrap();
    let tokens = SignIn::new(&credentials).parse_response(response).unwrap();
    assert!(!tokens.access_token().expose().is_empty());
}

/// An error shows host and port, but no password, no URL, and no text of the client.
pub(crate) fn assert_shows_no_more(error: &TransportError) {
    let mut shown = format!("{error:?}");
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        shown += &format!(" {error} {error:?}");
        cause = error.source();
    }
    for secret in [PASSWORD, USERNAME, "signInWithPassword", "http://", "https://"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
