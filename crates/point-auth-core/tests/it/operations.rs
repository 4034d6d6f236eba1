//! Custom operations, built from the functions of the core.

use http::{Request, Response, StatusCode};
use point_auth_core::{
    BaseUrl, Field, MalformedReason, Operation, RequestError, ResponseError, SecretBody, operation,
};

/// Reads any JSON as a number of bytes.
struct Measure;

impl Operation for Measure {
    type Output = usize;
    const MAX_RESPONSE_BYTES: usize = 64;

    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        operation::json_post(base, "/measure", SecretBody::json(&())?)
    }

    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<usize, ResponseError> {
        operation::success_body(response, Self::MAX_RESPONSE_BYTES, &["s3cret"]).map(<[u8]>::len)
    }
}

fn read(status: u16, body: &str) -> Result<usize, ResponseError> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Measure.parse_response(&response)
}

#[test]
fn any_json_is_a_success() {
    for body in
        ["{}", "[]", "1", "null", "\"x\"", r#"{"access_token":1,"access_token":2}"#, " {}\n"]
    {
        assert_eq!(read(200, body), Ok(body.len()), "{body}");
    }
    assert_eq!(read(204, ""), Ok(0));
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_body() {
    assert_eq!(read(200, "\u{feff}{}"), Ok(2));
    assert_eq!(read(200, "\u{feff}"), Ok(0));
}

#[test]
fn a_denial_with_a_duplicate_field_is_a_denial() {
    for body in [r#"{"error":"access_denied"}"#, r#"{"error":"access_denied","scope":1,"scope":2}"#]
    {
        for status in [200, 400, 401, 403] {
            let error = read(status, body).unwrap_err();
            assert_eq!(
                error.denial().map(|denial| denial.code()),
                Some("access_denied"),
                "{status} {body}"
            );
        }
    }
}

#[test]
fn a_duplicate_error_field_is_no_success() {
    let duplicate = ResponseError::malformed(MalformedReason::Duplicate(Field::Error));
    for body in [
        r#"{"error":null,"error":"access_denied"}"#,
        r#"{"scope":1,"scope":1,"error":null,"error":"access_denied"}"#,
    ] {
        assert_eq!(read(200, body), Err(duplicate.clone()), "{body}");
    }
}

#[test]
fn a_body_that_is_too_large_broken_or_not_json_is_refused() {
    let reason = |body: &str| match read(200, body) {
        Err(ResponseError::Malformed { reason, .. }) => Some(reason),
        _ => None,
    };
    assert_eq!(reason(&format!("[{}]", " ".repeat(63))), Some(MalformedReason::TooLarge));
    assert_eq!(read(200, &format!("[{}]", " ".repeat(62))), Ok(64));
    assert_eq!(reason("{"), Some(MalformedReason::Syntax));
    assert!(matches!(read(200, "<html>"), Err(ResponseError::Unexpected { is_json: false, .. })));
    assert!(matches!(read(500, "{}"), Err(ResponseError::Unexpected { is_json: true, .. })));
}

#[test]
fn a_secret_in_a_denial_is_withheld() {
    let error =
        read(403, r#"{"error":"access_denied","error_description":"wrong: s3cret"}"#).unwrap_err();
    assert!(!crate::support::all_it_says(&error).contains("s3cret"));
}

#[test]
fn an_empty_secret_withholds_nothing() {
    let mut response = Response::new(r#"{"error":"access_denied","error_description":"no"}"#);
    *response.status_mut() = StatusCode::FORBIDDEN;
    let error = operation::success_body(&response, 64, &[""]).unwrap_err();
    assert_eq!(error.denial().and_then(|denial| denial.description()), Some("no"));
}

/// Returns the text of such a denial after `secret` is withheld from it.
fn said_without(secret: &str, code: &str, description: &str) -> String {
    let body = format!(r#"{{"error":"{code}","error_description":"{description}"}}"#);
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::FORBIDDEN;
    let error = operation::success_body(&response, 64 * 1024, &[]).unwrap_err();
    crate::support::all_it_says(&error.without(secret))
}

#[test]
fn a_secret_that_the_operation_did_not_know_is_withheld_later() {
    let token = "eyJhbGciOi-canary-".repeat(50);
    for (code, description) in [
        ("access_denied", format!("not with {token}, no")),
        ("access_denied", token.clone()),
        (&*token, "no".to_owned()),
        // Cut after 512 characters, and so not complete.
        ("access_denied", format!("{}{token}", "x".repeat(490))),
    ] {
        let said = said_without(&token, code, &description);
        assert!(!said.contains("canary") && !said.contains("eyJhbGci"), "{said}");
        assert!(said.contains("withheld"));
    }
    let said = said_without(&token, "access_denied", &format!("ends like it: {}", "eyJ…"));
    assert!(said.contains("ends like it"), "{said}");
}

#[test]
fn a_content_type_that_repeats_a_secret_is_withheld_later() {
    let mut response = Response::new("<html>");
    response.headers_mut().insert("content-type", "text/html; said=canary-secret".parse().unwrap());
    let error = operation::success_body(&response, 64, &[]).unwrap_err();
    assert!(crate::support::all_it_says(&error).contains("canary"));
    assert!(!crate::support::all_it_says(&error.without("canary-secret")).contains("canary"));
}

fn failure(status: u16, body: &str) -> Result<String, ResponseError> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let body = operation::failure_body(&response, 64, &["s3cret"])?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn a_failure_in_json_is_returned_whatever_its_status() {
    for body in ["{}", "[]", "\"x\"", r#"{"error":"access_denied"}"#, r#"{"error":1,"error":2}"#] {
        for status in [301, 400, 401, 403, 404, 409, 422, 500, 503] {
            assert_eq!(
                failure(status, &format!("\u{feff}{body}")),
                Ok(body.to_owned()),
                "{status}"
            );
        }
    }
}

#[test]
fn a_failure_that_the_api_does_not_describe_is_unexpected() {
    let too_large = format!("[{}]", " ".repeat(63));
    for body in ["", " ", "<html>", "{", "{}x", &too_large] {
        for status in [400, 403, 409, 422, 502] {
            let error = failure(status, body).unwrap_err();
            let is_no_json = matches!(error, ResponseError::Unexpected { is_json: false, .. });
            assert!(is_no_json || body == "{", "{status} {body}: {error:?}");
            assert!(
                matches!(error, ResponseError::Unexpected { .. }),
                "{status} {body}: {error:?}"
            );
        }
    }
}

#[test]
fn a_failure_that_the_api_calls_temporary_is_temporary() {
    for code in ["server_error", "temporarily_unavailable"] {
        let error = failure(409, &format!(r#"{{"error":"{code}"}}"#)).unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
    }
}

#[test]
fn a_success_is_read_as_a_success() {
    for body in ["", "{}", "<html>", "{", r#"{"error":"access_denied"}"#] {
        let response = Response::new(body);
        let as_success = operation::success_body(&response, 64, &["s3cret"]);
        assert_eq!(operation::failure_body(&response, 64, &["s3cret"]), as_success, "{body}");
    }
}

#[test]
fn server_text_is_made_printable() {
    assert_eq!(operation::printable("no such state", 64, &["s3cret"]), "no such state");
    assert_eq!(operation::printable("no such state", 4, &[]), "no s…");
    assert_eq!(operation::printable("a\nb\u{202e}c", 64, &[]), r"a\u{a}b\u{202e}c");
    assert!(!operation::printable("it is s3cret", 64, &["s3cret"]).contains("s3cret"));
}

#[test]
fn a_get_has_the_headers_of_every_request_and_no_body() {
    let base = BaseUrl::parse("https://gateway.example/api/").unwrap();
    let get = operation::json_get(&base, "/loans?state=NY").unwrap();
    assert_eq!((get.method().as_str(), get.body().len()), ("GET", 0));
    assert_eq!(get.uri(), "https://gateway.example/api/loans?state=NY");
    let mut names: Vec<_> = get.headers().keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "user-agent"]);
    assert_eq!(get.headers()["accept"], "application/json");
    assert!(matches!(operation::json_get(&base, "loans"), Err(RequestError::Path)));
}
