//! Rules about Cargo.toml files, read line by line: ours are plain enough, and rustfmt's kind of
//! strictness about their layout is welcome.

use super::tree::Tree;

/// Crates with lints of their own, each with the reason.
const OWN_LINTS: &[(&str, &str)] =
    &[("crates/scanning-allocator", "a global allocator is unsafe to write")];

pub(crate) fn every_crate_introduces_itself(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for folder in tree.crates() {
        let package = section(manifest(tree, &folder), "[package]");
        let description = package.iter().find_map(|line| line.strip_prefix("description = "));
        if description.unwrap_or_default().trim_matches('"').len() < 20 {
            complaints.push(format!(
                "{folder}/Cargo.toml: needs a description that says what the crate is"
            ));
        }
        if tree.get(&format!("{folder}/README.md")).is_none_or(|text| text.trim().is_empty()) {
            complaints.push(format!("{folder}: has no README.md"));
        }
        let own_lints = OWN_LINTS.iter().any(|(excepted, _)| *excepted == folder);
        if !own_lints && section(manifest(tree, &folder), "[lints]") != ["workspace = true"] {
            complaints
                .push(format!("{folder}/Cargo.toml: does not take the lints of the workspace"));
        }
    }
    complaints
}

/// By a comment above it, for who reads Cargo.toml; by its name in the crate's documentation, for
/// everyone else; and docs.rs shows what it brings.
pub(crate) fn every_feature_is_explained(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for folder in tree.crates() {
        let documentation = documentation(tree, &folder);
        let mut commented = false;
        let mut has_features = false;
        for line in section(manifest(tree, &folder), "[features]") {
            if line.starts_with('#') {
                commented = true;
                continue;
            }
            let Some((name, _)) = line.split_once(" = [") else { continue };
            if name != "default" {
                has_features = true;
                if !commented {
                    complaints.push(format!(
                        "{folder}/Cargo.toml: no comment above the feature `{name}`"
                    ));
                }
                if !documentation.contains(&format!("`{name}`")) {
                    complaints.push(format!(
                        "{folder}/src/lib.rs: the crate docs do not name the feature `{name}`"
                    ));
                }
            }
            commented = false;
        }
        let shown = section(manifest(tree, &folder), "[package.metadata.docs.rs]");
        if has_features && !shown.contains(&"all-features = true") {
            complaints
                .push(format!("{folder}/Cargo.toml: docs.rs is not told to build all features"));
        }
    }
    complaints
}

/// Two crates that ask for two versions of one dependency build it twice. A crate that turns on its
/// own features for its tests names itself by path.
pub(crate) fn versions_live_in_the_workspace(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in tree.all() {
        if !path.ends_with("/Cargo.toml")
            || text.contains("\n[workspace]")
            || text.starts_with("[workspace]")
        {
            continue;
        }
        for header in ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"] {
            let lines = section(text, header);
            let bad = lines.iter().filter(|line| {
                let elsewhere = line.contains("workspace = true") || line.contains("path = \".\"");
                line.contains(" = ") && !line.starts_with('#') && !elsewhere
            });
            complaints.extend(
                bad.map(|line| format!("{path}: take the version from the workspace: {line}")),
            );
        }
    }
    complaints
}

pub(crate) fn every_member_has_a_purpose(tree: &Tree) -> Vec<String> {
    let workspace = section(tree.get("Cargo.toml").unwrap_or_default(), "[workspace]");
    let members = workspace.iter().skip_while(|line| !line.starts_with("members = [")).skip(1);
    let mut complaints = Vec::new();
    let mut commented = false;
    for line in members.take_while(|line| !line.starts_with(']')) {
        if line.starts_with('"') && !commented {
            complaints.push(format!("Cargo.toml: say above {line} what it is for"));
        }
        commented = line.starts_with('#');
    }
    if !workspace.iter().any(|line| line.starts_with("members = [")) {
        complaints.push("Cargo.toml: has no list of members, one a line".into());
    }
    complaints
}

