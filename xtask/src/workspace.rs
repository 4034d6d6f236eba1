//! What cargo knows about the workspace, and whether this machine can build native-tls.

use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;

use serde_json::Value;

use crate::run::{self, Failure};

/// Features that need OpenSSL's development files, on Linux.
pub(crate) const OF_OPENSSL: &[&str] = &["native-tls", "curl"];
pub(crate) const NO_OPENSSL: &str =
    "native-tls and curl: pkg-config finds no OpenSSL (Debian: pkg-config and libssl-dev)";

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
    pub(crate) has_openssl: bool,
}

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) rust_version: Option<String>,
    pub(crate) published: bool,
    /// A program alone has no public API.
    pub(crate) has_library: bool,
    features: BTreeSet<String>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self, Failure> {
        let metadata = metadata(&["--no-deps"])?;
        Ok(Self {
            root: PathBuf::from(text(&metadata, "workspace_root")?),
            target: PathBuf::from(text(&metadata, "target_directory")?),
            packages: packages(&metadata).iter().map(Package::read).collect::<Result<_, _>>()?,
            has_openssl: cfg!(any(windows, target_vendor = "apple"))
                || env::var_os("OPENSSL_DIR").is_some()
                || run::succeeds("pkg-config", &["--exists", "openssl"]),
        })
    }

    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.published)
    }

    /// The arguments that turn on every feature that this machine can build.
    pub(crate) fn all_features(&self) -> Vec<String> {
        if self.has_openssl {
            return vec!["--all-features".into()];
        }
        let mut features = Vec::new();
        for package in &self.packages {
            let can_build = package.features.iter().filter(|f| !OF_OPENSSL.contains(&f.as_str()));
            features.extend(can_build.map(|feature| format!("{}/{feature}", package.name)));
        }
        vec!["--features".into(), features.join(",")]
    }

    /// What a step with [`all_features`](Self::all_features) left out.
    pub(crate) fn left_out(&self) -> Vec<String> {
        if self.has_openssl { Vec::new() } else { vec![NO_OPENSSL.to_owned()] }
    }
}

impl Package {
    pub(crate) fn needs_openssl(&self) -> bool {
        OF_OPENSSL.iter().any(|feature| self.features.contains(*feature))
    }

    fn read(value: &Value) -> Result<Self, Failure> {
        let features = value.get("features").and_then(Value::as_object).into_iter().flatten();
        let targets = value.get("targets").and_then(Value::as_array).into_iter().flatten();
        let kinds = targets.flat_map(|target| target.get("kind").and_then(Value::as_array));
        Ok(Self {
            name: text(value, "name")?.to_owned(),
            rust_version: value.get("rust_version").and_then(Value::as_str).map(str::to_owned),
            published: value.get("publish").is_none_or(Value::is_null),
            has_library: kinds.flatten().any(|kind| kind == "lib"),
            features: features.map(|(name, _)| name.clone()).collect(),
        })
    }
}

/// `cargo metadata`, as it is.
pub(crate) fn metadata(arguments: &[&str]) -> Result<Value, Failure> {
    let output = run::output(run::cargo(["metadata", "--format-version", "1"]).args(arguments))?;
    serde_json::from_str(&output).map_err(|error| Failure::new(format!("cargo metadata: {error}")))
}

pub(crate) fn packages(metadata: &Value) -> &[Value] {
    metadata.get("packages").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str, Failure> {
    let found = value.get(key).and_then(Value::as_str);
    found.ok_or_else(|| Failure::new(format!("cargo metadata has no `{key}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_openssl_every_other_feature_is_named_and_the_gap_is_told() {
        let mut workspace = Workspace::load().unwrap();
        workspace.has_openssl = false;
        let arguments = workspace.all_features().join(" ");
        assert!(arguments.contains("point-auth/tower,"), "{arguments}");
        assert!(!arguments.contains("/native-tls") && !arguments.contains("/curl"), "{arguments}");
        assert_eq!(workspace.left_out(), [NO_OPENSSL]);
        workspace.has_openssl = true;
        assert_eq!(
            (workspace.all_features(), workspace.left_out()),
            (vec!["--all-features".into()], vec![])
        );
    }
}
