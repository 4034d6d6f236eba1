//! What may be in the dependency tree: cargo-deny by `deny.toml` for licences, duplicate versions,
//! banned crates and sources. Advisories are left to the workflow on the public repository, since
//! their database is fetched from outside.

use std::env;

use crate::run::{self, Report, cargo};
use crate::workspace::Workspace;

/// Exact, so that a new release with a newer minimal Rust cannot break a build of an old commit.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

pub(crate) fn check(_: &Workspace) -> Report {
    // First what is missing is fetched, as any build would; then nothing need reach outside.
    run::run(&mut cargo(["fetch", "--quiet"]))?;
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
