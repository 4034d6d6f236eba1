//! The text files of the repository, by path from its root with `/` on every system.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::run::Failure;

pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        let mut tree = Self { files: BTreeMap::new() };
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<(), Failure> {
        let entries = fs::read_dir(folder)
            .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            if super::is_generated(&name) {
                continue;
            }
            let path = format!("{prefix}{}", name.to_string_lossy());
            if entry.path().is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                // What is not text is none of our business.
                self.files.insert(path, text);
            }
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// The Rust files under `crates/*/src` and `crates/*/tests`.
    pub(crate) fn rust_of_crates(
        &self,
        folder: &'static str,
    ) -> impl Iterator<Item = (&str, &str)> {
        self.rust().filter(
            move |(path, _)| matches!(parts(path).as_slice(), ["crates", _, f, ..] if *f == folder),
        )
    }

    /// The folders under `crates/`, as `crates/name`.
    pub(crate) fn crates(&self) -> Vec<String> {
        let mut found: Vec<String> = self
            .all()
            .filter_map(|(path, _)| match parts(path).as_slice() {
                ["crates", name, "Cargo.toml"] => Some(format!("crates/{name}")),
                _ => None,
            })
            .collect();
        found.dedup();
        found
    }
}

pub(crate) fn parts(path: &str) -> Vec<&str> {
    path.split('/').collect()
}

#[cfg(test)]
impl Tree {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect(),
        }
    }
}
