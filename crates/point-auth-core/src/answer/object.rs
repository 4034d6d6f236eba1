//! Reads a body as a JSON object of known fields, whose values stay unparsed.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::field::Field;
use super::json_text::{self, SecretText};
use crate::error::MalformedReason;
use crate::tokens::TokenSet;

/// The form of a body.
pub(crate) enum Body {
    Object,
    /// JSON that is not an object.
    OtherJson,
    /// Begins like a JSON object but is invalid. Line and column are 0 where they are unknown.
    Broken {
        line: usize,
        column: usize,
    },
    NotJson,
    /// Empty, or only white space.
    Empty,
}

/// RFC 8259 §8.1 allows a reader to ignore a byte order mark, and some servers write one.
pub(crate) fn without_byte_order_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// The known fields of a JSON object. Unknown fields are ignored.
#[derive(Default)]
pub(crate) struct Object<'r> {
    /// The raw value of each field; the last one if a field occurs twice.
    values: [Option<&'r RawValue>; Field::ALL.len()],
    twice: [bool; Field::ALL.len()],
    /// Whether an escape occurs anywhere in the body. Escapes are rare, and one check of the whole
    /// body is cheaper than one for each text.
    has_escapes: bool,
}

impl<'r> Object<'r> {
    /// Reads a body into `self`. Moving an object of this size takes longer than reading a denial.
    pub(crate) fn read(&mut self, bytes: &'r [u8]) -> Body {
        let bytes = without_byte_order_mark(bytes);
        let Some(first) = bytes.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
        else {
            return Body::Empty;
        };
        let like_an_object = *first == b'{';
        let Ok(text) = std::str::from_utf8(bytes) else {
            return if like_an_object {
                Body::Broken { line: 0, column: 0 }
            } else {
                Body::NotJson
            };
        };
        if !like_an_object {
            return match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => Body::OtherJson,
                Err(_) => Body::NotJson,
            };
        }
        self.has_escapes = json_text::has_escapes(bytes);
        let mut json = serde_json::Deserializer::from_str(text);
        match json.deserialize_map(Fields(self)).and_then(|()| json.end()) {
            Ok(()) => Body::Object,
            Err(error) => Body::Broken { line: error.line(), column: error.column() },
        }
    }

    /// Returns the first known field that occurs twice.
    pub(crate) fn duplicate(&self) -> Option<Field> {
        Field::ALL.into_iter().find(|field| self.is_twice(*field))
    }

    /// Returns the first field that occurs twice, of those that any response of this API may have.
    pub(crate) fn duplicate_error(&self) -> Option<Field> {
        [Field::Error, Field::ErrorDescription].into_iter().find(|field| self.is_twice(*field))
    }

    /// Returns a text field.
    ///
    /// # Errors
    /// [`MalformedReason::Invalid`] when the field is of another type.
    pub(crate) fn text(&self, field: Field) -> Result<Option<SecretText<'r>>, MalformedReason> {
        let text = if self.has_escapes { json_text::text } else { json_text::without_escapes };
        self.value(field).map(|raw| text(raw).ok_or(MalformedReason::Invalid(field))).transpose()
    }

    /// Returns a field that holds a number of seconds.
    ///
    /// # Errors
    /// [`MalformedReason::Invalid`] when the field is of another type.
    pub(crate) fn seconds(&self, field: Field) -> Result<Option<u64>, MalformedReason> {
        self.value(field).map(|raw| seconds(raw).ok_or(MalformedReason::Invalid(field))).transpose()
    }

    fn value(&self, field: Field) -> Option<&'r str> {
        let value = self.values.get(field as usize).copied().flatten().map(RawValue::get);
        // Null counts as absent: some servers write all their fields.
        value.filter(|raw| *raw != "null")
    }

    fn is_twice(&self, field: Field) -> bool {
        self.twice.get(field as usize).is_some_and(|twice| *twice)
    }

    fn set(&mut self, field: Field, raw: &'r RawValue) {
        let place = field as usize;
        if let (Some(value), Some(twice)) = (self.values.get_mut(place), self.twice.get_mut(place))
        {
            *twice = value.replace(raw).is_some();
        }
    }
}

/// Parses a number of seconds: an integer, a float without a fraction, or an integer in a string.
/// Negative numbers count as zero, and numbers above [`TokenSet::MAX_EXPIRES_IN`] as that maximum.
fn seconds(raw: &str) -> Option<u64> {
    const MAX: u64 = TokenSet::MAX_EXPIRES_IN.as_secs();
    let (digits, is_string) = match json_text::text(raw) {
        Some(text) => (text, true),
        None => (SecretText::Plain(raw), false),
    };
    let (negative, unsigned) = match digits.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, &*digits),
    };
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        // All digits: the only remaining failure is a number beyond u64.
        return Some(if negative { 0 } else { unsigned.parse().unwrap_or(u64::MAX).min(MAX) });
    }
    if is_string {
        return None;
    }
    let whole = whole_number(unsigned)?;
    Some(if negative { 0 } else { whole.min(MAX) })
}

/// Returns the value of a JSON number without its sign, such as `3600.0` or `3.6e3`. Returns `None`
/// for a number with a fraction and for other JSON values. A value beyond `u64` becomes `u64::MAX`.
///
/// This avoids the parser of `f64`, which would be a tenth of all that this library adds to a
/// program.
fn whole_number(number: &str) -> Option<u64> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // The JSON is valid, so an exponent can only be too long.
    let too_long = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    let exponent = exponent.parse().unwrap_or(too_long);
    // The number of digits before the point, after the exponent has moved it.
    let point = (integer.len() as i64).saturating_add(exponent);
    let mut value = 0_u64;
    let mut place = 0_i64;
    for byte in integer.bytes().chain(fraction.bytes()) {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        if place < point {
            value = value.saturating_mul(10).saturating_add(digit.into());
        } else if digit != 0 {
            return None;
        }
        place += 1;
    }
    // Nineteen more digits suffice to reach the maximum of `u64`.
    for _ in place..point.min(place.saturating_add(20)) {
        value = value.saturating_mul(10);
    }
    Some(value)
}

/// Stores the known fields of an object.
struct Fields<'o, 'de>(&'o mut Object<'de>);

impl<'de> Visitor<'de> for Fields<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let has_escapes = self.0.has_escapes;
        while let Some(field) = map.next_key_seed(Name { has_escapes })? {
            match field {
                Some(field) => self.0.set(field, map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Parses the name of a field, and recognizes the known ones.
struct Name {
    has_escapes: bool,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<Field>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<Field>, D::Error> {
        if !self.has_escapes {
            return json.deserialize_str(self);
        }
        // Raw, because `serde_json` rejects half of a surrogate pair in a string.
        let raw = <&RawValue>::deserialize(json)?;
        Ok(json_text::text(raw.get()).and_then(|name| Field::from_name(&name)))
    }
}

impl Visitor<'_> for Name {
    type Value = Option<Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<Field>, E> {
        Ok(Field::from_name(name))
    }
}
