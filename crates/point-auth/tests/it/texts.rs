//! The one-line texts of errors, which are equal for all adapters.

use std::error::Error as _;
use std::time::Duration;

use point_auth::http::{Request, Response};
use point_auth::transport::{ProxySettings, TransportSettings};
use point_auth::{BaseUrl, Error, Operation, RequestError, ResponseError, SecretBody, SignIn};
use point_auth_testkit::{
    Certificate, ClosedPort, ConnectProxy, Emulator, Fault, HttpVersions, ProxyBehavior,
    RawBehavior, RawServer,
};

use crate::support::{PASSWORD, USERNAME, all_clients, base_url, credentials, emulator, settings};

/// For an event that is certain to happen on loopback.
const AMPLE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);
/// RFC 6761, section 6.2: no name server resolves it, so only a proxy can reach it.
const BEHIND_A_PROXY: &str = "https://user.example.test";

/// Limits that are reached.
const NO_LIMIT: (Duration, Duration) = (AMPLE, AMPLE);

fn base_at(address: std::net::SocketAddr) -> BaseUrl {
    BaseUrl::parse(&format!("https://{address}")).unwrap()
}

/// Returns the texts of the error of a sign-in and its causes.
fn lines(error: &Error) -> Vec<String> {
    let mut lines = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        lines.push(error.to_string());
        cause = error.source();
    }
    lines
}

/// Signs in over each adapter, each time to a server prepared by `prepare`, and checks the text of
/// the error.
fn all_report(
    settings: &TransportSettings,
    base: &BaseUrl,
    (connect, total): (Duration, Duration),
    prepare: impl Fn(),
    expected: &str,
) {
    let mut all = Vec::new();
    for (name, client) in all_clients(settings, base) {
        prepare();
        let client = client.with_timeouts(connect, total);
        let error = client.execute(&SignIn::new(&credentials())).expect_err(name);
        all.push((name, lines(&error)));
    }
    assert!(all.iter().all(|(_, lines)| lines[0] == expected), "expected {expected}: {all:#?}");
    for (name, lines) in &all {
        for (number, line) in lines.iter().enumerate() {
            assert!(!lines[..number].iter().any(|said| said.contains(line)), "{name}: {lines:#?}");
            assert!(!line.contains(USERNAME) && !line.contains(PASSWORD), "{name}: {lines:#?}");
            assert!(!line.contains("uncategorized"), "{name}: {lines:#?}");
        }
    }
}

#[test]
fn a_refused_connection_names_the_port() {
    let emulator = emulator();
    let closed = ClosedPort::reserve().unwrap();
    let expected = format!("connection to {} refused", closed.addr());
    all_report(&settings(&emulator), &base_at(closed.addr()), NO_LIMIT, || {}, &expected);
}

/// A sign-in at a URL that no base URL can have.
struct Elsewhere(String);

impl Operation for Elsewhere {
    type Output = ();
    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        let mut request = SignIn::new(&credentials()).to_request(base)?;
        *request.uri_mut() = self.0.parse().unwrap();
        Ok(request)
    }

    fn parse_response<B: AsRef<[u8]>>(&self, _: &Response<B>) -> Result<(), ResponseError> {
        Ok(())
    }
}

#[test]
fn an_unknown_name_is_reported() {
    let emulator = emulator();
    // Too long for a label, so that no lookup ever leaves the machine.
    let host = format!("{}.test", "unknown".repeat(11));
    let expected = format!("name look-up of {host}:443 failed");
    for (name, client) in all_clients(&settings(&emulator), &base_url(&emulator)) {
        let error = client.execute(&Elsewhere(format!("https://{host}/"))).expect_err(name);
        assert_eq!(lines(&error), std::slice::from_ref(&expected), "{name}");
    }
}

#[test]
fn a_connection_timeout_differs_from_a_response_timeout() {
    let emulator = emulator();
    let silent = RawServer::start(RawBehavior::Silent).unwrap();
    let expected = format!("connection to {} timed out", silent.addr());
    all_report(&settings(&emulator), &base_at(silent.addr()), (SHORT, AMPLE), || {}, &expected);

    let expected = format!("no complete response from {} in time", emulator.addr());
    let prepare = || emulator.push_fault(Fault::silent());
    all_report(
        &settings(&emulator),
        &base_url(&emulator),
        (AMPLE, Duration::from_secs(1)),
        prepare,
        &expected,
    );
}

#[test]
fn a_bad_certificate_is_reported_as_untrusted_expired_early_or_for_another_host() {
    for (certificate, expected) in [
        (Certificate::UnknownCa, "is not trusted"),
        (Certificate::Expired, "has expired"),
        (Certificate::NotYetValid, "is not valid yet"),
        (Certificate::WrongHost, "is for another host"),
    ] {
        let builder = Emulator::builder().user(USERNAME, PASSWORD).tls(certificate);
        let emulator = builder.start().unwrap();
        let expected = format!("certificate of {} {expected}", emulator.addr());
        all_report(&settings(&emulator), &base_url(&emulator), NO_LIMIT, || {}, &expected);
    }
}

