//! Each target over its corpus, without a fuzzer.

use std::fs;
use std::path::{Path, PathBuf};

use point_auth_core_fuzz::TARGETS;

/// All of the corpora together. They are for every clone to carry.
const MOST_BYTES: usize = 1_000_000;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder(target)).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn every_file_of_every_corpus_keeps_the_rules() {
    for (name, target) in TARGETS {
        for (path, data) in corpus(name) {
            // Named before, since a panic ends it.
            println!("{}", path.display());
            target(&data);
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_all_of_them_are_small() {
    let sizes = TARGETS.map(|(name, _)| {
        let files = corpus(name);
        assert!(files.len() >= 20, "{name} has only {} files", files.len());
        files.iter().map(|(_, data)| data.len()).sum::<usize>()
    });
    assert!(sizes.iter().sum::<usize>() < MOST_BYTES, "{sizes:?}");
}

#[test]
fn every_target_has_a_program_of_its_name() {
    let manifest = include_str!("../Cargo.toml");
    for (name, _) in TARGETS {
        assert!(
            manifest.contains(&format!(
                "[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\""
            )),
            "{name}"
        );
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
}
