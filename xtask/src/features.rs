//! Every feature of every published crate alone, and none, by cargo-hack. A feature that only
//! compiles beside another is not additive.

use crate::run::{self, Report, cargo};
use crate::workspace::{OF_OPENSSL, Workspace};

const HACK: &str = "0.6.46";

/// The testkit refuses to build without a crypto provider, so it is tried with one.
const TESTKIT: &str = "point-auth-testkit";

/// Clippy alone can refuse the warnings of our crates without building their dependencies anew.
pub(crate) fn check(workspace: &Workspace) -> Report {
    hack(workspace, "clippy", &["--", "-D", "warnings"])
}

pub(crate) fn doc(workspace: &Workspace) -> Report {
    hack(workspace, "doc", &["--no-deps", "--lib"])
}

fn hack(workspace: &Workspace, command: &str, arguments: &[&str]) -> Report {
    if !run::has_tool("hack", HACK)? {
        return Ok(vec![format!("no cargo-hack (`cargo install --locked cargo-hack@{HACK}`)")]);
    }
    let skipped = if workspace.has_openssl { String::new() } else { OF_OPENSSL.join(",") };
    let published = workspace.published().map(|package| package.name.as_str());
    let (testkit, others): (Vec<&str>, Vec<&str>) = published.partition(|name| *name == TESTKIT);
    for (packages, required) in [(others, ""), (testkit, "aws-lc-rs")] {
        let each = ["hack", command, "--each-feature", "--exclude-all-features", "--keep-going"];
        let mut hack = cargo(each);
        hack.args(["--skip", &skipped, "--features", required]);
        hack.args(packages.iter().flat_map(|package| ["--package", package])).args(arguments);
        run::run(hack.env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(workspace.left_out())
}
