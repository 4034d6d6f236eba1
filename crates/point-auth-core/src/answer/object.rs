//! An answer's body as a JSON object of known fields, each as it stands in the body.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::field::Field;
use super::json_text::{self, SecretText};
use crate::error::MalformedReason;
use crate::tokens::TokenSet;

/// What a body is.
pub(crate) enum Body {
    Object,
    /// JSON, and not an object.
    OtherJson,
    /// It begins like an object and is none. Line and column are 0 where they are not known.
    Broken {
        line: usize,
        column: usize,
    },
    NotJson,
    /// Nothing, or nothing but white space.
    Empty,
}

/// RFC 8259 §8.1 lets a reader pass over a byte order mark, and some servers write one.
pub(crate) fn without_byte_order_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// The known fields of a JSON object. Unknown ones are passed over, whatever their names and values
/// hold.
#[derive(Default)]
pub(crate) struct Object<'r> {
    /// Each field's value as it stands in the body, the last one if there are two.
    values: [Option<&'r RawValue>; Field::ALL.len()],
    twice: [bool; Field::ALL.len()],
    /// Whether there is an escape anywhere in the body. Hardly ever is, and one look at all of it
    /// is cheaper than one at each text.
    has_escapes: bool,
}

impl<'r> Object<'r> {
    /// Reads a body. In place: handing an object of this size on from function to function takes
    /// longer than reading a denial.
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

    /// The first known field that is given twice.
    pub(crate) fn duplicate(&self) -> Option<Field> {
        Field::ALL.into_iter().find(|field| self.is_twice(*field))
    }

    /// The same, of the fields that every answer of this API may have.
    pub(crate) fn duplicate_error(&self) -> Option<Field> {
        [Field::Error, Field::ErrorDescription].into_iter().find(|field| self.is_twice(*field))
    }

    /// A field that is a text.
    ///
    /// # Errors
    /// [`MalformedReason::Invalid`] when it is of another type.
    pub(crate) fn text(&self, field: Field) -> Result<Option<SecretText<'r>>, MalformedReason> {
        let text = if self.has_escapes { json_text::text } else { json_text::without_escapes };
        self.value(field).map(|raw| text(raw).ok_or(MalformedReason::Invalid(field))).transpose()
    }

    /// A field that is a number of seconds.
    ///
    /// # Errors
    /// [`MalformedReason::Invalid`] when it is of another type.
    pub(crate) fn seconds(&self, field: Field) -> Result<Option<u64>, MalformedReason> {
        self.value(field).map(|raw| seconds(raw).ok_or(MalformedReason::Invalid(field))).transpose()
    }

    fn value(&self, field: Field) -> Option<&'r str> {
        let value = self.values.get(field as usize).copied().flatten().map(RawValue::get);
        // Null is absent: some servers write all their fields.
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

/// A number of seconds: an integer, a float without a fraction, or an integer in a string. Negative
/// is zero, and what is past the longest life that is believed is that.
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
        // All digits: the only failure left is a number beyond u64.
        return Some(if negative { 0 } else { unsigned.parse().unwrap_or(u64::MAX).min(MAX) });
    }
    if is_string {
        return None;
    }
    let whole = whole_number(unsigned)?;
    Some(if negative { 0 } else { whole.min(MAX) })
}

/// The value of a JSON number without its sign, such as `3600.0` or `3.6e3`, unless it has a
/// fraction. What is beyond `u64` is its largest value. `None` for other JSON values, too.
///
/// Not by way of `f64`: its parser would be a tenth of all that this library adds to a program.
fn whole_number(number: &str) -> Option<u64> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // JSON has been read already: an exponent can only be too long.
    let too_long = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    let exponent = exponent.parse().unwrap_or(too_long);
    // The number of digits before the point, once the exponent has moved it.
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
    // Nineteen more digits are enough to reach the end of `u64`.
    for _ in place..point.min(place.saturating_add(20)) {
        value = value.saturating_mul(10);
    }
    Some(value)
}

/// Puts the fields of an object where they belong.
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

/// Reads the name of a field, if it is a known one.
struct Name {
    has_escapes: bool,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<Field>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<Field>, D::Error> {
        if !self.has_escapes {
            return json.deserialize_str(self);
        }
        // As it stands in the body: as a string, `serde_json` refuses half of a surrogate pair.
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
