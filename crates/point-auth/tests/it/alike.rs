//! All adapters behave alike for a caller.

use http::{HeaderValue, Request, Response};
use point_auth::operation::{json_post, success_body};
use point_auth::{
    BaseUrl, Credentials, Error, ErrorKind, Operation, Refresh, RefreshToken, RequestError,
    ResponseError, SecretBody, SignIn, TokenSet,
};
use point_auth_testkit::{Certificate, Emulator, Fault, HttpVersions};

use crate::support::{PASSWORD, USERNAME, all_clients, base_url, credentials, emulator, settings};

/// The visible facts of an error.
type Seen = (ErrorKind, bool, bool, Option<u16>, Option<String>, String);

fn seen(error: &Error) -> Seen {
    (
        error.kind(),
        error.is_retryable(),
        error.may_have_been_sent(),
        error.status().map(|status| status.as_u16()),
        error.denial().map(|denial| denial.code().to_owned()),
        error.to_string(),
    )
}

/// Signs in once over each adapter, each time to a server prepared by `prepare`, and checks that
/// all get an equal error.
fn sign_in_fails_alike(prepare: impl Fn(&Emulator)) -> Seen {
    let emulator = emulator();
    let mut all = Vec::new();
    for (name, client) in all_clients(&settings(&emulator), &base_url(&emulator)) {
        prepare(&emulator);
        let error = client.execute(&SignIn::new(&credentials())).expect_err(name);
        all.push((name, seen(&error)));
    }
    let (_, first) = all.first().cloned().unwrap();
    assert!(all.iter().all(|(_, other)| *other == first), "{all:#?}");
    first
}

#[test]
fn all_adapters_sign_in_and_refresh_in_one_process_with_two_crypto_providers() {
    let emulator = emulator();
    for (name, client) in all_clients(&settings(&emulator), &base_url(&emulator)) {
        let credentials = credentials().with_user_alias("jane").unwrap();
        let tokens: TokenSet = client.execute(&SignIn::new(&credentials)).expect(name);
        let refresh_token = tokens.refresh_token().expect(name);
        let again = client.execute(&Refresh::new(refresh_token)).expect(name);
        assert_ne!(again.access_token(), tokens.access_token(), "{name}");
        assert_eq!(again.refresh_token(), Some(refresh_token), "{name}");
    }
    assert_eq!(emulator.count_for(USERNAME, point_auth_testkit::Operation::SignIn), 3);
}

#[test]
fn a_wrong_password_is_an_equal_denial() {
    let emulator = emulator();
    let wrong = Credentials::new(USERNAME, "incorrect horse").unwrap();
    for (name, client) in all_clients(&settings(&emulator), &base_url(&emulator)) {
        let error = client.execute(&SignIn::new(&wrong)).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Denied, "{name}");
        assert_eq!(error.denial().unwrap().code(), "access_denied", "{name}");
        assert_eq!(error.status(), Some(http::StatusCode::FORBIDDEN), "{name}");
        assert!(!error.is_retryable(), "{name}");
    }
}

/// An operation of the user's, whose response is an error object.
struct Own;

impl Operation for Own {
    type Output = ();
    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        json_post(base, "/own", SecretBody::default())
    }

    fn parse_response<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<(), ResponseError> {
        success_body(response, Self::MAX_RESPONSE_BYTES, &[]).map(drop)
    }
}

#[test]
fn a_refused_operation_differs_from_a_denied_sign_in_or_refresh() {
    let emulator = emulator();
    let refresh_token = RefreshToken::new("unknown").unwrap();
    for (name, client) in all_clients(&settings(&emulator), &base_url(&emulator)) {
        for status in [400, 403] {
            let refusal = || Fault::respond(status).json(r#"{"error": "access_denied"}"#);
            emulator.push_fault(refusal());
            let refused = client.execute(&Own).expect_err(name);
            emulator.push_fault(refusal());
            let denied = client.execute(&SignIn::new(&credentials())).expect_err(name);
            emulator.push_fault(refusal());
            let rejected = client.execute(&Refresh::new(&refresh_token)).expect_err(name);
            emulator.push_fault(refusal());
            let signed_in = client.sign_in(&credentials()).expect_err(name);
            let errors = [refused, denied, rejected, signed_in];
            assert_eq!(
                errors.each_ref().map(Error::kind),
                [ErrorKind::Refused, ErrorKind::Denied, ErrorKind::Denied, ErrorKind::Denied]
            );
            for error in errors {
                assert_eq!(error.denial().unwrap().code(), "access_denied", "{name}");
                assert!(!error.is_retryable() && error.may_have_been_sent(), "{name}");
            }
        }
    }
}

#[test]
fn a_gateway_without_a_server_behind_it_is_an_equal_temporary_failure() {
    let seen = sign_in_fails_alike(|emulator| emulator.push_fault(Fault::html(502)));
    assert_eq!((seen.0, seen.1, seen.3), (ErrorKind::Unexpected, true, Some(502)));
}

#[test]
fn a_redirect_is_an_equal_unexpected_answer() {
    let seen = sign_in_fails_alike(|emulator| {
        emulator.push_fault(Fault::redirect(307, "https://example.invalid/"));
    });
    assert_eq!((seen.0, seen.1, seen.3), (ErrorKind::Unexpected, false, Some(307)));
}

#[test]
fn an_answer_that_is_too_large_is_an_equal_error() {
    let seen =
        sign_in_fails_alike(|emulator| emulator.push_fault(Fault::respond(200).endless_body()));
    assert_eq!((seen.0, seen.1, seen.2), (ErrorKind::TooLarge, false, true));
}

#[test]
fn a_connection_closed_after_the_request_is_an_equal_error_that_may_have_been_sent() {
    let seen = sign_in_fails_alike(|emulator| emulator.push_fault(Fault::close_after_request()));
    assert_eq!((seen.0, seen.1, seen.2), (ErrorKind::Protocol, true, true));
}

#[test]
fn a_certificate_of_another_authority_is_an_equal_error_and_nothing_was_sent() {
    let trusted = emulator();
    let other =
        Emulator::builder().user(USERNAME, PASSWORD).tls(Certificate::UnknownCa).start().unwrap();
    for (name, client) in all_clients(&settings(&trusted), &base_url(&other)) {
        let error = client.execute(&SignIn::new(&credentials())).expect_err(name);
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (ErrorKind::Tls, false),
            "{name}: {error:?}"
        );
        assert!(!error.may_have_been_sent(), "{name}");
    }
    assert_eq!(other.bytes_received(), 0);
}

