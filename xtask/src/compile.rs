//! The steps that are one or two cargo commands.

use std::process::Command;

use crate::run::{self, Failure, Report, cargo, verdict};
use crate::workspace::{Workspace, list, metadata};

pub(crate) fn fmt(_: &Workspace) -> Report {
    run::run(&mut cargo(["fmt", "--all", "--check"]))?;
    Ok(Vec::new())
}

/// Twice, since code that only compiles with a feature off is seen by one of the two alone.
pub(crate) fn clippy(workspace: &Workspace) -> Report {
    let (features, left_out) = workspace.all_features();
    let mut complaints = Vec::new();
    for features in [Vec::new(), features] {
        let clippy = &mut cargo(["clippy", "--workspace", "--all-targets", "--keep-going"]);
        if let Err(failure) = run::run(clippy.args(features).args(["--", "-D", "warnings"])) {
            complaints.extend(failure.complaints);
        }
    }
    verdict(complaints)?;
    Ok(left_out)
}

pub(crate) fn doc(workspace: &Workspace) -> Report {
    let (features, left_out) = workspace.all_features();
    run::run(
        cargo(["doc", "--workspace", "--no-deps", "--keep-going"])
            .args(features)
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    Ok(left_out)
}

/// The README's command, to the letter.
pub(crate) fn test(_: &Workspace) -> Report {
    run::run(&mut cargo(["test", "--workspace"]))?;
    Ok(Vec::new())
}

pub(crate) fn test_all_features(workspace: &Workspace) -> Report {
    let (features, left_out) = workspace.all_features();
    run::run(cargo(["test", "--workspace", "--no-fail-fast"]).args(features))?;
    Ok(left_out)
}

/// What the locked dependencies say of themselves, and a build with that very version where it is
/// installed; in a target directory of its own, since two compilers in one would build everything
/// anew at every turn.
pub(crate) fn msrv(workspace: &Workspace) -> Report {
    let Some(version) = workspace.published().find_map(|package| package.rust_version.as_deref())
    else {
        return Err(Failure::new("no published crate has a rust-version"));
    };
    let metadata = metadata(&["--all-features"])?;
    let demands = list(&metadata, "packages").iter().filter_map(|package| {
        Some((package.get("name")?.as_str()?, package.get("rust_version")?.as_str()?))
    });
    verdict(newer_than(version, demands))?;
    let installed =
        run::output(Command::new("rustup").args(["toolchain", "list"])).unwrap_or_default();
    let installed = String::from_utf8_lossy(&installed);
    let Some(toolchain) = toolchain(&installed, version) else {
        return Ok(vec![format!(
            "a build with Rust {version}, which is not installed; no dependency asks for a newer one, and clippy's \
             incompatible_msrv checks the use of the standard library"
        )]);
    };
    let (features, left_out) = workspace.all_features();
    let mut check = Command::new("rustup");
    check.args(["run", toolchain, "cargo", "check", "--workspace", "--locked", "--target-dir"]);
    run::run(check.arg(workspace.target.join("msrv")).args(features))?;
    Ok(left_out)
}

/// The packages that ask for a newer Rust than that.
fn newer_than<'d>(version: &str, demands: impl Iterator<Item = (&'d str, &'d str)>) -> Vec<String> {
    let numbers = |version: &str| -> Vec<u32> {
        version.split('.').filter_map(|part| part.parse().ok()).collect()
    };
    // A demand for 1.88.0 is one for 1.88.
    let ours = [numbers(version), vec![0]].concat();
    let newer = demands.filter(|(_, demand)| numbers(demand) > ours);
    newer
        .map(|(name, demand)| format!("{name} asks for Rust {demand}; ours is {version}"))
        .collect()
}

/// The installed toolchain of that version: `1.88-…` or `1.88.0-…`, but not `1.880`.
fn toolchain<'i>(installed: &'i str, version: &str) -> Option<&'i str> {
    let names = installed.lines().filter_map(|line| line.split_whitespace().next());
    names.into_iter().find(|name| {
        name.strip_prefix(version)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_asks_for_a_newer_rust_is_found() {
        let demands = [
            ("a", "1.88"),
            ("b", "1.88.0"),
            ("c", "1.88.1"),
            ("d", "1.100"),
            ("e", "1.9"),
            ("f", "2.0"),
        ];
        let found = newer_than("1.88", demands.into_iter());
        let names: Vec<&str> =
            found.iter().filter_map(|complaint| complaint.split(' ').next()).collect();
        assert_eq!(names, ["c", "d", "f"]);
    }

    #[test]
    fn the_oldest_supported_toolchain_is_found_by_its_version() {
        let installed = "stable-x86_64 (active, default)\n1.880.0-x86_64\n1.88.0-x86_64\n";
        assert_eq!(toolchain(installed, "1.88"), Some("1.88.0-x86_64"));
        assert_eq!(toolchain(installed, "1.87"), None);
    }
}
