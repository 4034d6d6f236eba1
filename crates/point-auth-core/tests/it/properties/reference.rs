//! A second reading of the rules, in terms of `serde_json::Value`, for the first one to be judged
//! by.

use http::Response;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// What an answer is.
#[derive(Debug, PartialEq)]
pub(super) enum Reading {
    Tokens {
        access_token: String,
        refresh_token: Option<String>,
        scope: Option<String>,
        expires_in: u64,
    },
    Denied {
        code: String,
    },
    Neither,
}

const KNOWN: [&str; 7] = [
    "access_token",
    "refresh_token",
    "scope",
    "token_type",
    "expires_in",
    "error",
    "error_description",
];

/// An object's fields in order, each twice that is there twice.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Fields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<Box<RawValue>, _>()? {
                    // A name with half of a surrogate pair is no text, and so no known name.
                    let text = serde_json::from_str(name.get());
                    fields.push((text.unwrap_or_else(|_| name.get().to_owned()), value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

pub(super) fn read(response: &Response<Vec<u8>>) -> Reading {
    let status = response.status().as_u16();
    let body = response.body();
    if body.len() > 65_536 {
        return Reading::Neither;
    }
    let text = std::str::from_utf8(body).unwrap_or_default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Ok(Fields(fields)) = serde_json::from_str(text) else { return Reading::Neither };
    let count = |name: &str| fields.iter().filter(|(field, _)| field == name).count();
    // A value that serde_json has no `Value` for (half a surrogate pair, a number beyond f64) stays
    // raw.
    let value = |name: &str| match fields.iter().find(|(field, _)| field == name) {
        None => Ok(Value::Null),
        Some((_, raw)) => {
            serde_json::from_str::<Value>(raw.get()).map_err(|_| raw.get().to_owned())
        }
    };

    let success = (200..300).contains(&status);
    let may_deny = success || [400, 401, 403].contains(&status);
    let error_twice = count("error") > 1 || count("error_description") > 1;
    if may_deny
        && !error_twice
        && let Ok(Value::String(code)) = value("error")
        && !code.is_empty()
    {
        return match code.as_str() {
            "server_error" | "temporarily_unavailable" => Reading::Neither,
            _ => Reading::Denied { code },
        };
    }
    if !success || KNOWN.into_iter().any(|name| count(name) > 1) {
        return Reading::Neither;
    }
    // Either string or null: `None` for all else.
    let text = |name: &str| match value(name) {
        Ok(Value::Null) => Some(None),
        Ok(Value::String(text)) => Some(Some(text)),
        _ => None,
    };
    let is_token =
        |token: &String| !token.is_empty() && token.chars().all(|c| ('!'..='~').contains(&c));
    let is_bearer = |token_type: Option<String>| {
        token_type.is_none_or(|text| text.eq_ignore_ascii_case("bearer"))
    };
    let (
        Some(None | Some(_)),
        Some(true),
        Some(scope),
        Some(refresh_token),
        Some(Some(access_token)),
        Some(expires_in),
    ) = (
        text("error"),
        text("token_type").map(is_bearer),
        text("scope"),
        text("refresh_token"),
        text("access_token"),
        seconds(value("expires_in")),
    )
    else {
        return Reading::Neither;
    };
    if !is_token(&access_token) || !refresh_token.as_ref().is_none_or(is_token) {
        return Reading::Neither;
    }
    let repeats = |text: &str| {
        text.contains(&access_token)
            || refresh_token.as_ref().is_some_and(|token| text.contains(token.as_str()))
    };
    let scope =
        scope.filter(|text| text.contains(|c: char| !c.is_ascii_whitespace()) && !repeats(text));
    Reading::Tokens { access_token, refresh_token, scope, expires_in }
}

fn seconds(value: Result<Value, String>) -> Option<u64> {
    const MAX: u64 = 4_294_967_295;
    match value {
        Ok(Value::Null) => Some(3600),
        Ok(Value::Number(number)) => match (number.as_u64(), number.as_i64(), number.as_f64()?) {
            (Some(seconds), _, _) => Some(seconds.min(MAX)),
            (None, Some(_), _) => Some(0),
            (None, None, float) if float.trunc() == float => {
                Some(float.clamp(0.0, MAX as f64) as u64)
            }
            _ => None,
        },
        Ok(Value::String(text)) => {
            let digits = text.strip_prefix('-').unwrap_or(&text);
            if digits.is_empty() || digits.contains(|c: char| !c.is_ascii_digit()) {
                None
            } else if digits.len() < text.len() {
                Some(0)
            } else {
                // Leading zeros do not make a number large.
                let digits = digits.trim_start_matches('0');
                Some(if digits.len() > 10 { MAX } else { digits.parse().unwrap_or(0).min(MAX) })
            }
        }
        // What has no `Value` and begins like a number is one beyond f64.
        Err(raw) if raw.starts_with('-') => Some(0),
        Err(raw) if raw.starts_with(|c: char| c.is_ascii_digit()) => Some(MAX),
        _ => None,
    }
}
