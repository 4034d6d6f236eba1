//! The table of answers, run through the core.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use point_auth_core::{MalformedReason, ResponseError, RetryAfter, SignIn, TokenSet};
use serde_json::{Value, json};

use crate::support::{Asked, all_it_says, answers, body, response, text};

#[test]
fn every_answer_of_the_table_has_its_outcome() {
    let wrong: Vec<String> = answers()
        .iter()
        .filter_map(|entry| {
            let outcome = outcome(&Asked::of(entry).read(&response(entry)));
            let name = text(entry, "name");
            (outcome != entry["outcome"])
                .then(|| format!("{name}\n  expected {}\n  but got  {outcome}", entry["outcome"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_table_has_at_least_150_answers_of_different_names() {
    let answers = answers();
    let names: HashSet<&str> = answers.iter().map(|entry| text(entry, "name")).collect();
    assert_eq!(names.len(), answers.len(), "a name is used twice");
    assert!(answers.len() >= 150, "only {} answers", answers.len());
}

#[test]
fn the_published_examples_come_first() {
    let answers = answers();
    let published =
        answers.iter().filter(|entry| text(entry, "name").starts_with("published: ")).count();
    assert!(published >= 8);
    assert!(
        answers[..published].iter().all(|entry| text(entry, "name").starts_with("published: "))
    );
}

#[test]
fn the_table_covers_each_outcome_of_each_operation() {
    let answers = answers();
    for operation in ["sign_in", "refresh"] {
        for outcome in ["tokens", "denied", "unexpected", "malformed"] {
            let count = answers
                .iter()
                .filter(|entry| {
                    entry["operation"] == operation && entry["outcome"].get(outcome).is_some()
                })
                .count();
            assert!(count >= 20, "{operation} has only {count} answers that are {outcome}");
        }
    }
}

#[test]
fn answers_that_http_cannot_carry_are_marked() {
    const KNOWN: [&str; 12] = [
        "name",
        "operation",
        "request",
        "status",
        "headers",
        "body",
        "body_base64",
        "body_parts",
        "wire",
        "oversize",
        "outcome",
        "",
    ];
    for entry in answers() {
        let (name, status, length) =
            (text(&entry, "name"), entry["status"].as_u64().unwrap(), body(&entry).len());
        assert!(
            entry.as_object().unwrap().keys().all(|key| KNOWN.contains(&key.as_str())),
            "{name}"
        );
        let bodiless = status < 200 || (length > 0 && matches!(status, 204 | 205 | 304));
        let trimmed = entry["headers"].as_array().unwrap().iter().any(|header| {
            let value = header[1].as_str().unwrap();
            value != value.trim()
        });
        assert_eq!(entry.get("wire"), (bodiless || trimmed).then_some(&json!(false)), "{name}");
        let limit = <SignIn<'_> as point_auth_core::Operation>::MAX_RESPONSE_BYTES;
        assert_eq!(entry.get("oversize"), (length > limit).then_some(&json!(true)), "{name}");
        assert!(length <= limit + 1, "{name}");
    }
}

#[test]
fn no_error_of_the_table_shows_a_secret_of_its_request() {
    for entry in answers() {
        let asked = Asked::of(&entry);
        if let Err(error) = asked.read(&response(&entry)) {
            let said = all_it_says(&error);
            assert!(!said.contains(asked.secret()), "{}: {said}", text(&entry, "name"));
        }
    }
}

#[test]
fn no_outcome_of_the_table_shows_a_token_or_password_in_its_debug() {
    for entry in answers() {
        let asked = Asked::of(&entry);
        if let Ok(tokens) = asked.read(&response(&entry)) {
            let said = format!("{tokens:?} {tokens:#?}");
            assert!(!said.contains(asked.secret()), "{}: {said}", text(&entry, "name"));
            for token in [
                Some(tokens.access_token().expose()),
                tokens.refresh_token().map(|token| token.expose()),
            ] {
                // A token of one character is in any text.
                let shown = token.is_some_and(|token| token.len() > 3 && said.contains(token));
                assert!(!shown, "{}: {said}", text(&entry, "name"));
            }
        }
    }
}

/// Returns an outcome in the terms of the table.
fn outcome(read: &Result<TokenSet, ResponseError>) -> Value {
    match read {
        Ok(tokens) => json!({"tokens": {
            "access_token": tokens.access_token().expose(),
            "refresh_token": tokens.refresh_token().map(|token| token.expose()),
            "scope": tokens.scope().map(|scope| scope.as_str()),
            "token_type": tokens.token_type().to_string(),
            "expires_in": tokens.expires_in().as_secs(),
        }}),
        Err(ResponseError::Denied(denial)) => json!({"denied": {
            "status": denial.status().as_u16(),
            "code": denial.code(),
            "description": denial.description(),
        }}),
        Err(ResponseError::Unexpected { status, retry_after, content_type, is_json, .. }) => {
            json!({"unexpected": {
                "status": status.as_u16(),
                "retry_after": retry_after.map(retry_after_value),
                "content_type": content_type,
                "is_json": is_json,
            }})
        }
        Err(ResponseError::Malformed { reason, line, column, .. }) => {
            json!({"malformed": {"reason": reason_text(*reason), "line": line, "column": column}})
        }
        Err(other) => panic!("an outcome that the table does not know: {other:?}"),
    }
}

fn retry_after_value(retry_after: RetryAfter) -> Value {
    match retry_after {
        RetryAfter::Delay(delay) => json!({"seconds": delay.as_secs()}),
        RetryAfter::At(time) => json!({"at": seconds_of(time)}),
    }
}

fn seconds_of(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn reason_text(reason: MalformedReason) -> String {
    match reason {
        MalformedReason::Empty => "empty".to_owned(),
        MalformedReason::TooLarge => "too large".to_owned(),
        MalformedReason::Syntax => "syntax".to_owned(),
        MalformedReason::NotAnObject => "not an object".to_owned(),
        MalformedReason::Missing(field) => format!("missing {field}"),
        MalformedReason::Duplicate(field) => format!("duplicate {field}"),
        MalformedReason::Invalid(field) => format!("invalid {field}"),
        other => panic!("a reason that the table does not know: {other:?}"),
    }
}
