//! The configuration file. Nothing of its values is repeated in an error, since a password may
//! stand there by mistake.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Found, KEYS, Key, Kind, Value};
use crate::failure::{Failure, Result};
use crate::secret_file::{self, Others};

/// No file of settings is longer.
const MOST_BYTES: usize = 256 * 1024;

/// The values of one profile by key.
pub(crate) type Table = BTreeMap<String, Found<Value>>;

/// A configuration file that was read and checked as a whole.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    profiles: BTreeMap<String, Table>,
}

impl ConfigFile {
    /// Reads the file. Returns `None` if there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        let what = "the configuration";
        let Some(bytes) = secret_file::read(path, what, Others::MayRead, MOST_BYTES)? else {
            return Ok(None);
        };
        let place = |line: usize| format!("{}:{line}", path.display());
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            Failure::usage(format!("{}: this is not UTF-8", place(line_of(before))))
        })?;
        Self::parse(text, path).map(Some)
    }

    /// Parses the text of a file. `path` is for errors.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self> {
        let reading = Reading { text, path };
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(text.len(), |span| span.start);
            // What the parser says may quote the file.
            reading.refuse(at, "this is not TOML")
        })?;
        let mut profiles = BTreeMap::new();
        for (key, value) in document.get_ref() {
            let at = key.span().start;
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("profiles", DeValue::Table(tables)) => {
                    for (name, table) in tables {
                        let DeValue::Table(table) = table.get_ref() else {
                            return Err(reading.refuse(name.span().start, "this is no profile"));
                        };
                        let table = reading.profile(table)?;
                        profiles.insert(name.get_ref().to_string(), table);
                    }
                }
                (name, _) => {
                    let why = format!(
                        "unknown key `{}`: settings stand below [profiles.NAME]",
                        shown(name)
                    );
                    return Err(reading.refuse(at, &why));
                }
            }
        }
        Ok(Self { profiles })
    }

    /// Takes the values of a profile.
    pub(crate) fn take(&mut self, profile: &str) -> Option<Table> {
        self.profiles.remove(profile)
    }

    /// The names of the profiles.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }
}

/// The strings of a list, if it is one of strings.
pub(super) fn list(value: &DeValue<'_>) -> Option<Vec<String>> {
    let items = value.as_array()?.iter();
    items.map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
}

struct Reading<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Reading<'_> {
    fn profile(&self, table: &DeTable<'_>) -> Result<Table> {
        let mut values = Table::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            match value.get_ref() {
                DeValue::Table(inner) if Key::is_table(name) => {
                    for (key, value) in inner {
                        let name = format!("{name}.{}", key.get_ref());
                        self.value(&mut values, &name, key.span().start, value)?;
                    }
                }
                _ => self.value(&mut values, name, key.span().start, value)?,
            }
        }
        Ok(values)
    }

    fn value(
        &self,
        values: &mut Table,
        name: &str,
        at: usize,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<()> {
        let Some(key) = Key::named(name) else { return Err(self.unknown(name, at)) };
        let read = match (key.kind, value.get_ref()) {
            (Kind::Text, DeValue::String(text)) if !text.is_empty() => {
                Some(Value::Text(text.to_string()))
            }
            (Kind::List, value) => list(value).filter(|list| !list.is_empty()).map(Value::List),
            _ => None,
        };
        let Some(value) = read else {
            let expected = match key.kind {
                Kind::Text => "a text in quotes that is not empty",
                Kind::List => "a list of texts, such as [\"pass\", \"show\", \"point-auth\"]",
            };
            return Err(self.refuse(at, &format!("`{name}` wants {expected}")));
        };
        let origin = format!("{}:{}: {name}", self.path.display(), self.line(at));
        values.insert(name.to_owned(), Found { value, origin });
        Ok(())
    }

    fn unknown(&self, name: &str, at: usize) -> Failure {
        if matches!(name, "password" | "password.value" | "password.text") {
            return self.refuse(
                at,
                "a password may not stand in this file: set password.command or password.file",
            );
        }
        let known: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        let why = format!("unknown key `{}`; known are {}", shown(name), known.join(", "));
        self.refuse(at, &why)
    }

    fn refuse(&self, at: usize, why: &str) -> Failure {
        Failure::usage(format!("{}:{}: {why}", self.path.display(), self.line(at)))
    }

    fn line(&self, at: usize) -> usize {
        line_of(self.text.as_bytes().get(..at).unwrap_or_default())
    }
}

/// The line that comes after these bytes.
fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}

/// A key as an error shows it. What does not look like one may be a secret.
fn shown(name: &str) -> &str {
    let is_plain = |one: char| one.is_ascii_lowercase() || matches!(one, '_' | '.');
    match name.len() <= 40 && name.chars().all(is_plain) {
        true => name,
        false => "…",
    }
}

/// The default path of the file.
pub(crate) fn default_path(directory: Option<PathBuf>) -> Option<PathBuf> {
    directory.map(|directory| directory.join("point-auth").join("config.toml"))
}
