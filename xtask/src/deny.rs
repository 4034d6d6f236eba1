//! What may be in the dependency tree: cargo-deny by `deny.toml` for licences, duplicate versions, banned crates and
//! sources, and a check of our own for what only tests may use. Advisories are left to the workflow on the public
//! repository, since their database is fetched from outside.

use std::env;

use crate::run::{self, Report, cargo, verdict};
use crate::workspace::Workspace;

/// Exact, so that a new release with a newer minimal Rust cannot break a build of an old commit.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

/// In our tests alone, where a second crypto provider shows that nothing relies on the process's default. cargo-deny
/// cannot tell what only tests bring in, since it sees the features of both together.
const ONLY_IN_TESTS: &[&str] = &["aws-lc-rs", "aws-lc-sys"];

pub(crate) fn check(_: &Workspace) -> Report {
    // First what is missing is fetched, as any build would; then nothing need reach outside.
    run::run(&mut cargo(["fetch", "--quiet"]))?;
    let tree = [
        "tree",
        "--offline",
        "--workspace",
        "--all-features",
        "--target",
        "all",
        "--edges",
        "no-dev",
    ];
    let tree = run::output(cargo(tree).args(["--prefix", "none", "--format", "{p}"]))?;
    verdict(outside_of_tests(&String::from_utf8_lossy(&tree)))?;
    if !run::succeeds("cargo-deny", &["--version"]) {
        if env::var_os("CI").is_none() {
            return Ok(vec![format!(
                "licences, duplicate versions and sources: no cargo-deny here (`cargo install --locked {CARGO_DENY}`)"
            )]);
        }
        // Unoptimised, since it runs for a second and is built for minutes.
        run::run(&mut cargo(["install", "--locked", "--debug", "--quiet", CARGO_DENY]))?;
    }
    run::run(&mut cargo([
        "deny",
        "--offline",
        "--all-features",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))?;
    Ok(Vec::new())
}

/// The crates of a `cargo tree` without the dependencies of tests that should be in no other.
fn outside_of_tests(tree: &str) -> Vec<String> {
    let is_there = |name: &&&str| tree.lines().any(|line| line.split(' ').next() == Some(name));
    let found = ONLY_IN_TESTS.iter().filter(is_there);
    found
        .map(|name| {
            format!("{name} is for tests only; `cargo tree -e no-dev -i {name}` tells who uses it")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_crypto_provider_outside_of_tests_is_found() {
        assert_eq!(outside_of_tests("rustls v0.23.46\nring v0.17.14\n"), [""; 0]);
        assert_eq!(
            outside_of_tests("rustls v0.23.46\naws-lc-rs v1.19.0\nring v0.17.14\n").len(),
            1
        );
    }
}
