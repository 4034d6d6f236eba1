//! A request's JSON, read strictly: one object, every field once, every value a string with
//! something in it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The fields of an object in their order, doubles included.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// Reads the named fields of a request; the first `required` of them have to be there.
///
/// # Errors
/// A sentence for `error_description` that names a field of ours but quotes nothing of the request.
pub(super) fn read<const N: usize>(
    body: &[u8],
    names: [&str; N],
    required: usize,
) -> Result<[Option<String>; N], String> {
    let Fields(fields) = serde_json::from_slice(body).map_err(|_| not_an_object(body))?;
    let mut values = [const { None }; N];
    for (name, value) in fields {
        let Some((known, slot)) = names.iter().zip(&mut values).find(|(known, _)| **known == name)
        else {
            return Err("The request has an unknown field".to_owned());
        };
        match value {
            _ if slot.is_some() => return Err(format!("The field {known} is given twice")),
            Value::String(text) if text.is_empty() => {
                return Err(format!("The field {known} is empty"));
            }
            Value::String(text) => *slot = Some(text),
            _ => return Err(format!("The field {known} is not a string")),
        }
    }
    for (name, value) in names.iter().zip(&values).take(required) {
        if value.is_none() {
            return Err(format!("The field {name} is missing"));
        }
    }
    Ok(values)
}

fn not_an_object(body: &[u8]) -> String {
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => "The request is not a JSON object".to_owned(),
        Err(_) => "The request is not JSON".to_owned(),
    }
}
