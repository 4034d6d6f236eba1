//! Every feature of every published crate alone, and none: a feature that only compiles beside
//! another is not additive, and users meet it before we do.

use crate::run::{self, Report, cargo, verdict};
use crate::workspace::{Package, Workspace, native_tls_is_left_out};

/// Crates that say by themselves that they need one of several features, and the one that they are
/// tried with.
const REQUIRED: &[(&str, &str)] = &[("point-auth-testkit", "aws-lc-rs")];

/// Clippy rather than a bare check, since it alone can refuse the warnings of our crates without
/// building their dependencies anew.
pub(crate) fn check(workspace: &Workspace) -> Report {
    let (mut complaints, mut left_out) = (Vec::new(), Vec::new());
    for package in workspace.published() {
        for features in choices(package, workspace.can_build_native_tls) {
            let arguments = ["clippy", "--package", package.name.as_str(), "--no-default-features"];
            let required = REQUIRED.iter().filter(|(name, _)| *name == package.name);
            let features = features.into_iter().chain(required.map(|(_, feature)| *feature));
            let features = features.map(|feature| ["--features", feature]);
            let command = &mut cargo(arguments);
            command.args(features.flatten()).args(["--", "-D", "warnings"]);
            if let Err(failure) = run::run(command) {
                complaints.extend(failure.complaints);
            }
        }
        if !workspace.can_build_native_tls
            && package.features.keys().any(|name| package.needs_native_tls(name))
        {
            left_out.push(format!("{}: {}", package.name, native_tls_is_left_out()));
        }
    }
    verdict(complaints)?;
    Ok(left_out)
}

/// None, then each one; `default` as well, since it is what most people build.
fn choices(package: &Package, can_build_native_tls: bool) -> Vec<Option<&str>> {
    let features = package
        .features
        .keys()
        .filter(|name| can_build_native_tls || !package.needs_native_tls(name));
    std::iter::once(None).chain(features.map(|name| Some(name.as_str()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_tried_alone_and_none_is_tried_too() {
        let package = Package {
            name: "crate-under-test".into(),
            rust_version: None,
            published: true,
            features: [("a", ""), ("b", "dep/native-tls")]
                .map(|(name, enables)| (name.to_owned(), vec![enables.to_owned()]))
                .into(),
        };
        assert_eq!(choices(&package, true), [None, Some("a"), Some("b")]);
        assert_eq!(choices(&package, false), [None, Some("a")]);
    }
}
