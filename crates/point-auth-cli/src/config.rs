//! Where settings come from: a flag, else an environment variable, else the profile in the file.

mod file;
mod key;

use std::env;
use std::path::PathBuf;

use toml::de::DeValue;

pub(crate) use self::file::{ConfigFile, Table, default_path};
use self::key::{KEYS, Key, Kind};
use crate::failure::{Failure, Result};

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    List(Vec<String>),
}

/// A value and what to call its place in an error.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) origin: String,
}

impl<T> Found<T> {
    /// The error of a value that cannot be used. `why` must not repeat a secret.
    pub(crate) fn refused(&self, why: impl std::fmt::Display) -> Failure {
        Failure::usage(format!("{}: {why}", self.origin))
    }

    fn map<U>(self, map: impl FnOnce(T) -> Option<U>) -> Option<Found<U>> {
        let Self { value, origin } = self;
        Some(Found { value: map(value)?, origin })
    }
}

/// All settings of one profile.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    flags: Vec<(&'static str, &'static str, String)>,
    table: Table,
}

impl Settings {
    pub(crate) fn new(table: Table) -> Self {
        Self { flags: Vec::new(), table }
    }

    /// Sets what a flag says about the key, if it was given.
    pub(crate) fn flag(&mut self, key: &'static str, flag: &'static str, value: Option<&str>) {
        self.flags.extend(value.map(|value| (key, flag, value.to_owned())));
    }

    /// The text of a key.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<Found<String>>> {
        Ok(self.found(name)?.and_then(|found| {
            found.map(|value| match value {
                Value::Text(text) => Some(text),
                _ => None,
            })
        }))
    }

    pub(crate) fn path(&self, name: &'static str) -> Result<Option<Found<PathBuf>>> {
        Ok(self.text(name)?.and_then(|found| found.map(|text| Some(PathBuf::from(text)))))
    }

    pub(crate) fn list(&self, name: &'static str) -> Result<Option<Found<Vec<String>>>> {
        Ok(self.found(name)?.and_then(|found| {
            found.map(|value| match value {
                Value::List(list) => Some(list),
                _ => None,
            })
        }))
    }

    fn found(&self, name: &'static str) -> Result<Option<Found<Value>>> {
        if let Some((_, flag, value)) = self.flags.iter().find(|(key, ..)| *key == name) {
            let found = Found { value: Value::Text(value.clone()), origin: (*flag).to_owned() };
            return match value.is_empty() {
                true => Err(found.refused("it is empty")),
                false => Ok(Some(found)),
            };
        }
        let Some(key) = Key::named(name) else { return Ok(None) };
        if let Some(found) = of_environment(key)? {
            return Ok(Some(found));
        }
        Ok(self.table.get(name).cloned())
    }
}

/// The value of a variable, which must be Unicode and not empty.
pub(crate) fn variable(name: &str) -> Result<Option<Found<String>>> {
    let Some(value) = env::var_os(name) else { return Ok(None) };
    let refused = |why| Err(Failure::usage(format!("{name}: {why}")));
    match value.into_string() {
        Ok(value) if value.is_empty() => refused("it is empty; unset it instead"),
        Ok(value) => Ok(Some(Found { value, origin: name.to_owned() })),
        Err(_) => refused("it is not Unicode"),
    }
}

fn of_environment(key: &Key) -> Result<Option<Found<Value>>> {
    let Some(found) = variable(key.variable)? else { return Ok(None) };
    let value = match key.kind {
        Kind::Text => Value::Text(found.value.clone()),
        Kind::List => {
            let parsed = DeValue::parse(&found.value).ok();
            let list = parsed.as_ref().and_then(|parsed| file::list(parsed.get_ref()));
            let why = "it is no list such as [\"pass\", \"show\", \"point-auth\"]";
            Value::List(list.ok_or_else(|| found.refused(why))?)
        }
    };
    Ok(Some(Found { value, origin: found.origin }))
}

#[cfg(test)]
mod tests;