#[test]
fn a_server_that_is_gone_is_an_equal_error_and_nothing_was_sent() {
    let emulator = emulator();
    let clients = all_clients(&settings(&emulator), &base_url(&emulator));
    emulator.stop();
    for (name, client) in clients {
        let error = client.execute(&SignIn::new(&credentials())).expect_err(name);
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (ErrorKind::Connect, true),
            "{name}: {error:?}"
        );
        assert!(!error.may_have_been_sent(), "{name}");
    }
}

#[test]
fn an_operation_cannot_change_the_framing_of_its_request() {
    struct Lying;

    impl Operation for Lying {
        type Output = ();

        fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
            let mut request = SignIn::new(&credentials()).to_request(base)?;
            for (name, value) in [
                ("host", "one.example"),
                ("host", "two.example"),
                ("content-length", "5"),
                ("transfer-encoding", "chunked"),
                ("expect", "100-continue"),
                ("proxy-authorization", "Basic secret"),
            ] {
                request.headers_mut().append(name, HeaderValue::from_static(value));
            }
            Ok(request)
        }

        fn parse_response<B: AsRef<[u8]>>(
            &self,
            response: &Response<B>,
        ) -> Result<(), ResponseError> {
            SignIn::new(&credentials()).parse_response(response).map(drop)
        }
    }

    for versions in [HttpVersions::Http1Only, HttpVersions::Both] {
        let emulator =
            Emulator::builder().user(USERNAME, PASSWORD).with_tls().http(versions).start().unwrap();
        for (name, client) in all_clients(&settings(&emulator), &base_url(&emulator)) {
            client.execute(&Lying).expect(name);
        }
        for request in emulator.requests() {
            assert_eq!(
                request
                    .uri()
                    .host()
                    .or(request.header("host"))
                    .map(|host| host.contains("example")),
                Some(false)
            );
            for header in ["transfer-encoding", "expect", "proxy-authorization"] {
                assert_eq!(request.header(header), None);
            }
            assert_eq!(
                request.header("content-length"),
                Some(request.body().len().to_string().as_str())
            );
        }
    }
}

#[test]
fn no_error_of_any_adapter_shows_a_secret() {
    let emulator = emulator();
    for (name, client) in all_clients(&settings(&emulator), &base_url(&emulator)) {
        for fault in [
            Fault::respond(403).json(format!(
                r#"{{"error": "access_denied", "error_description": "{PASSWORD}?"}}"#
            )),
            Fault::respond(500).header("content-type", format!("text/{PASSWORD}")).body(PASSWORD),
            Fault::respond(200).json(format!(r#"{{"access_token": "{PASSWORD}"}}"#)),
            Fault::raw(format!("HTTP/1.1 {PASSWORD}\r\n\r\n")),
        ] {
            emulator.push_fault(fault);
            let error = client.execute(&SignIn::new(&credentials())).expect_err(name);
            let mut shown = format!("{error} {error:?} {error:#?}");
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                shown.push_str(&format!("{error} {error:?}"));
                cause = error.source();
            }
            assert!(!shown.contains(PASSWORD), "{name}: {shown}");
        }
    }
}

/// Without this, the first test would not show that it avoids the panic.
#[test]
fn a_configuration_from_the_process_default_panics_here() {
    let panicked = std::panic::catch_unwind(rustls::ClientConfig::builder).is_err();
    assert!(panicked, "only one crypto provider is compiled in");
}