#[test]
fn a_port_without_tls_is_reported() {
    let trusted = emulator();
    let plain = Emulator::builder().http(HttpVersions::Http1Only).start().unwrap();
    let expected = format!("{} does not speak TLS", plain.addr());
    all_report(&settings(&trusted), &base_at(plain.addr()), NO_LIMIT, || {}, &expected);
}

#[test]
fn another_tls_failure_has_the_text_of_the_tls_library() {
    let trusted = emulator();
    // A fatal alert, protocol_version.
    let alert = RawBehavior::Answer((&[21_u8, 3, 3, 0, 2, 2, 70][..]).into());
    let server = RawServer::start(alert).unwrap();
    let expected =
        format!("TLS with {} failed: received fatal alert: ProtocolVersion", server.addr());
    all_report(&settings(&trusted), &base_at(server.addr()), NO_LIMIT, || {}, &expected);
}

/// An emulator that only a proxy can reach, and settings with that proxy.
fn behind(behavior: ProxyBehavior) -> (Emulator, ConnectProxy, TransportSettings) {
    let emulator = emulator();
    let builder = ConnectProxy::builder().map("user.example.test:443", emulator.addr());
    let proxy = builder.behavior(behavior).start().unwrap();
    let url = proxy.url_with_userinfo(&format!("jane:{}", PASSWORD.replace(' ', "-")));
    let settings = settings(&emulator).with_proxy(ProxySettings::url(&url).unwrap());
    (emulator, proxy, settings)
}

#[test]
fn a_proxy_that_wants_credentials_or_opens_no_tunnel_is_named_without_credentials() {
    let base = BaseUrl::parse(BEHIND_A_PROXY).unwrap();
    for status in [407, 403, 502] {
        let (_emulator, proxy, settings) = behind(ProxyBehavior::Refuse(status));
        let expected = match status {
            407 => format!("proxy {} requires other credentials", proxy.addr()),
            _ => format!("proxy {} opened no tunnel to user.example.test:443", proxy.addr()),
        };
        all_report(&settings, &base, NO_LIMIT, || {}, &expected);
    }
    for behavior in [ProxyBehavior::Close, ProxyBehavior::Garbage("garbage\r\n\r\n".into())] {
        let (_emulator, proxy, settings) = behind(behavior);
        let expected = format!("proxy {} opened no tunnel to user.example.test:443", proxy.addr());
        all_report(&settings, &base, NO_LIMIT, || {}, &expected);
    }
}

#[test]
fn a_proxy_that_cannot_be_reached_is_named_in_place_of_the_server() {
    let emulator = emulator();
    let base = BaseUrl::parse(BEHIND_A_PROXY).unwrap();
    let closed = ClosedPort::reserve().unwrap();
    let no_name = format!("{}.test", "unknown".repeat(11));
    for (proxy, expected) in [
        (closed.addr().to_string(), format!("connection to proxy {} refused", closed.addr())),
        (format!("{no_name}:3128"), format!("name look-up of proxy {no_name}:3128 failed")),
    ] {
        let url = format!("http://jane:secret@{proxy}");
        let settings = settings(&emulator).with_proxy(ProxySettings::url(&url).unwrap());
        all_report(&settings, &base, NO_LIMIT, || {}, &expected);
    }
    let (_emulator, proxy, settings) = behind(ProxyBehavior::Silent);
    let expected =
        format!("connection to user.example.test:443 through proxy {} timed out", proxy.addr());
    all_report(&settings, &base, (SHORT, AMPLE), || {}, &expected);
}

#[test]
fn a_connection_that_is_cut_anywhere_is_reported_as_closed() {
    for versions in [HttpVersions::Http1Only, HttpVersions::Both] {
        let builder = Emulator::builder().user(USERNAME, PASSWORD).with_tls().http(versions);
        let emulator = builder.start().unwrap();
        let expected =
            format!("connection to {} closed before the response was complete", emulator.addr());
        for fault in [
            Fault::close_after_request(),
            Fault::reset(),
            Fault::pass().cut_after(0),
            Fault::pass().cut_after(20),
            Fault::pass().cut_after(600),
            Fault::pass().chunked().cut_after(600),
        ] {
            let prepare = || emulator.push_fault(fault.clone());
            all_report(&settings(&emulator), &base_url(&emulator), NO_LIMIT, prepare, &expected);
        }
    }
}

#[test]
fn an_answer_that_is_too_large_or_not_http_is_reported() {
    for versions in [HttpVersions::Http1Only, HttpVersions::Both] {
        let builder = Emulator::builder().user(USERNAME, PASSWORD).with_tls().http(versions);
        let emulator = builder.start().unwrap();
        for (fault, expected) in [
            (Fault::respond(200).endless_body(), "response from ADDRESS is too large"),
            (Fault::raw("garbage\r\n\r\n"), "no valid HTTP response from ADDRESS"),
            (Fault::raw("HTTP/1.1 abc OK\r\n\r\n"), "no valid HTTP response from ADDRESS"),
        ] {
            let prepare = || emulator.push_fault(fault.clone());
            let expected = expected.replace("ADDRESS", &emulator.addr().to_string());
            all_report(&settings(&emulator), &base_url(&emulator), NO_LIMIT, prepare, &expected);
        }
    }
}
