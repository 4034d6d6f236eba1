//! An answer's body as a JSON object of known fields, each as it stands in the body.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::field::Field;
use super::json_text::{self, SecretText};
use crate::tokens::TokenSet;

/// What a body is.
pub(crate) enum Body<'r> {
    Object(Object<'r>),
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

impl<'r> Body<'r> {
    pub(crate) fn parse(bytes: &'r [u8]) -> Self {
        let bytes = without_byte_order_mark(bytes);
        let Some(first) = bytes.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) else {
            return Self::Empty;
        };
        let like_an_object = *first == b'{';
        let Ok(text) = std::str::from_utf8(bytes) else {
            return if like_an_object { Self::Broken { line: 0, column: 0 } } else { Self::NotJson };
        };
        if !like_an_object {
            return match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => Self::OtherJson,
                Err(_) => Self::NotJson,
            };
        }
        match serde_json::from_str(text) {
            Ok(object) => Self::Object(object),
            Err(error) => Self::Broken { line: error.line(), column: error.column() },
        }
    }
}

/// RFC 8259 §8.1 lets a reader pass over a byte order mark, and some servers write one.
pub(crate) fn without_byte_order_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// The known fields of a JSON object. Unknown ones are passed over, whatever they hold.
#[derive(Default)]
pub(crate) struct Object<'r> {
    pub(crate) access_token: Slot<'r>,
    pub(crate) refresh_token: Slot<'r>,
    pub(crate) scope: Slot<'r>,
    pub(crate) token_type: Slot<'r>,
    pub(crate) expires_in: Slot<'r>,
    pub(crate) error: Slot<'r>,
    pub(crate) error_description: Slot<'r>,
}

impl<'r> Object<'r> {
    /// The first known field that is given twice.
    pub(crate) fn duplicate(&self) -> Option<Field> {
        Field::ALL.into_iter().find(|field| self.slot(*field).twice)
    }

    /// The same, of the fields that every answer of this API may have.
    pub(crate) fn duplicate_error(&self) -> Option<Field> {
        [Field::Error, Field::ErrorDescription].into_iter().find(|field| self.slot(*field).twice)
    }

    fn slot(&self, field: Field) -> &Slot<'r> {
        match field {
            Field::AccessToken => &self.access_token,
            Field::RefreshToken => &self.refresh_token,
            Field::Scope => &self.scope,
            Field::TokenType => &self.token_type,
            Field::ExpiresIn => &self.expires_in,
            Field::Error => &self.error,
            Field::ErrorDescription => &self.error_description,
        }
    }

    fn slot_mut(&mut self, field: Field) -> &mut Slot<'r> {
        match field {
            Field::AccessToken => &mut self.access_token,
            Field::RefreshToken => &mut self.refresh_token,
            Field::Scope => &mut self.scope,
            Field::TokenType => &mut self.token_type,
            Field::ExpiresIn => &mut self.expires_in,
            Field::Error => &mut self.error,
            Field::ErrorDescription => &mut self.error_description,
        }
    }
}

/// One field's value as it stands in the body, and whether it stands there again.
#[derive(Default)]
pub(crate) struct Slot<'r> {
    raw: Option<&'r RawValue>,
    twice: bool,
}

/// The value is of another type than the field's.
pub(crate) struct WrongType;

impl<'r> Slot<'r> {
    fn raw(&self) -> Option<&'r str> {
        // Null is absent: some servers write all their fields.
        self.raw.map(RawValue::get).filter(|raw| *raw != "null")
    }

    pub(crate) fn text(&self) -> Result<Option<SecretText<'r>>, WrongType> {
        self.raw().map(|raw| json_text::text(raw).ok_or(WrongType)).transpose()
    }

    pub(crate) fn seconds(&self) -> Result<Option<u64>, WrongType> {
        self.raw().map(|raw| seconds(raw).ok_or(WrongType)).transpose()
    }
}

/// A number of seconds: an integer, a float without a fraction, or an integer in a string. Negative is zero, and what is
/// past the longest life that is believed is that.
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
    // Neither an object nor `true` is a number to `f64`; what would be ("nan", "inf") is no JSON.
    let number: f64 = digits.parse().ok()?;
    // An infinite one is a number beyond f64, and its fraction is no number.
    if number.is_finite() && number.fract() != 0.0 {
        return None;
    }
    // `as` saturates at both ends.
    Some((number as u64).min(MAX))
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut object = Object::default();
                while let Some(Name(field)) = map.next_key()? {
                    let Some(field) = field else {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    let raw = map.next_value()?;
                    let slot = object.slot_mut(field);
                    slot.twice = slot.raw.is_some();
                    slot.raw = Some(raw);
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// The name of a field, if it is a known one.
struct Name(Option<Field>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Known;

        impl Visitor<'_> for Known {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(Name(Field::from_name(name)))
            }
        }

        deserializer.deserialize_str(Known)
    }
}
