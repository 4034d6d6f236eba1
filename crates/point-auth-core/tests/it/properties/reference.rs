//! A second implementation of the rules, on `serde_json::Value`, to check the first one.

use http::Response;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The meaning of a response.
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

/// The fields of an object in order, including duplicates.
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
                    // A name with half of a surrogate pair is not text, and so not a known name.
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
    let raw = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, raw)| raw.get());
    // serde_json has no `Value` for half a surrogate pair, nor for a number beyond f64.
    let value = |name: &str| serde_json::from_str::<Value>(raw(name).unwrap_or("null"));

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
        seconds(raw("expires_in")),
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

fn seconds(raw: Option<&str>) -> Option<u64> {
    const MAX: u64 = 4_294_967_295;
    let raw = raw.unwrap_or("null");
    let (digits, is_negative) = match serde_json::from_str(raw) {
        Ok(Value::Null) => return Some(3600),
        Ok(Value::String(text)) => {
            let digits = text.strip_prefix('-').unwrap_or(&text);
            if digits.is_empty() || digits.contains(|c: char| !c.is_ascii_digit()) {
                return None;
            }
            (digits.to_owned(), digits.len() < text.len())
        }
        _ => {
            let unsigned = raw.strip_prefix('-').unwrap_or(raw);
            if !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
                return None;
            }
            (whole(unsigned)?, unsigned.len() < raw.len())
        }
    };
    // Leading zeros do not make a number large.
    let digits = digits.trim_start_matches('0');
    let value = if digits.len() > 10 { MAX } else { digits.parse().unwrap_or(0).min(MAX) };
    Some(if is_negative { 0 } else { value })
}

/// Returns the digits before the point of a JSON number, after the exponent has moved the point.
/// Returns `None` if there is a fraction.
fn whole(number: &str) -> Option<String> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // A longer exponent also moves the point past all digits of a body.
    const FAR: i64 = 100_000;
    let far = if exponent.starts_with('-') { -FAR } else { FAR };
    let exponent: i64 = exponent.parse().unwrap_or(far).clamp(-FAR, FAR);
    let zeros = "0".repeat(exponent.unsigned_abs() as usize);
    let text = if exponent < 0 {
        format!("{zeros}{integer}{fraction}")
    } else {
        format!("{integer}{fraction}{zeros}")
    };
    let point = if exponent < 0 { integer.len() } else { integer.len() + zeros.len() };
    let (before, behind) = text.split_at(point);
    behind.bytes().all(|digit| digit == b'0').then(|| before.to_owned())
}
