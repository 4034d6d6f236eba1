//! One error type for all: kinds, retryability and causes.

use std::error::Error as _;
use std::io;
use std::time::{Duration, SystemTime};

use http::{Request, Response, StatusCode};
use point_auth::transport::{SendLimits, TransportError, TransportErrorKind};
use point_auth::{Error, ErrorKind, MalformedReason, ResponseError, SecretBody, blocking};

use crate::support::{Canned, credentials};

fn failed(error: impl Fn() -> TransportError + Send + Sync) -> Error {
    let transport = Canned(move |_: &Request<SecretBody>, _: &SendLimits| Err(error()));
    blocking::Client::new(transport).sign_in(&credentials()).unwrap_err()
}

fn answered(status: u16, retry_after: Option<&'static str>, body: &'static str) -> Error {
    let transport = Canned(move |_: &Request<SecretBody>, _: &SendLimits| {
        let mut response = Response::new(SecretBody::new(body.into()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(retry_after) = retry_after {
            response.headers_mut().insert("retry-after", retry_after.parse().unwrap());
        }
        Ok(response)
    });
    blocking::Client::new(transport).sign_in(&credentials()).unwrap_err()
}

#[test]
fn each_failure_of_a_transport_has_its_kind() {
    for (from, to, retryable) in [
        (TransportErrorKind::Connect, ErrorKind::Connect, true),
        (TransportErrorKind::Tls, ErrorKind::Tls, false),
        (TransportErrorKind::Timeout, ErrorKind::Timeout, true),
        (TransportErrorKind::TooLarge, ErrorKind::TooLarge, false),
        (TransportErrorKind::Protocol, ErrorKind::Protocol, true),
        (TransportErrorKind::Other, ErrorKind::Transport, false),
    ] {
        let error = failed(|| TransportError::new(from));
        assert_eq!((error.kind(), error.is_retryable()), (to, retryable));
        assert!(error.may_have_been_sent());
        assert!(!failed(|| TransportError::new(from).not_sent()).may_have_been_sent());
        assert_eq!((error.status(), error.retry_after(), error.denial()), (None, None, None));
    }
}

#[test]
fn temporary_statuses_are_retryable() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let error = answered(status, None, "");
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unexpected, true), "{status}");
    }
    for status in [301, 307, 404, 405, 409, 410, 413, 501, 505] {
        let error = answered(status, None, "");
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (ErrorKind::Unexpected, false),
            "{status}"
        );
    }
}

#[test]
fn the_page_of_a_captive_portal_is_temporary_and_a_malformed_answer_is_not() {
    let portal = answered(200, None, "<html>sign in to the network</html>");
    assert_eq!((portal.kind(), portal.is_retryable()), (ErrorKind::Unexpected, true));
    let odd = answered(200, None, "{}");
    assert_eq!((odd.kind(), odd.is_retryable()), (ErrorKind::Malformed, false));
}

#[test]
fn a_failure_that_the_api_calls_temporary_is_retryable_whatever_the_status() {
    for status in [200, 400, 403, 501] {
        let error = answered(status, None, r#"{"error": "temporarily_unavailable"}"#);
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unexpected, true), "{status}");
    }
}

#[test]
fn a_denial_has_the_text_of_the_server() {
    let error =
        answered(403, None, r#"{"error": "access_denied", "error_description": "No such user"}"#);
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Denied, false));
    assert_eq!(error.denial().unwrap().description(), Some("No such user"));
    assert_eq!(error.to_string(), "denied by the server (status 403): access_denied: No such user");
}

#[test]
fn retry_after_is_a_duration_in_either_form() {
    let seconds = answered(429, Some("120"), "").retry_after();
    assert_eq!(seconds, Some(Duration::from_secs(120)));
    let past = answered(503, Some("Sun, 06 Nov 1994 08:49:37 GMT"), "").retry_after();
    assert_eq!(past, Some(Duration::ZERO));
    let year_2100 = Duration::from_secs(4_102_444_800);
    let earliest = SystemTime::now();
    let date = answered(503, Some("Fri, 01 Jan 2100 00:00:00 GMT"), "").retry_after().unwrap();
    let latest = SystemTime::now();
    let left = |now| (SystemTime::UNIX_EPOCH + year_2100).duration_since(now).unwrap();
    assert!(left(latest) <= date && date <= left(earliest), "{date:?}");
}

#[test]
fn errors_of_a_custom_transport_have_a_route_and_each_cause_once() {
    let error = failed(|| {
        let cause = io::Error::from_raw_os_error(111);
        TransportError::classify(&cause, TransportErrorKind::Other)
    });
    assert_eq!(error.to_string(), "connection to api.pointservices.com:443 refused");
    assert!(error.source().is_none());

    let error = failed(|| {
        TransportError::new(TransportErrorKind::Connect).with_source(io::Error::other(
            io::Error::new(io::ErrorKind::NotFound, "no such socket"),
        ))
    });
    let expected = "connection to api.pointservices.com:443 failed: no such socket";
    assert_eq!(error.to_string(), expected);
    assert!(error.source().is_none());
}

#[test]
fn an_error_can_be_shared_and_inspected() {
    let error = failed(|| TransportError::new(TransportErrorKind::Timeout).not_sent());
    let another = error.clone();
    assert_eq!(another.as_transport().map(TransportError::kind), Some(TransportErrorKind::Timeout));
    assert!(error.as_response().is_none());

    let error = answered(200, None, "[]");
    let malformed = ResponseError::malformed(MalformedReason::NotAnObject);
    assert_eq!((error.as_response(), error.as_transport().is_none()), (Some(&malformed), true));
}
