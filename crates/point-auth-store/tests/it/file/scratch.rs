//! [`Scratch`]: a directory of a test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process;

use point_auth_store::{FileStore, FileStoreError};

/// A directory that is removed when the test is over.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one; each test has a name of its own.
    pub(super) fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = path.join(format!("file-store-{}-{name}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Opens the store `store` in it.
    pub(super) fn open(&self) -> FileStore {
        self.try_open().unwrap()
    }

    pub(super) fn try_open(&self) -> Result<FileStore, FileStoreError> {
        FileStore::open(self.path("store"))
    }

    /// Returns the error of opening, which names this path.
    #[track_caller]
    pub(super) fn refusal(&self, name: &str) -> FileStoreError {
        let error = self.try_open().unwrap_err();
        let path = self.path(name);
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        error
    }

    pub(super) fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(super) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o7777
    }

    /// What is in a directory.
    pub(super) fn names(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// Every file below a directory with its content, to see that nothing was written.
    pub(super) fn content(&self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![self.path(name)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                found.push((path, Vec::new()));
            } else {
                let bytes = fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
        found.sort();
        found
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _is_removed = fs::remove_dir_all(&self.0);
    }
}
