//! Every feature of every published crate alone, and none, by cargo-hack. A feature that only
//! compiles beside another is not additive.

use crate::run::{self, Report, cargo};
use crate::workspace::{OF_OPENSSL, Package, Workspace};

const HACK: &str = "0.6.46";

/// These refuse to build without a crypto provider, so they are tried with one.
const NEED_A_PROVIDER: &[&str] = &["point-auth-cli", "point-auth-testkit"];

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
    // A program has no docs to build.
    let wanted = |package: &&Package| package.has_library || command != "doc";
    let published = workspace.published().filter(wanted).map(|package| package.name.as_str());
    let (needy, others): (Vec<&str>, Vec<&str>) =
        published.partition(|name| NEED_A_PROVIDER.contains(name));
    for (packages, required) in [(others, ""), (needy, "aws-lc-rs")] {
        let each = ["hack", command, "--each-feature", "--exclude-all-features", "--keep-going"];
        let mut hack = cargo(each);
        hack.args(["--skip", &skipped, "--features", required]);
        hack.args(packages.iter().flat_map(|package| ["--package", package])).args(arguments);
        run::run(hack.env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(workspace.left_out())
}
