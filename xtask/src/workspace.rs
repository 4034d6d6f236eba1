//! What cargo knows about the workspace, and whether this machine can build native-tls.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;

use serde_json::Value;

use crate::run::{self, Failure};

/// The one feature that needs more than Rust and a C compiler: OpenSSL's development files, on
/// Linux.
pub(crate) const NATIVE_TLS: &str = "native-tls";

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
    pub(crate) can_build_native_tls: bool,
}

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) rust_version: Option<String>,
    pub(crate) published: bool,
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self, Failure> {
        let metadata = metadata(&["--no-deps"])?;
        Ok(Self {
            root: PathBuf::from(text(&metadata, "workspace_root")?),
            target: PathBuf::from(text(&metadata, "target_directory")?),
            packages: list(&metadata, "packages")
                .iter()
                .map(Package::read)
                .collect::<Result<_, _>>()?,
            can_build_native_tls: can_build_native_tls(),
        })
    }

    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.published)
    }

    /// The arguments that turn on every feature this machine can build, and what they leave out.
    pub(crate) fn all_features(&self) -> (Vec<String>, Vec<String>) {
        if self.can_build_native_tls {
            return (vec!["--all-features".into()], Vec::new());
        }
        let features: Vec<String> = self
            .packages
            .iter()
            .flat_map(|package| {
                let names = package.features.keys().filter(|name| !package.needs_native_tls(name));
                names.map(|name| format!("{}/{name}", package.name))
            })
            .collect();
        (vec!["--features".into(), features.join(",")], vec![native_tls_is_left_out()])
    }
}

impl Package {
    fn read(value: &Value) -> Result<Self, Failure> {
        let features = value.get("features").and_then(Value::as_object).into_iter().flatten();
        Ok(Self {
            name: text(value, "name")?.to_owned(),
            rust_version: value.get("rust_version").and_then(Value::as_str).map(str::to_owned),
            published: value.get("publish").is_none_or(Value::is_null),
            features: features.map(|(name, enables)| (name.clone(), strings(enables))).collect(),
        })
    }

    /// Whether the feature turns on native-tls, by itself or by way of another feature of the
    /// package.
    pub(crate) fn needs_native_tls(&self, feature: &str) -> bool {
        let mut seen = vec![feature];
        let mut position = 0;
        while let Some(&name) = seen.get(position) {
            // libcurl is built with OpenSSL too.
            if name.rsplit('/').next() == Some(NATIVE_TLS) || name == "dep:curl" {
                return true;
            }
            for next in self.features.get(name).into_iter().flatten() {
                if !seen.contains(&next.as_str()) {
                    seen.push(next);
                }
            }
            position += 1;
        }
        false
    }
}

pub(crate) fn native_tls_is_left_out() -> String {
    format!(
        "the feature `{NATIVE_TLS}`: pkg-config finds no OpenSSL (Debian: pkg-config and libssl-dev)"
    )
}

/// `cargo metadata`, as it is.
pub(crate) fn metadata(arguments: &[&str]) -> Result<Value, Failure> {
    let output = run::output(run::cargo(["metadata", "--format-version", "1"]).args(arguments))?;
    serde_json::from_slice(&output)
        .map_err(|error| Failure::new(format!("cargo metadata: {error}")))
}

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str, Failure> {
    value
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| Failure::new(format!("cargo metadata has no `{key}`")))
}

pub(crate) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn can_build_native_tls() -> bool {
    cfg!(any(windows, target_vendor = "apple"))
        || env::var_os("OPENSSL_DIR").is_some()
        || run::succeeds("pkg-config", &["--exists", "openssl"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(features: &[(&str, &[&str])]) -> Package {
        Package {
            name: "crate-under-test".into(),
            rust_version: None,
            published: true,
            features: features
                .iter()
                .map(|(name, enables)| {
                    ((*name).to_owned(), enables.iter().map(|&f| f.to_owned()).collect())
                })
                .collect(),
        }
    }

    fn workspace(can_build_native_tls: bool) -> Workspace {
        let features: &[(&str, &[&str])] =
            &[("default", &["rustls"]), ("native-tls", &["dep:native-tls"]), ("rustls", &[])];
        Workspace {
            root: PathBuf::new(),
            target: PathBuf::new(),
            packages: vec![package(features)],
            can_build_native_tls,
        }
    }

    #[test]
    fn native_tls_is_seen_through_other_features_and_crates() {
        let package = package(&[
            ("native-tls", &["dep:native-tls"]),
            ("outer", &["inner"]),
            ("inner", &["adapter?/native-tls", "outer"]),
            ("rustls", &["adapter/rustls"]),
        ]);
        assert!(package.needs_native_tls("native-tls"));
        assert!(package.needs_native_tls("outer"));
        assert!(!package.needs_native_tls("rustls"));
    }

    #[test]
    fn without_openssl_every_other_feature_is_named_and_the_gap_is_told() {
        let (arguments, left_out) = workspace(false).all_features();
        assert_eq!(arguments, ["--features", "crate-under-test/default,crate-under-test/rustls"]);
        assert_eq!(left_out.len(), 1);
    }

    #[test]
    fn with_openssl_nothing_is_left_out() {
        assert_eq!(workspace(true).all_features(), (vec!["--all-features".to_owned()], vec![]));
    }
}
