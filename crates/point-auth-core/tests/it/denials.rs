//! The exact texts of errors.

use std::time::{Duration, SystemTime};

use http::Response;
use point_auth_core::{Credentials, MalformedReason, Operation, ResponseError, RetryAfter, SignIn};

use crate::support::Asked;

fn error(status: u16, headers: &[(&str, &str)], body: &str) -> ResponseError {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Asked::both_with("s3cret")[0].read(&response.body(body).unwrap()).unwrap_err()
}

#[test]
fn each_error_is_one_line_in_lower_case() {
    let html = [("content-type", "text/html")];
    let said = [
        (
            error(
                403,
                &[],
                r#"{"error":"access_denied","error_description":"Invalid combination"}"#,
            ),
            "denied by the server (status 403): access_denied: Invalid combination",
        ),
        (
            error(401, &[], r#"{"error":"access_denied"}"#),
            "denied by the server (status 401): access_denied",
        ),
        (error(502, &html, "<html>"), "unexpected answer: status 502, not JSON (text/html)"),
        (error(502, &[], ""), "unexpected answer: status 502, not JSON"),
        (error(500, &html, "{}"), "unexpected answer: status 500"),
        (error(200, &[], ""), "malformed answer: the body is empty"),
        (error(200, &[], "[]"), "malformed answer: the body is not a JSON object"),
        (error(200, &[], "{}"), "malformed answer: `access_token` is missing"),
        (
            error(200, &[], "{\n x"),
            "malformed answer: the body is not valid JSON at line 2, column 2",
        ),
        (error(200, &[], r#"{"scope":1,"scope":1}"#), "malformed answer: `scope` is given twice"),
        (
            error(200, &[], r#"{"scope":1}"#),
            "malformed answer: `scope` has a value that it cannot have",
        ),
        (error(200, &[], &" ".repeat(70_000)), "malformed answer: the body is too large"),
        (
            ResponseError::malformed(MalformedReason::Other("no claim")),
            "malformed answer: no claim",
        ),
    ];
    for (error, expected) in said {
        assert_eq!(error.to_string(), expected);
        assert!(std::error::Error::source(&error).is_none());
    }
}

#[test]
fn only_the_api_itself_calls_a_failure_temporary() {
    for code in ["server_error", "temporarily_unavailable"] {
        for status in [200, 302, 400, 401, 403, 404, 429, 500, 503] {
            let error = error(status, &[], &format!(r#"{{"error":"{code}"}}"#));
            assert!(
                matches!(error, ResponseError::Unexpected { is_temporary: true, .. }),
                "{status} {code}"
            );
            assert!(error.is_retryable());
        }
    }
    for (status, body) in [
        (404, r#"{"error":"access_denied"}"#),
        (503, r#"{"error":"access_denied"}"#),
        (503, r#"{"error":"server_error","error":"server_error"}"#),
        (503, r#"{"error":["server_error"]}"#),
        (503, "server_error"),
        (503, ""),
    ] {
        let error = error(status, &[], body);
        assert!(
            matches!(error, ResponseError::Unexpected { is_temporary: false, .. }),
            "{status} {body}"
        );
    }
}

#[test]
fn temporary_failures_are_retryable_and_permanent_ones_are_not() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        assert!(error(status, &[], "").is_retryable(), "{status}");
    }
    assert!(error(200, &[], "<html>").is_retryable());
    for status in
        [100, 204, 301, 307, 400, 401, 403, 404, 405, 409, 410, 415, 422, 501, 505, 599, 999]
    {
        assert!(!error(status, &[], "").is_retryable(), "{status}");
    }
    for status in [200, 400, 401, 403] {
        assert!(!error(status, &[], r#"{"error":"access_denied"}"#).is_retryable(), "{status}");
    }
    assert!(!error(200, &[], "{}").is_retryable());
    assert!(!error(200, &[], "{").is_retryable());
}

#[test]
fn no_hostile_text_breaks_the_line() {
    let error = error(403, &[], r#"{"error":"a\r\nb","error_description":"c\u001b[2J\u2028d"}"#);
    assert_eq!(error.to_string().lines().count(), 1);
    assert!(error.to_string().chars().all(|c| !c.is_control()));
}

#[test]
fn the_retry_after_counts_from_now() {
    let error = error(429, &[("retry-after", "120")], "");
    let now = SystemTime::UNIX_EPOCH;
    assert_eq!(
        error.retry_after().map(|wait| wait.delay_from(now)),
        Some(Duration::from_secs(120))
    );
    let date = RetryAfter::At(now + Duration::from_secs(60));
    assert_eq!(date.delay_from(now), Duration::from_secs(60));
    assert_eq!(date.delay_from(now + Duration::from_secs(61)), Duration::ZERO);
    assert_eq!(
        crate::denials::error(403, &[("retry-after", "1")], r#"{"error":"x"}"#).retry_after(),
        None
    );
}

/// Returns the description of a denial after a sign-in with `password`, if the server sends this
/// text.
fn described(password: &str, sent: &str) -> String {
    let body = serde_json::json!({"error": "access_denied", "error_description": sent}).to_string();
    let credentials = Credentials::new("jane", password).unwrap();
    let error = SignIn::new(&credentials).parse_response(&Response::new(body)).unwrap_err();
    error.denial().and_then(|denial| denial.description()).unwrap().to_owned()
}

#[test]
fn a_password_quoted_in_its_json_form_is_withheld() {
    for password in
        ["pass\tword", "\t\t\t", "\"\"\"\"", "\\\\\\", "a\"b c", "a\\b", "a b\n", "plain"]
    {
        let quoted = serde_json::Value::from(password).to_string();
        for sent in [quoted.clone(), format!("you sent {quoted}, no")] {
            assert_eq!(described(password, &sent), "[withheld: it repeats a secret]", "{sent}");
        }
        assert_eq!(described(password, "you sent another"), "you sent another");
    }
}
