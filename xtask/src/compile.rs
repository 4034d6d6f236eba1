//! The steps that are one or two cargo commands.

use crate::run::{self, Failure, Report, cargo};
use crate::workspace::Workspace;

pub(crate) fn fmt(_: &Workspace) -> Report {
    run::run(&mut cargo(["fmt", "--all", "--check"]))?;
    Ok(Vec::new())
}

/// Twice, since code that only compiles with a feature off is seen by one of the two alone.
pub(crate) fn clippy(workspace: &Workspace) -> Report {
    let (features, left_out) = workspace.all_features();
    let clippy = ["clippy", "--workspace", "--all-targets"];
    let deny = ["--", "-D", "warnings"];
    run::run(cargo(clippy).args(deny))?;
    run::run(cargo(clippy).args(features).args(deny))?;
    Ok(left_out)
}

pub(crate) fn doc(workspace: &Workspace) -> Report {
    let (features, left_out) = workspace.all_features();
    run::run(cargo(["doc", "--workspace", "--no-deps"]).args(features).env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(left_out)
}

/// The README's command, to the letter.
pub(crate) fn test(_: &Workspace) -> Report {
    run::run(&mut cargo(["test", "--workspace"]))?;
    Ok(Vec::new())
}

pub(crate) fn test_all_features(workspace: &Workspace) -> Report {
    let (features, left_out) = workspace.all_features();
    run::run(cargo(["test", "--workspace"]).args(features))?;
    Ok(left_out)
}

/// A target directory of its own: two compilers in one would build everything anew at every turn.
pub(crate) fn msrv(workspace: &Workspace) -> Report {
    let Some(version) = workspace.published().find_map(|package| package.rust_version.as_deref()) else {
        return Err(Failure::new("no published crate has a rust-version"));
    };
    let installed = run::output(std::process::Command::new("rustup").args(["toolchain", "list"]));
    let installed = installed.unwrap_or_default();
    let installed = String::from_utf8_lossy(&installed);
    let Some(toolchain) = toolchain(&installed, version) else {
        return Ok(vec![format!(
            "a build with Rust {version}, which is not installed; clippy's incompatible_msrv still checks the \
             standard library's items"
        )]);
    };
    let (features, left_out) = workspace.all_features();
    let mut check = std::process::Command::new("rustup");
    check.args(["run", toolchain, "cargo", "check", "--workspace", "--locked", "--target-dir"]);
    run::run(check.arg(workspace.target.join("msrv")).args(features))?;
    Ok(left_out)
}

/// The installed toolchain of that version: `1.88-…` or `1.88.0-…`, but not `1.880`.
fn toolchain<'i>(installed: &'i str, version: &str) -> Option<&'i str> {
    let names = installed.lines().filter_map(|line| line.split_whitespace().next());
    names.into_iter().find(|name| {
        name.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    })
}

#[cfg(test)]
mod tests {
    use super::toolchain;

    #[test]
    fn the_oldest_supported_toolchain_is_found_by_its_version() {
        let installed = "stable-x86_64 (active, default)\n1.880.0-x86_64\n1.88.0-x86_64\n";
        assert_eq!(toolchain(installed, "1.88"), Some("1.88.0-x86_64"));
        assert_eq!(toolchain(installed, "1.87"), None);
    }
}
