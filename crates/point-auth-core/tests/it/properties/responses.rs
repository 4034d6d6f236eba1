//! Any response is read without a panic, and like the reference; valid ones as generated.

use http::{Response, StatusCode};
use point_auth_core::{ResponseError, TokenSet};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use super::generated::{Valid, any_json, choices, name_with_half_a_pair, quoted, valid_answer};
use super::reference::{self, Reading};
use crate::support::Asked;

/// Long, so that no generated text repeats it.
const SECRET: &str = "the-secret-of-the-request-which-no-text-repeats";

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![4 => select(vec![200u16, 201, 204, 400, 401, 403]), 1 => 100..=999u16]
}

/// Known fields with any values, the likeliest ones first, some of them duplicated.
fn object_of_known_fields() -> impl Strategy<Value = String> {
    let name = select(vec![
        "access_token",
        "refresh_token",
        "scope",
        "token_type",
        "expires_in",
        "error",
        "error_description",
        "other",
    ]);
    let likely = select(vec![
        "\"Bearer\"",
        "\"bearer\"",
        "\"a-token\"",
        "\"\\u0061-token\"",
        "\"3600\"",
        "3600",
        "3600.0",
        "-1",
        "0.5",
        "1e400",
        "null",
        "\"\"",
        "\"access_denied\"",
        "\"server_error\"",
        "\"\\ud800\"",
    ]);
    let value = prop_oneof![3 => likely.prop_map(str::to_owned), 1 => any_json()];
    let name = (name, choices()).prop_map(|(name, choices)| quoted(name, &choices));
    let name = prop_oneof![12 => name, 1 => name_with_half_a_pair()];
    vec((name, value), 0..6).prop_map(|fields| {
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        format!("{{{}}}", fields.join(","))
    })
}

/// A valid answer with some bytes of it changed, inserted, removed or cut.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), select(b"{}[]\",:\\u0e-.\xEF".to_vec())];
    let damage = vec((any::<Index>(), 0..4u8, byte), 1..5);
    let body = prop_oneof![valid_answer().prop_map(|valid| valid.text), object_of_known_fields()];
    (body, damage).prop_map(|(text, damage)| {
        let mut bytes = text.into_bytes();
        for (index, kind, byte) in damage {
            let at = index.index(bytes.len() + 1);
            match kind {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 if at % 4 == 0 => bytes.truncate(at),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => vec(any::<u8>(), 0..200),
        2 => any_json().prop_map(String::into_bytes),
        4 => object_of_known_fields().prop_map(String::into_bytes),
        2 => valid_answer().prop_map(|valid| valid.text.into_bytes()),
        4 => damaged(),
    ]
}

fn response(status: u16, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// Returns the result of the core in the terms of the reference.
fn reading(read: &Result<TokenSet, ResponseError>) -> Reading {
    match read {
        Ok(tokens) => Reading::Tokens {
            access_token: tokens.access_token().expose().to_owned(),
            refresh_token: tokens.refresh_token().map(|token| token.expose().to_owned()),
            scope: tokens.scope().map(|scope| scope.as_str().to_owned()),
            expires_in: tokens.expires_in().as_secs(),
        },
        Err(ResponseError::Denied(denial)) => Reading::Denied { code: denial.code().to_owned() },
        Err(_) => Reading::Neither,
    }
}

/// Compares both, except for the shown code of a denial, which the table covers.
fn same(core: &Reading, reference: &Reading) -> bool {
    match (core, reference) {
        (Reading::Denied { .. }, Reading::Denied { .. }) => true,
        _ => core == reference,
    }
}

proptest! {
    #![proptest_config(super::config())]

    #[test]
    fn any_response_is_read_like_the_reference(status in status(), body in any_body()) {
        let response = response(status, body);
        let expected = reference::read(&response);
        let [sign_in, refresh] = Asked::both_with(SECRET).map(|asked| reading(&asked.read(&response)));
        prop_assert!(same(&sign_in, &expected), "core {sign_in:?}, reference {expected:?}");
        let expected = match expected {
            Reading::Tokens { access_token, refresh_token, scope, expires_in } => {
                let refresh_token = refresh_token.or(Some(SECRET.to_owned()));
                Reading::Tokens { access_token, refresh_token, scope, expires_in }
            }
            other => other,
        };
        prop_assert!(same(&refresh, &expected), "core {refresh:?}, reference {expected:?}");
    }

    #[test]
    fn a_valid_answer_is_read_as_generated(valid in valid_answer(), status in select(vec![200u16, 201, 299])) {
        let Valid { text, access_token, refresh_token, scope, expires_in } = valid;
        let response = response(status, text.into_bytes());
        let [sign_in, refresh] = Asked::both_with(SECRET).map(|asked| asked.read(&response));
        let kept = refresh_token.clone().or(Some(SECRET.to_owned()));
        let expected = Reading::Tokens {
            access_token: access_token.clone(), refresh_token, scope: scope.clone(), expires_in,
        };
        prop_assert_eq!(reading(&sign_in), expected);
        prop_assert_eq!(reading(&refresh), Reading::Tokens { access_token, refresh_token: kept, scope, expires_in });
    }

    #[test]
    fn a_valid_answer_with_another_status_is_refused(valid in valid_answer(), status in 300..=999u16) {
        let response = response(status, valid.text.into_bytes());
        for asked in Asked::both_with(SECRET) {
            prop_assert!(asked.read(&response).is_err());
        }
    }

    #[test]
    fn a_valid_answer_that_is_cut_is_refused(valid in valid_answer(), cut in any::<Index>()) {
        let whole = valid.text.trim_end().as_bytes();
        let response = response(200, whole[..cut.index(whole.len())].to_vec());
        for asked in Asked::both_with(SECRET) {
            prop_assert!(asked.read(&response).is_err());
        }
    }

    #[test]
    fn a_string_is_unescaped_as_serde_json_does_it(literal in string_literal()) {
        let body = format!(r#"{{"access_token":"some-access-token-of-no-interest","scope":{literal}}}"#);
        let read = Asked::both_with(SECRET)[0].read(&response(200, body.into_bytes()));
        match serde_json::from_str::<Value>(&literal) {
            Ok(Value::String(text)) if text.chars().all(|c| c.is_ascii_whitespace()) => {
                prop_assert!(read.is_ok_and(|tokens| tokens.scope().is_none()));
            }
            Ok(Value::String(text)) => {
                prop_assert_eq!(read.unwrap().scope().map(|scope| scope.as_str().to_owned()), Some(text));
            }
            Ok(other) => prop_assert!(false, "not a string: {other}"),
            Err(_) => prop_assert!(read.is_err()),
        }
    }
}

/// A JSON string, or almost one: pieces of text and of escapes, including halves of surrogate
/// pairs.
fn string_literal() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "\\PC{0,6}".prop_map(|text| text.replace(['"', '\\'], "")),
        2 => select(vec!["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"]).prop_map(str::to_owned),
        3 => any::<char>().prop_map(|c| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect()),
        2 => any::<u16>().prop_map(|unit| format!("\\u{unit:04x}")),
        1 => (0xD800..0xE000u16).prop_map(|unit| format!("\\u{unit:04x}")),
        1 => select(vec!["\\x", "\\u", "\\u12", "\\u+123", "\\u00g0", "\u{1}", "\u{7f}", "\\ud83d\\x"]).prop_map(str::to_owned),
    ];
    vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}
