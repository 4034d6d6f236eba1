//! Shared helpers: the user, the settings, and functions to sign in.

use std::time::Duration;

use http::{Request, Response};
use point_auth_core::{BaseUrl, Credentials, Operation, SecretBody, SignIn, TokenSet};
use point_auth_testkit::{Emulator, EmulatorBuilder};
use point_auth_transport::{
    BlockingTransport, ProxySettings, Roots, SendLimits, TlsSettings, TransportError,
    TransportErrorKind, TransportSettings,
};
use point_auth_ureq::UreqTransport;

pub(crate) const USER: &str = "user@example.com";
pub(crate) const PASSWORD: &str = "cAnArY-pa55word";

/// Generous: no test should take this long, and no hanging test should succeed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Short, for servers that do not answer.
pub(crate) const BRIEF: Duration = Duration::from_millis(200);

pub(crate) fn plain() -> Emulator {
    emulator(|builder| builder)
}

pub(crate) fn tls() -> Emulator {
    emulator(EmulatorBuilder::with_tls)
}

pub(crate) fn emulator(setup: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder) -> Emulator {
    setup(Emulator::builder().user(USER, PASSWORD)).start().unwrap()
}

/// Trusts only the emulator.
pub(crate) fn trusting(emulator: &Emulator) -> TlsSettings {
    TlsSettings::new()
        .with_roots(Roots::ExtraOnly)
        .with_extra_roots_pem(emulator.ca_pem().as_bytes())
        .unwrap()
}

pub(crate) fn settings(emulator: &Emulator) -> TransportSettings {
    TransportSettings::new().with_tls(trusting(emulator)).with_proxy(ProxySettings::none())
}

pub(crate) fn transport(emulator: &Emulator) -> UreqTransport {
    UreqTransport::with_settings(&settings(emulator)).unwrap()
}

pub(crate) fn sign_in_request(base: &str) -> Request<SecretBody> {
    let credentials = Credentials::new(USER, PASSWORD).unwrap();
    SignIn::new(&credentials).to_request(&BaseUrl::parse(base).unwrap()).unwrap()
}

pub(crate) fn send(
    transport: &UreqTransport,
    base: &str,
    limits: SendLimits,
) -> Result<Response<SecretBody>, TransportError> {
    transport.send(sign_in_request(base), &limits)
}

/// Signs in, which must work.
pub(crate) fn sign_in(transport: &UreqTransport, base: &str) -> TokenSet {
    let response = send(transport, base, SendLimits::new()).unwrap();
    let credentials = Credentials::new(USER, PASSWORD).unwrap();
    SignIn::new(&credentials).parse_response(&response).unwrap()
}

/// Fails to sign in, with this kind, and with a request that was possibly or certainly not sent.
#[track_caller]
pub(crate) fn fails(
    outcome: Result<Response<SecretBody>, TransportError>,
    kind: TransportErrorKind,
    may_have_been_sent: bool,
) -> String {
    let error = outcome.map(|response| response.status()).unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_sent()), (kind, may_have_been_sent), "{error:?}");
    let causes =
        std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let text: String = causes.map(|cause| format!("{cause} {cause:?}\n")).collect();
    assert!(!text.contains(PASSWORD), "{text}");
    text
}
