//! The suite over [`FileStore`].

use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use point_auth_store::FileStore;
use point_auth_testkit::stores::{Candidate, checks};

/// A directory that is removed with the candidate.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        Self(path.join(format!("store-suite-{}-{number}", process::id())))
    }

    /// The content and the names of all files.
    fn dump(&self) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut open = vec![self.0.clone()];
        while let Some(path) = open.pop() {
            found.push(path.file_name().unwrap().as_encoded_bytes().to_vec());
            if path.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                found.push(fs::read(&path).unwrap());
            }
        }
        found
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _is_removed = fs::remove_dir_all(&self.0);
    }
}

mod a_blocking_store {
    use super::{FileStore, Scratch};

    point_auth_testkit::store_conformance! {
        blocking: {
            let scratch = Scratch::new();
            move || FileStore::open(&scratch.0)
        },
    }
}

mod an_async_store {
    use super::{FileStore, Scratch};

    point_auth_testkit::store_conformance! {
        async: {
            let scratch = Scratch::new();
            move || std::future::ready(FileStore::open(&scratch.0))
        },
        without kept: "a test of the blocking one takes enough time",
        without clock: "a test of the blocking one takes enough time",
    }
}

#[test]
fn no_secret_is_in_the_files_of_a_store() {
    let scratch = Arc::new(Scratch::new());
    let in_closure = Arc::clone(&scratch);
    let candidate = Candidate::blocking(move || FileStore::open(&in_closure.0));
    let candidate = candidate.with_dump(move || scratch.dump());
    let check = checks().into_iter().find(|check| check.group() == "sealed").unwrap();
    check.run(&candidate).unwrap();
}
