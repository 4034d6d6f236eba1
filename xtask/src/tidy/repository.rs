//! Rules about the repository as a whole.

use super::tree::Tree;

const FILES: &[&str] = &[
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    ".ci/run",
    ".github/workflows/ci.yml",
    "deny.toml",
];

/// Where the oldest supported Rust is said, besides the root's Cargo.toml.
const SAY_THE_OLDEST_RUST: &[&str] = &["README.md", "CONTRIBUTING.md", ".github/workflows/ci.yml"];

/// Where a package comes from is the business of who installs it. In pieces, so that this file
/// names none either.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("npmjs", ".org"),
    concat!("deb.debian", ".org"),
    concat!("static.rust-lang", ".org"),
];

pub(crate) fn the_usual_files_are_there(tree: &Tree) -> Vec<String> {
    let missing =
        FILES.iter().filter(|file| tree.get(file).is_none_or(|text| text.trim().is_empty()));
    let mut complaints: Vec<String> = missing.map(|file| format!("{file}: is missing")).collect();
    let version = setting(tree, "version");
    if let Some(changelog) = tree.get("CHANGELOG.md")
        && !changelog.lines().any(|line| line.starts_with("## ") && line.contains(version))
    {
        complaints.push(format!("CHANGELOG.md: has no section for {version}"));
    }
    complaints
}

pub(crate) fn the_oldest_rust_is_the_same_everywhere(tree: &Tree) -> Vec<String> {
    let version = setting(tree, "rust-version");
    if version.is_empty() {
        return vec!["Cargo.toml: has no rust-version".into()];
    }
    let silent = SAY_THE_OLDEST_RUST
        .iter()
        .filter(|file| tree.get(file).is_some_and(|text| !text.contains(version)));
    silent
        .map(|file| format!("{file}: does not say that Rust {version} is the oldest supported"))
        .collect()
}

/// Lock files name them by nature.
pub(crate) fn no_registry_is_named(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in tree.all().filter(|(path, _)| !path.ends_with("Cargo.lock")) {
        for (line, number) in text.lines().zip(1..) {
            if REGISTRIES.iter().any(|registry| line.contains(registry)) {
                complaints.push(format!("{path}:{number}: names the host of a package registry"));
            }
        }
    }
    complaints
}

/// The value of `key = "value"` in the root's Cargo.toml, where it stands first.
fn setting<'t>(tree: &'t Tree, key: &str) -> &'t str {
    let lines = tree.get("Cargo.toml").unwrap_or_default().lines();
    let mut values = lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    values.next().unwrap_or_default().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: (&str, &str) =
        ("Cargo.toml", "[workspace.package]\nversion = \"0.1.0\"\nrust-version = \"1.88\"\n");

    fn complete() -> Vec<(&'static str, &'static str)> {
        let mut files: Vec<_> = FILES.iter().map(|&file| (file, "## [0.1.0], Rust 1.88")).collect();
        files.push(MANIFEST);
        files
    }

    #[test]
    fn each_missing_file_is_found() {
        assert_eq!(the_usual_files_are_there(&Tree::of(&complete())), [""; 0]);
        for file in FILES {
            let mut files = complete();
            files.retain(|(path, _)| path != file);
            assert_eq!(the_usual_files_are_there(&Tree::of(&files)).len(), 1, "{file}");
        }
    }

    #[test]
    fn a_changelog_without_the_version_is_found() {
        let mut files = complete();
        files.push(("CHANGELOG.md", "## [0.0.9]\n- something about 0.1.0\n"));
        assert_eq!(the_usual_files_are_there(&Tree::of(&files)).len(), 1);
    }

    #[test]
    fn another_oldest_rust_is_found_wherever_it_is_said() {
        assert_eq!(the_oldest_rust_is_the_same_everywhere(&Tree::of(&complete())), [""; 0]);
        for file in SAY_THE_OLDEST_RUST {
            let mut files = complete();
            files.push((file, "Rust 1.85"));
            assert_eq!(
                the_oldest_rust_is_the_same_everywhere(&Tree::of(&files)).len(),
                1,
                "{file}"
            );
        }
        assert_eq!(the_oldest_rust_is_the_same_everywhere(&Tree::of(&[])).len(), 1);
    }

    #[test]
    fn each_registry_is_found_but_not_in_a_lock_file() {
        for registry in REGISTRIES {
            let text = format!("See https://{registry}/.");
            assert_eq!(
                no_registry_is_named(&Tree::of(&[("docs/a.md", &text)])).len(),
                1,
                "{registry}"
            );
            assert_eq!(no_registry_is_named(&Tree::of(&[("Cargo.lock", &text)])), [""; 0]);
        }
    }
}
