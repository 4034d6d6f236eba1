//! The steps that are one or two cargo commands.

use std::process::Command;

use serde_json::Value;

use crate::run::{self, Failure, Report, cargo, verdict};
use crate::workspace::{NO_OPENSSL, Workspace, metadata, packages};

pub(crate) fn fmt(_: &Workspace) -> Report {
    run::run(&mut cargo(["fmt", "--all", "--check"]))?;
    Ok(Vec::new())
}

/// What may be in the dependency tree. Advisories are left to the public workflow, since their
/// database is fetched from outside.
pub(crate) fn deny(_: &Workspace) -> Report {
    // First what is missing is fetched, as any build would; then nothing need reach outside.
    run::run(&mut cargo(["fetch", "--quiet"]))?;
    if !run::has_tool("deny", "0.20.2")? {
        return Ok(vec!["no cargo-deny (`cargo install --locked cargo-deny@0.20.2`)".into()]);
    }
    let check = ["deny", "--offline", "--all-features", "check", "bans", "licenses", "sources"];
    run::run(&mut cargo(check))?;
    Ok(Vec::new())
}

/// Twice, since code that only compiles with a feature off is seen by one of the two alone.
pub(crate) fn clippy(workspace: &Workspace) -> Report {
    for features in [Vec::new(), workspace.all_features()] {
        let clippy = &mut cargo(["clippy", "--workspace", "--all-targets", "--keep-going"]);
        run::run(clippy.args(features).args(["--", "-D", "warnings"]))?;
    }
    Ok(workspace.left_out())
}

pub(crate) fn doc(workspace: &Workspace) -> Report {
    let mut doc = cargo(["doc", "--workspace", "--no-deps", "--keep-going"]);
    run::run(doc.args(workspace.all_features()).env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(workspace.left_out())
}

/// What is published, as it would be uploaded. Building it again from there would take minutes.
pub(crate) fn package(workspace: &Workspace) -> Report {
    let packages = workspace.published().flat_map(|package| ["--package", &package.name]);
    let package = &mut cargo(["package", "--no-verify", "--allow-dirty", "--quiet"]);
    run::run(package.args(packages))?;
    Ok(Vec::new())
}

/// The tests that the features of OpenSSL add or change; all others run as the README says.
pub(crate) fn test_openssl(workspace: &Workspace) -> Report {
    if !workspace.has_openssl {
        return Ok(vec![NO_OPENSSL.to_owned()]);
    }
    let with_openssl = workspace.packages.iter().filter(|package| package.needs_openssl());
    run::run(
        cargo(["test", "--all-features", "--no-fail-fast", "--test", "it", "--test", "peers"])
            .args(with_openssl.flat_map(|package| ["--package", &package.name]))
            // The peers' tests try every TLS library; the others are named for theirs.
            .args(["--", "native_tls", "enterprise", "haproxy", "nginx", "openssl", "squid"])
            .arg("tinyproxy"),
    )?;
    Ok(Vec::new())
}

/// The locked dependencies' own demands, and a build with that very version where it is installed,
/// in a target directory of its own, since two compilers in one build everything at every turn.
pub(crate) fn msrv(workspace: &Workspace) -> Report {
    let ours = workspace.published().find_map(|package| package.rust_version.as_deref());
    let version = ours.ok_or_else(|| Failure::new("no published crate has a rust-version"))?;
    verdict(newer_than(version, packages(&metadata(&["--all-features"])?)))?;
    let toolchain = format!("+{version}");
    if !run::succeeds("cargo", &[&toolchain, "--version"]) {
        return Ok(vec![format!(
            "a build with Rust {version}, which is not installed; no dependency asks for a newer \
             one, and clippy's incompatible_msrv checks the use of the standard library"
        )]);
    }
    let mut check = Command::new("rustup");
    check.args(["run", version, "cargo", "check", "--workspace", "--locked", "--target-dir"]);
    run::run(check.arg(workspace.target.join("msrv")).args(workspace.all_features()))?;
    Ok(workspace.left_out())
}

/// The packages that ask for a newer Rust than that. A demand for 1.88.0 is one for 1.88.
fn newer_than(version: &str, packages: &[Value]) -> Vec<String> {
    let numbers = |version: &str| -> Vec<u32> {
        version.split('.').filter_map(|part| part.parse().ok()).collect()
    };
    let ours = [numbers(version), vec![0]].concat();
    let demand = |package: &Value| {
        let [name, demand] = ["name", "rust_version"].map(|key| package.get(key)?.as_str());
        let (name, demand) = (name?, demand?);
        (numbers(demand) > ours)
            .then(|| format!("{name} asks for Rust {demand}; ours is {version}"))
    };
    packages.iter().filter_map(demand).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dependency_that_asks_for_a_newer_rust_is_found() {
        let demands = ["1.88", "1.88.0", "1.88.1", "1.100", "1.9", "2.0"];
        let package = |demand: &&str| json!({ "name": demand, "rust_version": demand });
        let packages: Vec<Value> = demands.iter().map(package).collect();
        let found = newer_than("1.88", &packages).join("\n");
        let names: Vec<&str> = found.lines().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(names, ["1.88.1", "1.100", "2.0"]);
    }
}