fn manifest<'t>(tree: &'t Tree, folder: &str) -> &'t str {
    tree.get(&format!("{folder}/Cargo.toml")).unwrap_or_default()
}

/// `lib.rs`, with the README where that is the documentation.
fn documentation(tree: &Tree, folder: &str) -> String {
    let library = tree.get(&format!("{folder}/src/lib.rs")).unwrap_or_default();
    let readme = if library.contains("include_str!(\"../README.md\")") {
        tree.get(&format!("{folder}/README.md")).unwrap_or_default()
    } else {
        ""
    };
    format!("{library}{readme}")
}

/// The lines below the header, up to the next one, without indentation and empty lines.
fn section<'t>(text: &'t str, header: &str) -> Vec<&'t str> {
    let lines = text.lines().map(str::trim).skip_while(|line| *line != header).skip(1);
    lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\ndescription = \"An adapter for tests of this rule\"\n\n\
                        [package.metadata.docs.rs]\nall-features = true\n\n\
                        [features]\ndefault = [\"rustls\"]\n# TLS by rustls.\nrustls = [\n    \"dep:rustls\",\n]\n\n\
                        [dependencies]\nhttp.workspace = true\nrustls = { workspace = true, optional = true }\n\n\
                        [lints]\nworkspace = true\n";
    const RULES: [fn(&Tree) -> Vec<String>; 3] =
        [every_crate_introduces_itself, every_feature_is_explained, versions_live_in_the_workspace];

    fn complaints(manifest: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("crates/a/Cargo.toml", manifest),
            ("crates/a/README.md", "# a"),
            ("crates/a/src/lib.rs", "//! - `rustls`: TLS by rustls."),
        ]);
        RULES.iter().flat_map(|rule| rule(&tree)).collect()
    }

    fn breaks(from: &str, to: &str) {
        assert!(GOOD.contains(from), "{from}");
        assert_eq!(complaints(&GOOD.replace(from, to)).len(), 1, "{from} -> {to}");
    }

    #[test]
    fn a_manifest_by_the_rules_is_accepted() {
        assert_eq!(complaints(GOOD), [""; 0]);
    }

    #[test]
    fn a_crate_needs_a_description_and_the_lints() {
        breaks("An adapter for tests of this rule", "stub");
        breaks("description", "keywords");
        breaks("[lints]\nworkspace = true\n", "");
    }

    #[test]
    fn a_crate_needs_a_readme() {
        let tree = Tree::of(&[("crates/a/Cargo.toml", GOOD)]);
        assert_eq!(every_crate_introduces_itself(&tree).len(), 1);
    }

    #[test]
    fn a_feature_needs_a_comment_a_place_in_the_docs_and_on_docs_rs() {
        breaks("# TLS by rustls.\n", "");
        breaks(
            "[\"rustls\"]\n# TLS by rustls.\n",
            "[\"rustls\"]\n# TLS by rustls.\nundocumented = []\n# As above.\n",
        );
        breaks("all-features = true", "all-features = false");
    }

    #[test]
    fn a_version_outside_the_workspace_is_found() {
        breaks("http.workspace = true", "http = \"1\"");
        breaks("rustls = { workspace = true,", "rustls = { version = \"0.23\",");
    }

    #[test]
    fn a_member_without_a_purpose_is_found() {
        let manifest = |members: &str| {
            Tree::of(&[("Cargo.toml", &format!("[workspace]\nmembers = [\n{members}]\n"))])
        };
        assert_eq!(every_member_has_a_purpose(&manifest("    # A.\n    \"crates/a\",\n")), [""; 0]);
        assert_eq!(
            every_member_has_a_purpose(&manifest(
                "    # A.\n    \"crates/a\",\n    \"crates/b\",\n"
            ))
            .len(),
            1
        );
        assert_eq!(
            every_member_has_a_purpose(&Tree::of(&[("Cargo.toml", "[workspace]\n")])).len(),
            1
        );
    }
}
