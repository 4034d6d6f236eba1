//! Each target over its seeds and over what once failed, without a fuzzer.

use std::fs;
use std::path::Path;

use point_auth_core_fuzz::{TARGETS, seeds};

#[test]
fn every_seed_of_every_target_keeps_the_rules() {
    let seeds = seeds();
    let names: Vec<&str> = seeds.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, TARGETS.map(|(name, _)| name));
    for ((name, inputs), (_, target)) in seeds.iter().zip(TARGETS) {
        assert!(inputs.len() >= 20, "{name} has only {} seeds", inputs.len());
        for (number, input) in inputs.iter().enumerate() {
            // Named before, since a panic ends it.
            println!("{name} {number}");
            target(input);
        }
    }
}

#[test]
fn what_once_failed_keeps_the_rules() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    for (name, target) in TARGETS {
        for file in fs::read_dir(folder.join(name)).into_iter().flatten() {
            let path = file.unwrap().path();
            println!("{}", path.display());
            target(&fs::read(path).unwrap());
        }
    }
}

#[test]
fn every_target_has_a_program_of_its_name() {
    let manifest = include_str!("../Cargo.toml");
    for (name, _) in TARGETS {
        let path = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&path), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
}
